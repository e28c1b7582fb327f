/** Why a process of the engine ended. */
import { message, type Message } from '#shared/domain/messages'
import type { ProcessExit } from '#process/host'

const FROM_OUTSIDE = ['process-not-started', 'process-ended-from-outside']

/** Whether the process did not end by itself: it was ended from outside, or could not start. */
export function isFromOutside(reason: Message): boolean {
  return FROM_OUTSIDE.includes(reason.code)
}

export function describeExit(exit: ProcessExit | Error): Message {
  if (exit instanceof Error) return message('process-not-started', { words: exit.message })
  if (exit.signal === 'SIGKILL') return message('process-ended-from-outside')
  if (exit.signal !== null) return message('process-ended-by-signal', { signal: exit.signal })
  return message('process-ended-with-code', { code: String(exit.code ?? 'unknown') })
}
