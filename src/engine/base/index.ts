/** What every part of the engine stands on: log, events, lifetimes, settings, days. */
export { createClosers } from './closers'
export { describeFault } from './describe-fault'
export { createEngineEvents, type EngineEvents } from './events'
export { localDate, localDays, localMidnight, periodStart } from './local-days'
export type { Log } from './log'
export { packageFolder } from './package-folder'
export { electricityPrice, openSettings, pinNetworkKey, pinnedNetworkKeys, type SettingsStore } from './settings'
