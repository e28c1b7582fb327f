import { defineConfig } from '@lingui/cli'
import babelExtractor from '@lingui/cli/api/extractors/babel'
import { messageExtractor } from './scripts/message-extractor.mjs'

/**
 * Texts of the screens, and what the engine says (src/shared/domain/messages): English is the source; other languages get
 * a file of their own beside it.
 */
export default defineConfig({
  sourceLocale: 'en',
  locales: ['en'],
  catalogs: [
    { path: '<rootDir>/src/renderer/locales/{locale}', include: ['src/renderer', 'src/shared/domain/messages'] },
  ],
  extractors: [messageExtractor, babelExtractor],
})
