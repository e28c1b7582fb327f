/** What is shown of a device: its state, the words for it, and the lane of the chart that its time belongs to. */
import type { DeviceState } from '#shared/domain/states'
import type { DeviceRunner } from './device-types'

/** Milliseconds by lane. */
export type LaneTimes = Partial<Record<DeviceRunner['lane'], number>>

export interface DeviceDisplay {
  readonly state: DeviceState
  readonly activity: string
  readonly lane: DeviceRunner['lane']
  /** Sets state and words. Without `lane` the time goes on counting for the present lane. */
  show(state: DeviceState, words: string, lane?: DeviceRunner['lane']): void
  /** Milliseconds in each lane since the last call. */
  takeLaneTimes(): LaneTimes
}

export function createDeviceDisplay(clock: { monotonic(): number }, onChange: () => void): DeviceDisplay {
  let state: DeviceState = 'idle'
  let activity = ''
  let lane: DeviceRunner['lane'] = 'idle'
  let times: LaneTimes = {}
  let countedTo = clock.monotonic()
  const countTime = (): void => {
    const now = clock.monotonic()
    times[lane] = (times[lane] ?? 0) + now - countedTo
    countedTo = now
  }
  return {
    get state() {
      return state
    },
    get activity() {
      return activity
    },
    get lane() {
      return lane
    },
    show: (nextState, words, nextLane = lane) => {
      if (state === nextState && activity === words) return
      countTime()
      state = nextState
      activity = words
      lane = nextLane
      onChange()
    },
    takeLaneTimes: () => {
      countTime()
      const taken = times
      times = {}
      return taken
    },
  }
}
