/** Devices at work: what each does next, and what happens when a step fails. */
export type { DeviceRunner } from './device-types'
export { createRigDevices, type RigDevices } from './rig-devices'
