/** Step after step until there is nothing to do: what ends the loop, what it survives, and its pauses. */
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

export interface WorkLoopParts {
  clock: Pick<Clock, 'setTimeout'>
  isOver: () => boolean
  /** False: nothing is left to do. */
  step: () => Promise<boolean>
  /** What a failed step means; true: go on. Throws what is a fault of ours. */
  survive: (error: unknown) => Promise<boolean>
  /** `fault`: what it did not survive */
  onEnd: (fault?: Error) => void
}

export function createWorkLoop(parts: WorkLoopParts): WorkLoop {
  let loop: Promise<void> | null = null
  let endPause: (() => void) | null = null

  const goOn = async (): Promise<boolean> => {
    try {
      return await parts.step()
    } catch (error) {
      return parts.survive(error)
    }
  }

  const runAll = async (): Promise<void> => {
    let fault: Error | undefined
    try {
      // At least one step: whoever calls `run` knows that it is not over.
      while ((await goOn()) && !parts.isOver());
    } catch (error) {
      fault = error instanceof Error ? error : new Error(String(error))
    }
    loop = null
    parts.onEnd(fault)
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
        const running = parts.clock.setTimeout(() => resolve(running), milliseconds)
        endPause = () => resolve(running)
      })
      timer.cancel()
      endPause = null
    },
    wake: () => endPause?.(),
  }
}
