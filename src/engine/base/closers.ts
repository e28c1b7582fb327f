import { describeFault } from './describe-fault'
import type { Log } from './log'

export interface Closers {
  add(close: () => void | Promise<void>): void
  /** In reverse order; also what a half-made engine has. Never rejects. */
  closeAll(): Promise<void>
}

/** What the engine opened and has to end again. */
export function createClosers(log: Log): Closers {
  const closers: (() => void | Promise<void>)[] = []
  return {
    add: (close) => void closers.push(close),
    closeAll: async () => {
      // One that fails must not keep the others from ending their processes and closing their files.
      for (const close of closers.splice(0).reverse()) {
        try {
          await close()
        } catch (error) {
          log.error('a part of the engine did not close', { error: describeFault(error) })
        }
      }
    },
  }
}
