/** Readings of drivers' own sensors, once a second for the devices that work. What cannot be is not believed. */
import type { NativeSensors } from '#shared/domain/driver'
import type { Clock } from '#process/clock'
import type { DriverChannel } from '../workers'

const READ_MILLISECONDS = 1000
const LARGEST_PLAUSIBLE_CELSIUS = 120
const LARGEST_PLAUSIBLE_WATTS = 100_000
/** An average of power over less than this says little. */
const SHORTEST_AVERAGE_MILLISECONDS = 200
const LONGEST_AVERAGE_MILLISECONDS = 10_000

export interface DriverSensors {
  /** null: no sensors, or the device does not work now */
  latest(deviceId: string): NativeSensors | null
  /** Reads now, so that work which begins has figures from its first moment. Never rejects. */
  read(deviceId: string): Promise<void>
  stop(): void
}

/** Asks over `channel`, as long as `clock` goes. */
export function createDriverSensors(clock: Clock, channel: Pick<DriverChannel, 'ask' | 'deviceIds'>): DriverSensors {
  const readings = new Map<string, { at: number; found: NativeSensors }>()
  let stopped = false
  let timer: { cancel(): void } | null = null
  const read = async (deviceId: string): Promise<void> => {
    try {
      const found = await channel.ask(deviceId, 'driver.sensors', null)
      if (found === null) readings.delete(deviceId)
      else {
        const before = readings.get(deviceId)
        const at = clock.monotonic()
        readings.set(deviceId, { at, found: withPower(plausible(found), at, before) })
      }
    } catch {
      // a worker that stops is the runner's business; a reading of it is simply not there
      readings.delete(deviceId)
    }
  }
  const schedule = (): void => {
    if (stopped) return
    timer = clock.setTimeout(() => {
      void Promise.all(channel.deviceIds().map(read)).finally(schedule)
    }, READ_MILLISECONDS)
  }
  schedule()
  return {
    latest: (deviceId) => readings.get(deviceId)?.found ?? null,
    read: async (deviceId) => {
      if (channel.deviceIds().includes(deviceId)) await read(deviceId)
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
  const counted = (found.energyJoules ?? Number.NaN) - (before?.found.energyJoules ?? Number.NaN)
  const milliseconds = at - (before?.at ?? at)
  const isMean = milliseconds >= SHORTEST_AVERAGE_MILLISECONDS && milliseconds <= LONGEST_AVERAGE_MILLISECONDS
  if (found.powerWatts !== undefined || !isMean || !(counted >= 0)) return found
  const powerWatts = (counted * 1000) / milliseconds
  return powerWatts > LARGEST_PLAUSIBLE_WATTS ? found : { ...found, powerWatts }
}
