import { describeFault } from './describe-fault'
import type { Log } from './log'

export interface Closers {
  /** Adds a function that `closeAll` calls. */
  add(close: () => void | Promise<void>): void
  /** Closes everything that was added, in reverse order; also for an engine that could not be completed. Never rejects. */
  closeAll(): Promise<void>
}

/** Keeps what the engine opened, so that all of it is closed again. */
export function createClosers(log: Log): Closers {
  const closers: (() => void | Promise<void>)[] = []
  return {
    add: (close) => void closers.push(close),
    closeAll: async () => {
      // A close that fails must not keep the others from ending their processes and closing their files.
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
