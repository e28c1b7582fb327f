/** What each device draws and how warm it is: its sensor's word, else an estimate that says from what, else nothing with the reason. */
import type { SensorInventory, SensorReading } from '#shared/ipc/sensors'
import { createPowerMeter, type PowerMeter, type PowerReading } from './power-meter'
import { estimateGraphics, readGraphicsTable } from './graphics'
import { readProcessorTable } from './processors'
import type { DriverSensors } from './driver-sensors'
import type { DevicePower } from './energy-account'
import type { DeviceState } from '#shared/domain/states'

/** A device's loop, as far as power follows from it. */
export interface PoweredDevice {
  readonly deviceId: string
  readonly state: DeviceState
  /** its process runs now */
  readonly hasWorker: boolean
}

export interface DevicePowers {
  /** From now on the device's loop says whether it works. */
  attach(device: PoweredDevice): void
  detach(deviceId: string): void
  /** now */
  of(id: string): DevicePower
  /** when it works as hard as it can: measured where that is measured now */
  atFullLoad(id: string): DevicePower
  onReading(reading: SensorReading): void
  /** the machine was looked at again */
  refresh(): void
}

export interface DevicePowersParts {
  inventory: () => SensorInventory
  isDriverDevice: (id: string) => boolean
  driverSensors: Pick<DriverSensors, 'latest'>
}

export function createDevicePowers(parts: DevicePowersParts): DevicePowers {
  const processors = readProcessorTable()
  const graphics = readGraphicsTable()
  let meter: PowerMeter = createPowerMeter({ inventory: parts.inventory(), processors })
  let lastReading: SensorReading | null = null
  const attached = new Map<string, PoweredDevice>()

  const isWorking = (id: string): boolean => {
    const state = attached.get(id)?.state
    return state === 'proving' || state === 'working' || state === 'benchmarking'
  }

  const ofProcessor = (): DevicePower => {
    const reading = meter.latest
    return {
      ...powerOf(reading),
      ...(reading.certainty === 'measured' ? { counterJoules: lastReading?.packageJoules } : {}),
      temperatureCelsius: lastReading?.cpuTemperatureCelsius ?? null,
    }
  }

  const ofDriverDevice = (id: string): DevicePower => {
    // Read over its worker: what a former one said is no reading.
    const isRunning = attached.get(id)?.hasWorker === true
    const sensors = isRunning ? parts.driverSensors.latest(id) : null
    const watts = sensors?.powerWatts ?? null
    return {
      watts,
      certainty: watts === null ? null : 'measured',
      source: watts !== null ? "the driver's sensor" : isRunning ? 'no power sensor' : 'its driver says while it works',
      counterJoules: sensors?.energyJoules,
      temperatureCelsius: sensors?.temperatureCelsius ?? null,
    }
  }

  /** `load`: 0 to 1, of what the card can do; absent: what its driver says, else whether it works. */
  const ofGraphics = (id: string, load?: number): DevicePower => {
    const reading = lastReading?.gpus.find((candidate) => candidate.id === id)
    const common = {
      counterJoules: reading?.energyJoules,
      temperatureCelsius: reading?.temperatureCelsius ?? null,
    }
    if (reading?.powerWatts !== undefined) {
      const { powerWatts, powerSource = "the graphics driver's sensor" } = reading
      return { ...common, watts: powerWatts, certainty: 'measured', source: powerSource }
    }
    const card = parts.inventory().gpus.find((candidate) => candidate.id === id)
    if (!card) return { ...common, watts: null, certainty: null, source: 'no power sensor' }
    const known = load ?? reading?.utilization ?? (isWorking(id) ? 1 : undefined)
    return { ...common, ...powerOf(estimateGraphics(graphics, card, known)) }
  }

  const of = (id: string): DevicePower =>
    id === 'cpu0' ? ofProcessor() : parts.isDriverDevice(id) ? ofDriverDevice(id) : ofGraphics(id)

  return {
    attach: (device) => void attached.set(device.deviceId, device),
    detach: (deviceId) => void attached.delete(deviceId),
    of,
    atFullLoad: (id) => {
      const now = of(id)
      if (now.certainty === 'measured' || parts.isDriverDevice(id)) return now
      return id === 'cpu0' ? { ...now, ...powerOf(meter.estimateAt(1)) } : ofGraphics(id, 1)
    },
    onReading: (reading) => {
      lastReading = reading
      meter.update(reading)
    },
    refresh: () => {
      meter = createPowerMeter({ inventory: parts.inventory(), processors })
    },
  }
}

function powerOf({ watts, certainty, source }: PowerReading): Pick<DevicePower, 'watts' | 'certainty' | 'source'> {
  return { watts: watts ?? null, certainty: certainty ?? null, source }
}
