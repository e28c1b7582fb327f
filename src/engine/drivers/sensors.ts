/** Readings of drivers' own sensors, once a second for the devices that work. */
import type { NativeSensors } from '#shared/domain/driver'
import type { Clock } from '#process/supervisor'
import type { DeviceRegistry } from '../device-registry'

type DeviceRunner = ReturnType<DeviceRegistry['runner']>

const READ_MILLISECONDS = 1000

export interface DriverSensors {
  /** null: no sensors, or the device does not work now */
  latest(deviceId: string): NativeSensors | null
  stop(): void
}

/** `runners`: those of devices that belong to drivers. */
export function createDriverSensors(clock: Clock, runners: () => readonly DeviceRunner[]): DriverSensors {
  const readings = new Map<string, NativeSensors>()
  let stopped = false
  let timer: { cancel(): void } | null = null
  const read = async (runner: DeviceRunner): Promise<void> => {
    try {
      const found = await runner.askDriver('driver.sensors', null)
      if (found === null) readings.delete(runner.deviceId)
      else readings.set(runner.deviceId, found)
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
    latest: (deviceId) => readings.get(deviceId) ?? null,
    stop: () => {
      stopped = true
      timer?.cancel()
    },
  }
}
