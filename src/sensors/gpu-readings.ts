/** Power, heat and load of graphics processors: from sysfs every second, from makers' tools, which start a process, every five. */
import type { MachineReading } from '#shared/ipc/sensors'
import { askAmd } from './amd'
import { createGpuCounter, type GpuCounter } from './gpu-counter'
import type { FoundGpu } from './gpus'
import { inBackground } from './in-background'
import { readLinuxDrivers } from './linux-gpu-drivers'
import { askNvidia } from './nvidia'
import { fullPciAddress } from './pci-address'
import type { PowermetricsReading } from './powermetrics'
import type { SensorSystem } from './system'

export type GpuReading = MachineReading['gpus'][number]

const DRIVER_MILLISECONDS = 1000
const TOOL_MILLISECONDS = 5000

/** What one source reports of one GPU. */
interface ReportedGpu {
  pciAddress: string | undefined
  source: string
  powerWatts?: number | undefined
  /** since a start that the device chooses */
  counterJoules?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

type ReadingsByAddress = Map<string, Omit<GpuReading, 'id'>>

/** Never waits and never rejects: what is not known yet is absent. `apple`: what powermetrics reports of an Apple GPU. */
export function createGpuReadings(
  system: SensorSystem,
): (gpus: readonly FoundGpu[], apple: PowermetricsReading['gpu']) => GpuReading[] {
  let wanted: readonly FoundGpu[] = []
  const fromDrivers = inBackground(system, createReadings(system, askDrivers), DRIVER_MILLISECONDS)
  const fromTools = inBackground(
    system,
    createReadings(system, () => askTools(system, wanted)),
    TOOL_MILLISECONDS,
  )
  return (gpus, apple) => {
    wanted = gpus
    if (gpus.length === 0) return []
    const sources = [fromTools(), fromDrivers()]
    return gpus.map(({ inventory: { id, vendor }, pciAddress }) => {
      if (apple && /apple/i.test(vendor)) return { id, ...fromPowermetrics(apple) }
      const found = sources.map((readings) => readings?.get(pciAddress ?? '')).find((reading) => reading !== undefined)
      return { id, ...found }
    })
  }
}

/** Asks one source, and follows each GPU's counter from one reading to the next. */
function createReadings(
  system: SensorSystem,
  ask: (system: SensorSystem) => Promise<ReportedGpu[]>,
): () => Promise<ReadingsByAddress> {
  const counters = new Map<string, GpuCounter>()
  return async () => {
    const reported = await ask(system)
    const readings: ReadingsByAddress = new Map()
    for (const { pciAddress, source, powerWatts, counterJoules, temperatureCelsius, utilization } of reported) {
      if (pciAddress === undefined) continue
      const counter = counters.get(pciAddress) ?? createGpuCounter()
      counters.set(pciAddress, counter)
      const { energyJoules, meanWatts } = counter.take(system.monotonic(), counterJoules, powerWatts)
      const watts = powerWatts ?? meanWatts
      readings.set(pciAddress, {
        ...(watts === undefined ? {} : { powerWatts: watts }),
        ...(energyJoules === undefined ? {} : { energyJoules }),
        ...(watts === undefined && energyJoules === undefined
          ? {}
          : { powerSource: energyJoules === undefined ? source : `${source}, energy counter` }),
        ...(temperatureCelsius === undefined ? {} : { temperatureCelsius }),
        ...(utilization === undefined ? {} : { utilization }),
      })
    }
    return readings
  }
}

async function askDrivers(system: SensorSystem): Promise<ReportedGpu[]> {
  return (await readLinuxDrivers(system)).map(({ name, memoryBytes: _fixed, ...reported }) => ({
    ...reported,
    source: `graphics driver ${name ?? 'of Linux'}`,
  }))
}

/**
 * Asks NVIDIA's tool, and AMD's tool where the kernel's driver gives no watts. AMD's tool is asked about an Instinct always:
 * no file of a stable form holds that card's counter, and a server does not feel the tool's process.
 */
async function askTools(system: SensorSystem, gpus: readonly FoundGpu[]): Promise<ReportedGpu[]> {
  const isNvidia = gpus.some(({ inventory }) => /nvidia/i.test(inventory.vendor))
  const drivers = await readLinuxDrivers(system)
  const needsAmdTool = ({ inventory, pciAddress }: FoundGpu): boolean =>
    /amd|advanced micro|\bati\b/i.test(inventory.vendor) &&
    (/instinct/i.test(inventory.name) ||
      drivers.every((entry) => entry.pciAddress !== pciAddress || entry.powerWatts === undefined))
  const [nvidia, amd] = await Promise.all([
    isNvidia ? askNvidia(system) : [],
    gpus.some(needsAmdTool) ? askAmd(system) : [],
  ])
  return [
    ...nvidia.map((reported) => ({ ...reported, source: 'nvidia-smi' })),
    ...amd.map(({ busAddress, ...reported }) => ({ ...reported, pciAddress: fullPciAddress(busAddress) })),
  ]
}

function fromPowermetrics({ watts, joules, utilization }: NonNullable<PowermetricsReading['gpu']>) {
  return {
    powerWatts: watts,
    energyJoules: joules,
    powerSource: 'powermetrics, GPU and Neural Engine',
    ...(utilization === undefined ? {} : { utilization }),
  }
}
