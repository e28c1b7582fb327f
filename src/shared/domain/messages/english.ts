/** Messages in English: for the command, for logs, and for what is written to standard error. */
import { setupI18n } from '@lingui/core'
import { compileMessage } from '@lingui/message-utils/compileMessage'
import { english as englishFormats } from '../format'
import { ACTION_SUFFIX } from './definition'
import { definitions } from './tables'
import { messageTexts } from './texts'

const catalogue: Record<string, string> = {}
for (const [code, { text, action }] of Object.entries(definitions)) {
  catalogue[code] = text
  if (action !== '') catalogue[`${code}${ACTION_SUFFIX}`] = action
}
const i18n = setupI18n({ locale: 'en', messages: { en: catalogue } }).setMessagesCompiler(compileMessage)

export const inEnglish = messageTexts({
  translate: (id, values) => i18n._(id, values),
  formats: englishFormats,
})
