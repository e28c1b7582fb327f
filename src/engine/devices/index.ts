/** Devices: what the machine has, what it draws, and the process that looks. */
export type { DeviceDescriptor, DeviceSettings } from './describe'
export { createGpuProbe } from './gpu-probe'
export { knownInventory, rememberInventory } from './known-inventory'
export { createNativeProbe } from './native-probe'
export { createQuarantine, type Quarantine } from './quarantine'
export { createDeviceRegistry, type DeviceRegistry } from './registry'
