/**
 * Every sensor reading of the rig, on one timer: the sensors process reads processor and graphics, a driver's worker reads
 * its device. All readings have one form, without implausible values.
 */
import type { NativeSensors } from '#shared/domain/driver'
import { isAmount, LARGEST_PLAUSIBLE_WATTS, meanWatts } from '#shared/domain/energy'
import { LARGEST_PLAUSIBLE_CELSIUS, type MachineReading } from '#shared/ipc/sensors'
import type { Clock } from '#process/clock'

/** The values of one device's sensors at one moment. A field is absent if it could not be read. */
export interface SensorReading extends NativeSensors {
  deviceId: string
  /** milliseconds of the clock of the reading process: comparable within one device only */
  at: number
  /** what gives watts or joules, in words */
  powerSource?: string
  /** why there are neither watts nor joules, in words, if that is known */
  powerMissing?: string
}

/** A driver's device as far as its sensors are concerned. */
export interface DriverDevice {
  readonly deviceId: string
  /** Reads the device; null: it has no sensors. Rejects if no worker runs. */
  askDriver(method: 'driver.sensors', params: null): Promise<NativeSensors | null>
}

export interface SensorReadings {
  /** Reads a driver's device now, so that work that begins has figures from its first moment. Never rejects. */
  read(deviceId: string): Promise<void>
  stop(): void
}

export interface SensorReadingsOptions {
  clock: Clock
  /** the sensors process; null: it does not run; never rejects */
  machine: { read(): Promise<MachineReading | null> }
  /** The devices of drivers. */
  driverDevices: () => readonly DriverDevice[]
  /** Called with each reading of a device; the reading has no figures if the sensors do not answer. */
  onReading: (reading: SensorReading) => void
}

const READ_MILLISECONDS = 1000
/** the key of the sensors process, beside the ids of devices */
const MACHINE = 'machine'

/** Reads at once and then every second. A source that has not answered yet is not asked again. */
export function createSensorReadings(options: SensorReadingsOptions): SensorReadings {
  const { clock } = options
  const underWay = new Map<string, Promise<void>>()
  /** the former reading of drivers' devices: for the mean power of devices that count joules and give no watts */
  const before = new Map<string, SensorReading>()
  let machineDevices: readonly string[] = []
  let stopped = false

  const emit = (reading: SensorReading): void => {
    if (!stopped) options.onReading(reading)
  }
  const readMachine = async (): Promise<void> => {
    const found = await options.machine.read()
    if (found === null) return
    const readings = fromMachine(found)
    const ids = readings.map(({ deviceId }) => deviceId)
    for (const deviceId of machineDevices) if (!ids.includes(deviceId)) emit({ deviceId, at: found.at })
    machineDevices = ids
    readings.forEach(emit)
  }
  const readDriverDevice = async (device: DriverDevice): Promise<void> => {
    const { deviceId } = device
    // If the worker stops there is no reading; its loop handles the stop.
    const found = await device.askDriver('driver.sensors', null).catch(() => null)
    const at = clock.monotonic()
    if (found === null) {
      before.delete(deviceId)
      return emit({ deviceId, at })
    }
    const reading = withMeanPower({ deviceId, at, ...plausible(found) }, before.get(deviceId))
    before.set(deviceId, reading)
    emit(reading)
  }
  /** Starts a reading, or joins the one that is under way. */
  const once = (key: string, read: () => Promise<void>): Promise<void> => {
    const reading = underWay.get(key) ?? read().finally(() => underWay.delete(key))
    underWay.set(key, reading)
    return reading
  }
  const tick = (): void => {
    timer = clock.setTimeout(tick, READ_MILLISECONDS)
    void once(MACHINE, readMachine)
    for (const device of options.driverDevices()) void once(device.deviceId, () => readDriverDevice(device))
  }
  let timer = clock.setTimeout(tick, 0)

  return {
    read: async (deviceId) => {
      const device = options.driverDevices().find((candidate) => candidate.deviceId === deviceId)
      if (device) await once(deviceId, () => readDriverDevice(device))
    },
    stop: () => {
      stopped = true
      timer.cancel()
    },
  }
}

function fromMachine(found: MachineReading): SensorReading[] {
  const { at, cpuLoad, cpuTemperatureCelsius, packageJoules, packageWatts, packageSource, packageMissing } = found
  return [
    {
      deviceId: 'cpu0',
      at,
      ...plausible({
        powerWatts: packageWatts,
        energyJoules: packageJoules,
        temperatureCelsius: cpuTemperatureCelsius,
        utilization: cpuLoad,
      }),
      ...(packageSource === undefined ? {} : { powerSource: packageSource }),
      ...(packageMissing === undefined ? {} : { powerMissing: packageMissing }),
    },
    ...found.gpus.map(({ id, powerSource, ...figures }) => ({
      deviceId: id,
      at,
      ...plausible(figures),
      ...(powerSource === undefined ? {} : { powerSource }),
    })),
  ]
}

type Figures = { [Name in keyof NativeSensors]: NativeSensors[Name] | undefined }

const IS_PLAUSIBLE: Readonly<Record<keyof NativeSensors, (value: number) => boolean>> = {
  // A sensor that does not answer reads 0 °C or 511 °C.
  temperatureCelsius: (value) => value > 0 && value <= LARGEST_PLAUSIBLE_CELSIUS,
  powerWatts: (value) => value <= LARGEST_PLAUSIBLE_WATTS,
  energyJoules: () => true,
  clockHertz: (value) => value <= 1e12,
  fanRevolutionsPerMinute: (value) => value <= 1e6,
  utilization: (value) => value <= 1,
}

/** Removes impossible values: 511 °C, negative power, joules that are NaN, a negative fan speed. */
export function plausible(found: Figures): NativeSensors {
  return Object.fromEntries(
    Object.entries(found).filter(
      ([name, value]) => isAmount(value) && IS_PLAUSIBLE[name as keyof NativeSensors](value),
    ),
  )
}

/** Adds the mean power since the former reading to a reading with joules and without watts. */
function withMeanPower(reading: SensorReading, before: SensorReading | undefined): SensorReading {
  if (reading.powerWatts !== undefined || before === undefined) return reading
  const powerWatts = meanWatts(counterOf(before), counterOf(reading))
  return powerWatts === undefined ? reading : { ...reading, powerWatts }
}

/** The reading as one look at the device's energy counter. */
export function counterOf({ at, energyJoules }: SensorReading): { at: number; joules: number | undefined } {
  return { at, joules: energyJoules }
}
