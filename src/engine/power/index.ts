/** All watts and joules: where they come from, how certain they are, what is live. */
export { createDevicePowers } from './device-power'
export { createDriverSensors, type DriverSensors } from './driver-sensors'
export type { DevicePower } from './energy-account'
export { createLive, type Live } from './live'
export { cleanProcessorName } from './processors'
export { createTemperatureGuard, defaultTemperatureLimit } from './temperature-guard'
export { energyBetween, energyMarkPast } from './work-energy'
