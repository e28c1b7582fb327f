/** What holds a device back: the throttle's threads and duty cycle, and heat. */
import type { Pace } from '#shared/contract/throttle'
import type { Clock } from '#process/clock'
import { createTemperatureGuard } from '../power'
import { threadsAt } from '../mining'
import { createPacing, type Slice } from '../proof'

/** How often a device that is too hot is looked at again. */
const HEAT_LOOK_MILLISECONDS = 1000

export interface Restraint {
  /** Why it rests although it could work; null: it does not. */
  readonly resting: 'heat' | 'throttle' | null
  /** False where the duty cycle is 0 now; says so. */
  mayProve(): boolean
  slice(): Slice
  /** Of the device's threads those that may work now. */
  threads(): number
  /** Rests for what was worked; a moment where proving is switched off. */
  rest(workedMilliseconds: number): Promise<void>
  /** True: it is too hot, and has waited a moment. */
  coolDown(): Promise<boolean>
  /** While a job runs: `onHot` is told why the device must rest, and then no more. Ends with `cancel`. */
  watchHeat(onHot: (words: string) => void): { cancel(): void }
  /** Stopped: nothing is said about heat any more. */
  reset(): void
}

export interface RestraintParts {
  clock: Pick<Clock, 'monotonic' | 'setTimeout'>
  pace: () => Pace
  /** °C now, null where not known, and the limit at which it pauses */
  heat: () => { celsius: number | null; limitCelsius: number }
  /** the device's, of which the throttle takes a share */
  allThreads: () => number
  sleep: (milliseconds: number) => Promise<void>
  /** somebody waits, or the work is over: a rest ends */
  isRestOver: () => boolean
  show: (words: string) => void
  /** called during a rest: the pace may have changed */
  onLook: () => void
  onHot: (words: string) => void
}

export function createRestraint(parts: RestraintParts): Restraint {
  const guard = createTemperatureGuard()
  const pacing = createPacing(parts)
  let resting: Restraint['resting'] = null
  return {
    get resting() {
      return resting
    },
    mayProve: () => {
      const isOff = parts.pace().dutyCycle <= 0
      resting = isOff ? 'throttle' : null
      if (isOff) parts.show('Rests: proving is switched off for now')
      return !isOff
    },
    slice: pacing.slice,
    threads: () => threadsAt(parts.allThreads(), parts.pace().threadsShare),
    rest: (workedMilliseconds) =>
      pacing.rest(workedMilliseconds, () => {
        parts.onLook()
        return parts.isRestOver()
      }),
    coolDown: async () => {
      const { celsius, limitCelsius } = parts.heat()
      const words = guard.look(celsius, limitCelsius)
      if (words === null) {
        if (resting === 'heat') resting = null
        return false
      }
      if (resting !== 'heat') parts.onHot(words)
      resting = 'heat'
      parts.show(words)
      await parts.sleep(HEAT_LOOK_MILLISECONDS)
      return true
    },
    watchHeat: (onHot) => {
      let timer: { cancel(): void }
      const look = (): void => {
        const { celsius, limitCelsius } = parts.heat()
        const words = guard.look(celsius, limitCelsius)
        if (words === null) timer = parts.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
        else onHot(words)
      }
      timer = parts.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
      return { cancel: () => timer.cancel() }
    },
    reset: () => {
      resting = null
    },
  }
}
