/** What is shown of a device: its state, the words for it, and the lane of the chart that its time belongs to. */
import type { DeviceState } from '#shared/domain/states'
import type { Message } from '#shared/domain/messages'
import type { DeviceRunner } from './device-types'

/** Milliseconds by lane. */
export type LaneTimes = Partial<Record<DeviceRunner['lane'], number>>

export interface DeviceDisplay {
  readonly state: DeviceState
  /** null: it does nothing */
  readonly activity: Message | null
  readonly lane: DeviceRunner['lane']
  /** Sets state and activity. Without `lane` the time goes on counting for the present lane. */
  show(state: DeviceState, activity: Message | null, lane?: DeviceRunner['lane']): void
  /** Milliseconds in each lane since the last call. */
  takeLaneTimes(): LaneTimes
}

export function createDeviceDisplay(clock: { monotonic(): number }, onChange: () => void): DeviceDisplay {
  let state: DeviceState = 'idle'
  let activity: Message | null = null
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
    show: (nextState, nextActivity, nextLane = lane) => {
      if (state === nextState && isSame(activity, nextActivity)) return
      countTime()
      state = nextState
      activity = nextActivity
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

function isSame(one: Message | null, other: Message | null): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}
