/** Step after step until there is nothing to do: what ends the loop, which failures it outlasts, and its pauses. */
import type { Clock } from '#process/clock'

export interface WorkLoop {
  readonly running: boolean
  /** Begins unless it runs. */
  run(): void
  /** Settles when it has ended; at once where it does not run. */
  ended(): Promise<void>
  /** Ends early by `wake`. */
  pause(milliseconds: number): Promise<void>
  wake(): void
}

export interface WorkLoopOptions {
  clock: Pick<Clock, 'setTimeout'>
  isOver: () => boolean
  /** False: nothing is left to do. */
  step: () => Promise<boolean>
  /** What a failed step means; true: the loop goes on. Throws an internal error. */
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
      // At least one step: whoever calls `run` knows that it is not over.
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
