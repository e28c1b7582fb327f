/** What a coordinator does by time alone, without a caller. */

export interface CoordinatorClock {
  /** UTC milliseconds */
  now(): number
  setTimeout(callback: () => void, milliseconds: number): { cancel(): void }
}

export interface Ticker {
  /** Begins to tick, at once. `onError` hears of the first of several failures in a row; the next tick tries again. */
  start(onError: (error: unknown) => void): void
  /** No tick begins after this call; settles when the one that runs has ended. Its failure is nobody's concern any more. */
  stop(): Promise<void>
}

interface Run {
  timer: { cancel(): void } | undefined
  /** the present tick or the last one */
  current: Promise<void>
}

/** The next tick begins `milliseconds` after the one before ended: a slow store is not asked twice at once. */
export function createTicker(
  clock: Pick<CoordinatorClock, 'setTimeout'>,
  milliseconds: number,
  tick: () => Promise<void>,
): Ticker {
  let running: Run | undefined

  return {
    start: (onError) => {
      if (running) return
      const own: Run = { timer: undefined, current: Promise.resolve() }
      running = own
      let hasFailed = false
      const run = async (): Promise<void> => {
        try {
          await tick()
          hasFailed = false
        } catch (error) {
          if (!hasFailed && running === own) onError(error)
          hasFailed = true
        }
        if (running === own) own.timer = clock.setTimeout(begin, milliseconds)
      }
      const begin = (): void => {
        own.current = run()
      }
      begin()
    },
    stop: async () => {
      const own = running
      running = undefined
      own?.timer?.cancel()
      await own?.current
    },
  }
}
