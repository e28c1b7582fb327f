/**
 * The duty cycle: after each slice the device rests for as long as its share of the time asks. What a sleep was too long
 * or too short is made up by the next, so that a share of 30 % costs 30 % over any few seconds.
 */
import type { Pace } from '#shared/contract/throttle'
import type { Slice } from '../proof'

/** One slice and its rest together: short, so that fans and the screen do not feel the beat. */
const PERIOD_MILLISECONDS = 250
/**
 * A slice without rests: a change of the pace takes effect within a second, and a useful job ends a slice.
 */
const RESTLESS_SLICE_MILLISECONDS = 700
const SHORTEST_SLICE_MILLISECONDS = 40
/** A rest looks this often whether the pace has changed. */
const LOOK_MILLISECONDS = 250
/** No timer is finer: what is left below this goes onto the next rest. */
const SHORTEST_SLEEP_MILLISECONDS = 1

export interface DutyCycle {
  slice(): Slice
  /** Rests for what was worked; ends early when `isOver`. At a duty cycle of 0 a moment, after which to ask again. */
  rest(workedMilliseconds: number, isOver: () => boolean): Promise<void>
}

export function createDutyCycle(options: {
  clock: { monotonic(): number }
  pace: () => Pace
  sleep: (milliseconds: number) => Promise<void>
}): DutyCycle {
  const { clock, pace, sleep } = options
  /** rested too long: taken off the next rest; negative: too short */
  let creditMilliseconds = 0
  /** the slice began when there were no rests: it owes none, whatever the pace has become */
  let restless = false
  return {
    slice: () => {
      const { dutyCycle } = pace()
      restless = dutyCycle >= 1
      const milliseconds = Math.max(SHORTEST_SLICE_MILLISECONDS, PERIOD_MILLISECONDS * dutyCycle)
      return { milliseconds: restless ? RESTLESS_SLICE_MILLISECONDS : Math.round(milliseconds), goesOn: restless }
    },
    rest: async (workedMilliseconds, isOver) => {
      const beganAt = clock.monotonic()
      for (;;) {
        const { dutyCycle } = pace()
        if (dutyCycle >= 1) {
          creditMilliseconds = 0
          return
        }
        if (restless && dutyCycle > 0) {
          restless = false
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
