/** All watts and joules: where they come from, how certain they are, what is live. */
export type { DevicePowers } from './device-power'
export type { DevicePower } from './energy-account'
export { createLive, type Live } from './live'
export { cleanProcessorName } from './processors'
export { createRigPower } from './rig-power'
export type { SensorReadings } from './sensor-readings'
export { createTemperatureGuard, defaultTemperatureLimit } from './temperature-guard'
export { energyBetween, energyMarkPast } from './work-energy'
