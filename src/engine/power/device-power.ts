/** Power and temperature of each device: the value of a sensor, otherwise an estimate with its basis, otherwise none with the reason. */
import type { DeviceState } from '#shared/domain/states'
import type { SensorInventory } from '#shared/ipc/sensors'
import type { DevicePower } from './energy-account'
import { estimateGraphics, readGraphicsTable } from './graphics'
import { createPowerMeter, type PowerFigure, type PowerMeter } from './power-meter'
import { readProcessorTable } from './processors'
import type { SensorReading } from './sensor-readings'

/** A device as far as its power is concerned. */
export interface PoweredDevice {
  readonly deviceId: string
  readonly state: DeviceState
  /** whether its worker process runs now */
  readonly hasWorker: boolean
}

export interface DevicePowers {
  /** Attaches the loop of a device, which says from now on whether the device works. */
  attach(device: PoweredDevice): void
  detach(deviceId: string): void
  /** Power and temperature now. */
  of(id: string): DevicePower
  /** Power at full load: the measured power if the device works at full load now, otherwise an estimate. */
  atFullLoad(id: string): DevicePower
  /** The clock that the device's sensors gave last, in hertz; null: none. */
  clockHertz(id: string): number | null
  onReading(reading: SensorReading): void
  /** Takes a new inventory of the machine. */
  refresh(inventory: SensorInventory): void
}

export interface DevicePowersOptions {
  inventory: SensorInventory
  isDriverDevice: (id: string) => boolean
}

export function createDevicePowers(options: DevicePowersOptions): DevicePowers {
  const processors = readProcessorTable()
  const graphics = readGraphicsTable()
  let { inventory } = options
  let meter: PowerMeter = createPowerMeter({ inventory, processors })
  const attached = new Map<string, PoweredDevice>()
  const latest = new Map<string, SensorReading>()

  const isWorking = (id: string): boolean => {
    const state = attached.get(id)?.state
    return state === 'proving' || state === 'working' || state === 'benchmarking'
  }

  const ofProcessor = (): DevicePower => {
    const figure = meter.latest
    const reading = latest.get('cpu0')
    return {
      ...powerOf(figure),
      ...(figure.certainty === 'measured' ? { counterJoules: reading?.energyJoules } : {}),
      temperatureCelsius: reading?.temperatureCelsius ?? null,
    }
  }

  const ofDriverDevice = (id: string): DevicePower => {
    // The worker of the device reads the sensors: readings of a former worker are out of date.
    const isRunning = attached.get(id)?.hasWorker === true
    const reading = isRunning ? latest.get(id) : undefined
    const watts = reading?.powerWatts ?? null
    return {
      watts,
      certainty: watts === null ? null : 'measured',
      source: watts !== null ? "the driver's sensor" : isRunning ? 'no power sensor' : 'its driver says while it works',
      counterJoules: reading?.energyJoules,
      temperatureCelsius: reading?.temperatureCelsius ?? null,
    }
  }

  /** `load`: 0 to 1, of what the card can do; absent: the load that its driver reports, else whether it works. */
  const ofGraphics = (id: string, load?: number): DevicePower => {
    const reading = latest.get(id)
    const common = {
      counterJoules: reading?.energyJoules,
      temperatureCelsius: reading?.temperatureCelsius ?? null,
    }
    if (reading?.powerWatts !== undefined) {
      const { powerWatts, powerSource = "the graphics driver's sensor" } = reading
      return { ...common, watts: powerWatts, certainty: 'measured', source: powerSource }
    }
    const card = inventory.gpus.find((candidate) => candidate.id === id)
    if (!card) return { ...common, watts: null, certainty: null, source: 'no power sensor' }
    const known = load ?? reading?.utilization ?? (isWorking(id) ? 1 : undefined)
    return { ...common, ...powerOf(estimateGraphics(graphics, card, known)) }
  }

  const of = (id: string): DevicePower =>
    id === 'cpu0' ? ofProcessor() : options.isDriverDevice(id) ? ofDriverDevice(id) : ofGraphics(id)

  return {
    attach: (device) => void attached.set(device.deviceId, device),
    detach: (deviceId) => void attached.delete(deviceId),
    of,
    atFullLoad: (id) => {
      const now = of(id)
      if (now.certainty === 'measured' || options.isDriverDevice(id)) return now
      return id === 'cpu0' ? { ...now, ...powerOf(meter.estimateAt(1)) } : ofGraphics(id, 1)
    },
    clockHertz: (id) => latest.get(id)?.clockHertz ?? null,
    onReading: (reading) => {
      latest.set(reading.deviceId, reading)
      if (reading.deviceId === 'cpu0') meter.update(reading)
    },
    refresh: (found) => {
      inventory = found
      meter = createPowerMeter({ inventory, processors })
    },
  }
}

function powerOf({ watts, certainty, source }: PowerFigure): Pick<DevicePower, 'watts' | 'certainty' | 'source'> {
  return { watts: watts ?? null, certainty: certainty ?? null, source }
}
