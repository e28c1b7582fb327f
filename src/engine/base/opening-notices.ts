/** Problems that the engine met while it opened its files, and that did not end it: logged, and shown until the next start. */
import type { Notice } from '#shared/contract/engine'
import type { Log } from './log'

export interface OpeningNotices {
  readonly notices: Notice[]
  /** Logs a notice and keeps it for the screens. */
  add(found: { severity: Notice['severity']; code: string; message: string }): void
}

export function createOpeningNotices(log: Pick<Log, 'warn'>): OpeningNotices {
  const notices: Notice[] = []
  return {
    notices,
    add: ({ severity, code, message }) => {
      log.warn(message, { code })
      notices.push({ id: `${code}-${notices.length}`, severity, title: message, detail: '' })
    },
  }
}
