/** The sensors themselves: an inventory of the machine and one reading of everything that moves. */
import type { SensorInventory, SensorReading } from '#shared/domain/worker-protocol'
import { readBattery, type BatteryState } from './battery'
import { readCpu } from './cpu'
import { findGpus, readGpus, type FoundGpu, type GpuReading } from './gpus'
import { createRaplCounter } from './rapl'
import type { SensorSystem } from './system'
import { readCpuTemperature } from './temperature'

export interface Sensors {
  inventory(): Promise<SensorInventory>
  read(): Promise<SensorReading>
}

/** What starts a command is asked in the background, at most this often, and shown until the next answer. */
const GPU_INTERVAL_MILLISECONDS = 5000
const BATTERY_INTERVAL_MILLISECONDS = 30_000

/** Never rejects: what cannot be read is absent. */
export function createSensors(system: SensorSystem): Sensors {
  const rapl = createRaplCounter(system.sysRoot)
  const isLinux = system.platform === 'linux'
  let gpus: FoundGpu[] = []
  let lastTimes = system.cpuTimes()
  let lastLoad = 0
  const battery = inBackground<BatteryState | undefined>(
    system,
    () => readBattery(system),
    BATTERY_INTERVAL_MILLISECONDS,
  )
  const gpuReadings = inBackground<GpuReading[]>(system, () => readGpus(system, gpus), GPU_INTERVAL_MILLISECONDS)

  /** Busy time over all time since the last reading, all cores. */
  const cpuLoad = (): number => {
    const times = system.cpuTimes()
    const total = times.totalMilliseconds - lastTimes.totalMilliseconds
    const busy = times.busyMilliseconds - lastTimes.busyMilliseconds
    // two readings within one tick of the kernel's clock: nothing to divide by
    if (total > 0) lastLoad = Math.min(1, Math.max(0, busy / total))
    if (total > 0) lastTimes = times
    return lastLoad
  }

  return {
    inventory: async () => {
      const [cpu, found, raplReadable, batteryState] = await Promise.all([
        readCpu(system),
        findGpus(system),
        isLinux ? rapl.readable() : false,
        readBattery(system),
      ])
      gpus = found
      return {
        cpu,
        memoryBytes: system.memoryBytes(),
        gpus: found.map(({ inventory }) => inventory),
        raplReadable,
        battery: batteryState?.present ?? false,
      }
    },
    read: async () => {
      const [packageJoules, cpuTemperatureCelsius] = isLinux
        ? await Promise.all([rapl.readJoules(), readCpuTemperature(system.sysRoot)])
        : []
      const batteryState = isLinux ? await readBattery(system) : battery()
      return {
        at: system.monotonic(),
        cpuLoad: cpuLoad(),
        ...(packageJoules === undefined ? {} : { packageJoules }),
        ...(cpuTemperatureCelsius === undefined ? {} : { cpuTemperatureCelsius }),
        ...(batteryState?.present ? { onBattery: batteryState.onBattery } : {}),
        gpus: gpus.length > 0 ? (gpuReadings() ?? gpus.map(({ inventory }) => ({ id: inventory.id }))) : [],
      }
    },
  }
}

/** The latest answer of a slow question; asks again when it is old, without waiting. */
function inBackground<T>(
  system: SensorSystem,
  ask: () => Promise<T>,
  intervalMilliseconds: number,
): () => T | undefined {
  let latest: T | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking = false
  return () => {
    if (!asking && system.monotonic() - askedAt >= intervalMilliseconds) {
      asking = true
      askedAt = system.monotonic()
      void ask()
        .then((value) => {
          latest = value
        })
        .finally(() => {
          asking = false
        })
    }
    return latest
  }
}
