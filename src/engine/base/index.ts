/** What every part of the engine uses: log, events, lifetimes, settings, days. */
export { createClosers } from './closers'
export { describeFault } from './describe-fault'
export { createEngineEvents, type EngineEvents } from './events'
export { localDate, localDays, localMidnight, periodStart } from './local-days'
export type { Log } from './log'
export { createOpeningNotices } from './opening-notices'
export { packageFolder } from './package-folder'
export type { RigContext } from './rig-context'
export { settledWithin } from './settled-within'
export { createCoalescingSignal, createSignal, type Signal } from './signal'
export {
  electricityPrice,
  createTariff,
  openSettings,
  pinNetworkKey,
  pinnedNetworkKeys,
  type SettingsStore,
} from './settings'
