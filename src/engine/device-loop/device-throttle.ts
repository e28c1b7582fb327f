/** The limits of one device now: the threads and the duty cycle of the throttle's level, and the temperature limit. */
import type { Pace } from '#shared/contract/throttle'
import type { Clock } from '#process/clock'
import { message, type Message } from '#shared/domain/messages'
import { createTemperatureGuard } from '../power'
import { threadsAt } from '../mining'
import type { Slice } from '../proof'
import { createDutyCycle } from './duty-cycle'

/** Time between two looks at the temperature of a hot or working device. */
const HEAT_LOOK_MILLISECONDS = 1000

export interface DeviceThrottle {
  /** why the device rests although it could work; null: it does not rest */
  readonly resting: 'heat' | 'throttle' | null
  /** Whether the device may prove. False at a duty cycle of 0, which is then shown. */
  mayProve(): boolean
  /** The length of the next slice. */
  slice(): Slice
  /** Number of the device's threads that may work now. */
  threads(): number
  /** Rests after `workedMilliseconds` of work; waits a moment at a duty cycle of 0. */
  rest(workedMilliseconds: number): Promise<void>
  /** Waits a moment if the device is too hot, and then returns true. */
  coolDown(): Promise<boolean>
  /** Watches the temperature while a job runs: calls `onHot` once, with the reason why the device must rest. Ends with `cancel`. */
  watchHeat(onHot: (reason: Message) => void): { cancel(): void }
  /** The device was stopped: clears `resting`. */
  reset(): void
}

export interface DeviceThrottleOptions {
  clock: Pick<Clock, 'monotonic' | 'setTimeout'>
  pace: () => Pace
  /** °C now, null where not known, and the limit at which it pauses */
  heat: () => { celsius: number | null; limitCelsius: number }
  /** number of all threads of the device; the throttle allows a share of them */
  allThreads: () => number
  sleep: (milliseconds: number) => Promise<void>
  /** whether a rest ends early: somebody waits for a job, or the work is over */
  isRestOver: () => boolean
  show: (activity: Message) => void
  /** called during a rest: the pace may have changed */
  onLook: () => void
  onHot: (reason: Message) => void
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
      if (isOff) options.show(message('activity-proving-off'))
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
      const hot = guard.look(celsius, limitCelsius)
      if (hot === null) {
        if (resting === 'heat') resting = null
        return false
      }
      if (resting !== 'heat') options.onHot(hot)
      resting = 'heat'
      options.show(hot)
      await options.sleep(HEAT_LOOK_MILLISECONDS)
      return true
    },
    watchHeat: (onHot) => {
      let timer: { cancel(): void }
      const look = (): void => {
        const { celsius, limitCelsius } = options.heat()
        const hot = guard.look(celsius, limitCelsius)
        if (hot === null) timer = options.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
        else onHot(hot)
      }
      timer = options.clock.setTimeout(look, HEAT_LOOK_MILLISECONDS)
      return { cancel: () => timer.cancel() }
    },
    reset: () => {
      resting = null
    },
  }
}
