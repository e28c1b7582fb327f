/** The sensors themselves: an inventory of the machine and one reading of everything that moves. */
import type { SensorInventory, MachineReading } from '#shared/ipc/sensors'
import { readBattery, type BatteryState } from './battery'
import { readCpu } from './cpu'
import { createGpuReadings } from './gpu-readings'
import { findGpus, type FoundGpu } from './gpus'
import { inBackground } from './in-background'
import { createPowermetrics } from './powermetrics'
import { createRaplCounter, RAPL_SOURCE } from './rapl'
import type { SensorSystem } from './system'
import { readCpuTemperature } from './temperature'

export interface Sensors {
  /** Reads the inventory anew, and retries sources that were not permitted before. */
  inventory(): Promise<SensorInventory>
  read(): Promise<MachineReading>
  /** Ends what goes on by itself. */
  stop(): void
}

const BATTERY_INTERVAL_MILLISECONDS = 30_000

/** Methods never reject: values that cannot be read are absent. */
export function createSensors(system: SensorSystem): Sensors {
  const rapl = createRaplCounter(system.sysRoot)
  const isLinux = system.platform === 'linux'
  const powermetrics = system.platform === 'darwin' ? createPowermetrics(system) : undefined
  let gpus: FoundGpu[] = []
  let lastTimes = system.cpuTimes()
  let lastLoad = 0
  const battery = inBackground<BatteryState | undefined>(
    system,
    () => readBattery(system),
    BATTERY_INTERVAL_MILLISECONDS,
  )
  const readGpus = createGpuReadings(system)

  /** The share of busy time since the last reading, over all cores. */
  const cpuLoad = (): number => {
    const times = system.cpuTimes()
    const total = times.totalMilliseconds - lastTimes.totalMilliseconds
    const busy = times.busyMilliseconds - lastTimes.busyMilliseconds
    // Two readings within one tick of the kernel's clock have no time between them.
    if (total > 0) lastLoad = Math.min(1, Math.max(0, busy / total))
    if (total > 0) lastTimes = times
    return lastLoad
  }

  const readPackages = async (): Promise<Partial<MachineReading>> => {
    if (isLinux) {
      const packageJoules = await rapl.readJoules()
      if (packageJoules !== undefined) return { packageJoules, packageSource: RAPL_SOURCE }
    }
    const found = powermetrics?.latest()
    if (found) return { packageJoules: found.cpuJoules, packageWatts: found.cpuWatts, packageSource: found.source }
    const packageMissing = isLinux ? rapl.missing() : powermetrics?.missing()
    return packageMissing === undefined ? {} : { packageMissing }
  }

  return {
    inventory: async () => {
      powermetrics?.retry()
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
      const [packages, cpuTemperatureCelsius] = await Promise.all([
        readPackages(),
        isLinux ? readCpuTemperature(system.sysRoot) : undefined,
      ])
      const batteryState = isLinux ? await readBattery(system) : battery()
      return {
        at: system.monotonic(),
        cpuLoad: cpuLoad(),
        ...packages,
        ...(cpuTemperatureCelsius === undefined ? {} : { cpuTemperatureCelsius }),
        ...(batteryState?.present ? { onBattery: batteryState.onBattery } : {}),
        gpus: readGpus(gpus, powermetrics?.latest()?.gpu),
      }
    },
    stop: () => powermetrics?.stop(),
  }
}
