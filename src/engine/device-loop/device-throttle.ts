/** How much a device may do now: the throttle's threads and duty cycle, and the limit of its temperature. */
import type { Pace } from '#shared/contract/throttle'
import type { Clock } from '#process/clock'
import { createTemperatureGuard } from '../power'
import { threadsAt } from '../mining'
import type { Slice } from '../proof'
import { createDutyCycle } from './duty-cycle'

/** How often a device that is too hot is looked at again. */
const HEAT_LOOK_MILLISECONDS = 1000

export interface DeviceThrottle {
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

export interface DeviceThrottleOptions {
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

export function createDeviceThrottle(options: DeviceThrottleOptions): DeviceThrottle {
  const guard = createTemperatureGuard()
  const dutyCycle = createDutyCycle(options)
  let resting: DeviceThrottle['resting'] = null
  return {
    get resting() {
      return resting
    },
    mayProve: () => {
      const isOff = options.pace().dutyCycle <= 0
      resting = isOff ? 'throttle' : null
      if (isOff) options.show('Rests: proving is switched off for now')
      return !isOff
    },
    slice: dutyCycle.slice,
    threads: () => threadsAt(options.allThreads(), options.pace().threadsShare),
    rest: (workedMilliseconds) =>
      dutyCycle.rest(workedMilliseconds, () => {
        options.onLook()
        return options.isRestOver()
      }),
    coolDown: async () => {
      const { celsius, limitCelsius } = options.heat()
      const words = guard.look(celsius, limitCelsius)
      if (words === null) {
        if (resting === 'heat') resting = null
        return false
      }
      if (resting !== 'heat') options.onHot(words)
      resting = 'heat'
      options.show(words)
      await options.sleep(HEAT_LOOK_MILLISECONDS)
      return true
    },
    watchHeat: (onHot) => {
      let timer: { cancel(): void }
      const look = (): void => {
        const { celsius, limitCelsius } = options.heat()
        const words = guard.look(celsius, limitCelsius)
        if (words === null) timer = options.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
        else onHot(words)
      }
      timer = options.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
      return { cancel: () => timer.cancel() }
    },
    reset: () => {
      resting = null
    },
  }
}
