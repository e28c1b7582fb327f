/** One device at work: what it does next, and what happens when a step fails. */
export type { DeviceDisplay } from './device-display'
export type { DeviceRunner, DeviceRunnerParts, MiningOptions } from './device-types'
export { createRunnerFactory } from './runner-factory'
