/** What a device says it does: its state, the words for it, and the lane of the chart that its time belongs to. */
import type { DeviceState } from '#shared/domain/states'
import type { DeviceRunner } from './device-types'

export interface DeviceDisplay {
  readonly state: DeviceState
  readonly activity: string
  readonly lane: DeviceRunner['lane']
  show(state: DeviceState, words: string, lane?: DeviceRunner['lane']): void
}

export function createDeviceDisplay(onChange: () => void): DeviceDisplay {
  let state: DeviceState = 'idle'
  let activity = ''
  let lane: DeviceRunner['lane'] = 'idle'
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
    /** Without a lane the time goes on belonging where it did. */
    show: (nextState, words, nextLane = lane) => {
      if (state === nextState && activity === words) return
      state = nextState
      activity = words
      lane = nextLane
      onChange()
    },
  }
}
