/**
 * The duty cycle: after each slice the device rests as long as its share of the time demands. The next rest makes up for
 * one that was too long or too short, so that a device at 30 % works 30 % of any few seconds.
 */
import type { Pace } from '#shared/contract/throttle'
import type { Slice } from '../proof'

/** One slice and its rest together: so short that the fans stay even and the screen stays smooth. */
const PERIOD_MILLISECONDS = 250
/** A slice without a rest after it: so short that a change of the pace takes effect within a second. */
const RESTLESS_SLICE_MILLISECONDS = 700
const SHORTEST_SLICE_MILLISECONDS = 40
/** During a rest, the time between two looks at the pace. */
const LOOK_MILLISECONDS = 250
/** The resolution of a timer: a shorter remainder is added to the next rest. */
const SHORTEST_SLEEP_MILLISECONDS = 1

export interface DutyCycle {
  /** The length of the next slice. */
  slice(): Slice
  /** Rests after `workedMilliseconds` of work; ends early when `isOver`. At a duty cycle of 0 it waits a moment; the caller asks again then. */
  rest(workedMilliseconds: number, isOver: () => boolean): Promise<void>
}

export function createDutyCycle(options: {
  clock: { monotonic(): number }
  pace: () => Pace
  sleep: (milliseconds: number) => Promise<void>
}): DutyCycle {
  const { clock, pace, sleep } = options
  /** how much too long the last rest was; the next one is shorter by that. Negative: too short. */
  let creditMilliseconds = 0
  /** the slice began at a duty cycle of 1: no rest follows it, even if the pace has changed */
  let restless = false
  return {
    slice: () => {
      const { dutyCycle } = pace()
      restless = dutyCycle >= 1
      const milliseconds = Math.max(SHORTEST_SLICE_MILLISECONDS, PERIOD_MILLISECONDS * dutyCycle)
      return {
        milliseconds: restless ? RESTLESS_SLICE_MILLISECONDS : Math.round(milliseconds),
        keepPipelineFull: restless,
      }
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
