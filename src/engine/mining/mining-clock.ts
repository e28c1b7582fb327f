/** The time that the rig has mined. It is made before mining itself, for the parts whose figures depend on it. */
import type { Clock } from '#process/clock'

export interface MiningClock {
  readonly isRunning: boolean
  /** milliseconds of mining since the engine started, by a monotonic clock */
  milliseconds(): number
  begin(): void
  end(): void
}

export function createMiningClock(clock: Pick<Clock, 'monotonic'>): MiningClock {
  let before = 0
  let begunAt: number | null = null
  return {
    get isRunning() {
      return begunAt !== null
    },
    milliseconds: () => before + (begunAt === null ? 0 : clock.monotonic() - begunAt),
    begin: () => {
      begunAt ??= clock.monotonic()
    },
    end: () => {
      if (begunAt !== null) before += clock.monotonic() - begunAt
      begunAt = null
    },
  }
}
