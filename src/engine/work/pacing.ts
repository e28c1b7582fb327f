/**
 * The duty cycle: after each slice the device rests for as long as its share of the time asks. What a sleep was too long
 * or too short is made up by the next, so that a share of 30 % costs 30 % over any few seconds.
 */
import type { Pace } from '#shared/contract/throttle'

/** One slice and its rest together: short, so that fans and the screen do not feel the beat. */
const PERIOD_MILLISECONDS = 250
/**
 * A slice without rests. Threads wait for the slowest at its end, so that longer ones lose less; a change of the pace
 * takes effect within a second all the same, and a useful job ends a slice.
 */
const RESTLESS_SLICE_MILLISECONDS = 500
const SHORTEST_SLICE_MILLISECONDS = 40
/** A rest looks this often whether the pace has changed. */
const LOOK_MILLISECONDS = 250
/** No timer is finer: what is left below this goes onto the next rest. */
const SHORTEST_SLEEP_MILLISECONDS = 1

export interface Pacing {
  /** How long the next slice may take. */
  sliceMilliseconds(): number
  /** Rests for what was worked; ends early when `isOver`. At a duty cycle of 0 a moment, after which to ask again. */
  rest(workedMilliseconds: number, isOver: () => boolean): Promise<void>
}

export function createPacing(parts: {
  clock: { monotonic(): number }
  pace: () => Pace
  sleep: (milliseconds: number) => Promise<void>
}): Pacing {
  const { clock, pace, sleep } = parts
  /** rested too long: taken off the next rest; negative: too short */
  let creditMilliseconds = 0
  return {
    sliceMilliseconds: () => {
      const { dutyCycle } = pace()
      if (dutyCycle >= 1) return RESTLESS_SLICE_MILLISECONDS
      return Math.round(Math.max(SHORTEST_SLICE_MILLISECONDS, PERIOD_MILLISECONDS * dutyCycle))
    },
    rest: async (workedMilliseconds, isOver) => {
      const beganAt = clock.monotonic()
      for (;;) {
        const { dutyCycle } = pace()
        if (dutyCycle >= 1) {
          creditMilliseconds = 0
          return
        }
        if (dutyCycle <= 0) {
          if (!isOver()) await sleep(LOOK_MILLISECONDS)
          return
        }
        const wanted = (workedMilliseconds * (1 - dutyCycle)) / dutyCycle
        const left = wanted - creditMilliseconds - (clock.monotonic() - beganAt)
        if (left < SHORTEST_SLEEP_MILLISECONDS) {
          creditMilliseconds = Math.min(-left, PERIOD_MILLISECONDS)
          return
        }
        if (isOver()) return
        await sleep(Math.min(Math.ceil(left), LOOK_MILLISECONDS))
      }
    },
  }
}
