/** The loop of a device: it runs steps until there is nothing to do, and asks after a failed step whether to go on. */
import type { Clock } from '#process/clock'

export interface WorkLoop {
  readonly running: boolean
  /** Begins the loop unless it runs. */
  run(): void
  /** Settles when the loop has ended; at once if it does not run. */
  ended(): Promise<void>
  /** Pauses the loop; `wake` ends the pause early. */
  pause(milliseconds: number): Promise<void>
  /** Ends a pause early. */
  wake(): void
}

export interface WorkLoopOptions {
  clock: Pick<Clock, 'setTimeout'>
  isOver: () => boolean
  /** Does the next piece of work. False: nothing is left to do. */
  step: () => Promise<boolean>
  /** Decides after a failed step; true: the loop goes on. Throws an internal error. */
  shouldContinue: (error: unknown) => Promise<boolean>
  /** `fault`: the internal error that ended the loop */
  onEnd: (fault?: Error) => void
}

export function createWorkLoop(options: WorkLoopOptions): WorkLoop {
  let loop: Promise<void> | null = null
  let endPause: (() => void) | null = null

  const runStep = async (): Promise<boolean> => {
    try {
      return await options.step()
    } catch (error) {
      return options.shouldContinue(error)
    }
  }

  const runAll = async (): Promise<void> => {
    let fault: Error | undefined
    try {
      // At least one step: the caller of `run` knows that there is work.
      while ((await runStep()) && !options.isOver());
    } catch (error) {
      fault = error instanceof Error ? error : new Error(String(error))
    }
    loop = null
    options.onEnd(fault)
  }

  return {
    get running() {
      return loop !== null
    },
    run: () => {
      loop ??= runAll()
    },
    ended: async () => {
      await loop
    },
    pause: async (milliseconds) => {
      const timer = await new Promise<{ cancel(): void }>((resolve) => {
        const running = options.clock.setTimeout(() => resolve(running), milliseconds)
        endPause = () => resolve(running)
      })
      timer.cancel()
      endPause = null
    },
    wake: () => endPause?.(),
  }
}
