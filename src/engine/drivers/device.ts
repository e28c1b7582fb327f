/** An added driver and its devices, as the screens see them. */
import { totalmem } from 'node:os'
import type { DeviceKind } from '#shared/contract/devices'
import type { DriverRow } from '#shared/contract/drivers'
import type { NativeDevice } from '#shared/domain/driver'
import type { DriverDevice } from '#shared/ipc/worker'
import { MAX_DEVICE_NAME_CHARACTERS } from '#shared/protocol/bounds'
import { message, type Message } from '#shared/domain/messages'
import type { DeviceDescriptor, DeviceSettings } from '../devices'
import type { PlacedDriver } from './store'

export interface KnownDriver extends PlacedDriver {
  state: DriverRow['state']
  /** why it does not work; absent: it is ready */
  reason?: Message
  /** UTC ms of its last trial: older work says nothing about the driver any more */
  triedAt: number
  /** the devices that the driver described last */
  devices: NativeDevice[]
}

/** By lode_device_kind (native/include/lode_driver.h). */
const KINDS: Readonly<Record<number, DeviceKind>> = {
  1: 'cpu',
  2: 'gpu',
  3: 'npu',
  4: 'asic',
  5: 'fpga',
  6: 'other',
}

/** `kind`: a number of lode_device_kind; one that this version does not know is `other`. */
function kindOf(kind: number): DeviceKind {
  return KINDS[kind] ?? 'other'
}

/** The id of a driver's device: safe in file names, options and addresses, whatever name the driver gives. */
export function deviceIdOf(driver: string, device: string): string {
  const safe = device.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${driver}-${safe}`.slice(0, MAX_DEVICE_NAME_CHARACTERS)
}

export function rowOf({ manifest, state, reason, devices }: KnownDriver): DriverRow {
  const { name, vendor, version, licence, sha256, platforms } = manifest
  return {
    name,
    vendor,
    version,
    licence,
    sha256,
    platforms,
    state,
    ...(reason === undefined ? {} : { reason }),
    devices: devices.map((device) => ({
      id: deviceIdOf(name, device.id),
      name: device.name,
      kind: kindOf(device.kind),
    })),
  }
}

/** The share of the computer's memory for the weights of a device that has no memory of its own. */
const COMPUTER_MEMORY_SHARE = 0.5

/** The device for its worker. Its weights may take at most the memory of the device, or half of the computer's. */
export function driverDeviceOf(library: string, { id, memoryBytes }: NativeDevice): DriverDevice {
  const memoryLimitBytes = memoryBytes > 0 ? memoryBytes : Math.floor(totalmem() * COMPUTER_MEMORY_SHARE)
  return { library, id, memoryLimitBytes }
}

export function describeDriverDevice(found: {
  driver: DriverRow
  device: NativeDevice
  settings: DeviceSettings | undefined
  computerMemoryBytes: number
}): DeviceDescriptor {
  const { driver, device, settings } = found
  const canMine = driver.state === 'ready'
  const maximum = device.maximumThreads
  return {
    id: deviceIdOf(driver.name, device.id),
    kind: kindOf(device.kind),
    name: device.name,
    vendor: driver.vendor,
    backends: ['native'],
    memoryBytes: device.memoryBytes > 0 ? device.memoryBytes : found.computerMemoryBytes,
    canMine,
    ...(canMine ? {} : { reason: driver.reason ?? message('driver-being-tried') }),
    ...(driver.state === 'quarantined' ? { quarantined: true } : {}),
    enabled: settings?.enabled ?? true,
    instructionSets: device.units === '' ? [] : [device.units],
    driver: `${driver.name} ${driver.version}${device.firmware === '' ? '' : `, firmware ${device.firmware}`}`,
    threads:
      maximum === 0 ? null : { inUse: Math.min(maximum, Math.max(1, settings?.threads ?? 1)), maximum, default: 1 },
  }
}
