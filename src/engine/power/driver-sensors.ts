/** Readings of drivers' own sensors, once a second for the devices that work. What cannot be is not believed. */
import type { NativeSensors } from '#shared/domain/driver'
import { LARGEST_PLAUSIBLE_WATTS, meanWatts } from '#shared/domain/energy'
import type { Clock } from '#process/supervisor'
import type { DeviceRegistry } from '../devices'

type DeviceRunner = ReturnType<DeviceRegistry['runner']>

const READ_MILLISECONDS = 1000
const LARGEST_PLAUSIBLE_CELSIUS = 120

export interface DriverSensors {
  /** null: no sensors, or the device does not work now */
  latest(deviceId: string): NativeSensors | null
  /** Reads now, so that work which begins has figures from its first moment. Never rejects. */
  read(deviceId: string): Promise<void>
  stop(): void
}

/** `runners`: those of devices that belong to drivers. */
export function createDriverSensors(clock: Clock, runners: () => readonly DeviceRunner[]): DriverSensors {
  const readings = new Map<string, { at: number; found: NativeSensors }>()
  let stopped = false
  let timer: { cancel(): void } | null = null
  const read = async (runner: DeviceRunner): Promise<void> => {
    try {
      const found = await runner.askDriver('driver.sensors', null)
      if (found === null) readings.delete(runner.deviceId)
      else {
        const before = readings.get(runner.deviceId)
        const at = clock.monotonic()
        readings.set(runner.deviceId, { at, found: withPower(plausible(found), at, before) })
      }
    } catch {
      // a worker that stops is the runner's business; a reading of it is simply not there
      readings.delete(runner.deviceId)
    }
  }
  const schedule = (): void => {
    if (stopped) return
    timer = clock.setTimeout(() => {
      void Promise.all(runners().map(read)).finally(schedule)
    }, READ_MILLISECONDS)
  }
  schedule()
  return {
    latest: (deviceId) => readings.get(deviceId)?.found ?? null,
    read: async (deviceId) => {
      await Promise.all(runners().flatMap((runner) => (runner.deviceId === deviceId ? [read(runner)] : [])))
    },
    stop: () => {
      stopped = true
      timer?.cancel()
    },
  }
}

/** Without what no device has: 511 °C, less than no power, a fan that turns backwards. */
export function plausible(found: NativeSensors): NativeSensors {
  const within = (value: number | undefined, least: number, most: number): boolean =>
    value === undefined || (value >= least && value <= most)
  const isPlausible: Record<keyof NativeSensors, boolean> = {
    temperatureCelsius:
      within(found.temperatureCelsius, 0, LARGEST_PLAUSIBLE_CELSIUS) && found.temperatureCelsius !== 0,
    powerWatts: within(found.powerWatts, 0, LARGEST_PLAUSIBLE_WATTS),
    energyJoules: within(found.energyJoules, 0, Number.MAX_VALUE),
    clockHertz: within(found.clockHertz, 0, 1e12),
    fanRevolutionsPerMinute: within(found.fanRevolutionsPerMinute, 0, 1e6),
    utilization: within(found.utilization, 0, 1),
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => isPlausible[name as keyof NativeSensors]))
}

/** A device that counts joules and gives no watts: the mean since the reading before. */
function withPower(
  found: NativeSensors,
  at: number,
  before: { at: number; found: NativeSensors } | undefined,
): NativeSensors {
  if (found.powerWatts !== undefined || before === undefined) return found
  const powerWatts = meanWatts({ at: before.at, joules: before.found.energyJoules }, { at, joules: found.energyJoules })
  return powerWatts === undefined ? found : { ...found, powerWatts }
}
