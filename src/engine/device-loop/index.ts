/** The loops of devices: what a device does next, and what follows a failed step. */
export type { DeviceRunner } from './device-types'
export { createRigDevices, type RigDevices } from './rig-devices'
