/** The rig's power: one stream of sensor readings, and what each device draws by it. */
import type { SensorInventory } from '#shared/ipc/sensors'
import { createDevicePowers, type DevicePowers, type PoweredDevice } from './device-power'
import {
  createSensorReadings,
  type DriverDevice,
  type SensorReadings,
  type SensorReadingsParts,
} from './sensor-readings'

export interface RigPowerParts extends Pick<SensorReadingsParts, 'clock' | 'machine'> {
  inventory: SensorInventory
  /** The devices that have run. */
  devices: () => readonly (PoweredDevice & DriverDevice)[]
  /** Whether a driver brought the device: then its worker reads its sensors, else the sensors process does. */
  isDriverDevice: (deviceId: string) => boolean
}

/** Reads from now on, until `readings.stop()`. */
export function createRigPower(parts: RigPowerParts): { powers: DevicePowers; readings: SensorReadings } {
  const { inventory, devices, isDriverDevice } = parts
  const powers = createDevicePowers({
    inventory,
    device: (id) => devices().find(({ deviceId }) => deviceId === id),
    isDriverDevice,
  })
  const readings = createSensorReadings({
    ...parts,
    driverDevices: () => devices().filter(({ deviceId }) => isDriverDevice(deviceId)),
    onReading: powers.onReading,
  })
  return { powers, readings }
}
