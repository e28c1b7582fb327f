/** Problems that the engine met while it opened its files, and that did not end it: logged, and shown until the next start. */
import type { Notice } from '#shared/contract/engine'
import { inEnglish, type Message } from '#shared/domain/messages'
import type { Log } from './log'

export interface OpeningNotices {
  readonly notices: Notice[]
  /** Logs a notice and keeps it for the screens. */
  add(found: { severity: Notice['severity']; words: Message }): void
}

export function createOpeningNotices(log: Pick<Log, 'warn'>): OpeningNotices {
  const notices: Notice[] = []
  return {
    notices,
    add: ({ severity, words }) => {
      log.warn(inEnglish.text(words), { code: words.code })
      notices.push({ id: `${words.code}-${notices.length}`, severity, title: words, detail: null })
    },
  }
}
