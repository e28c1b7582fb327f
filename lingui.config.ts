import { defineConfig } from '@lingui/cli'

/** Texts of the screens: English is the source; other languages get a file of their own beside it. */
export default defineConfig({
  sourceLocale: 'en',
  locales: ['en'],
  catalogs: [{ path: '<rootDir>/src/renderer/locales/{locale}', include: ['src/renderer'] }],
})
