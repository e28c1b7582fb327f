/** Readings of graphics processors: from sysfs every second, and every five seconds from makers' tools, which start a process. */
import type { SensorReading } from '#shared/ipc/sensors'
import { askAmd } from './amd'
import { createGpuCounter, type GpuCounter } from './gpu-counter'
import type { FoundGpu } from './gpus'
import { inBackground } from './in-background'
import { readLinuxDrivers } from './linux-gpu-drivers'
import { askNvidia } from './nvidia'
import { fullPciAddress } from './pci-address'
import type { PowermetricsReading } from './powermetrics'
import type { SensorSystem } from './system'

export type GpuReading = SensorReading['gpus'][number]

const DRIVER_MILLISECONDS = 1000
const TOOL_MILLISECONDS = 5000

/** A reading of one GPU by one source. */
interface SourceReading {
  pciAddress: string | undefined
  source: string
  powerWatts?: number | undefined
  /** the raw counter of the device */
  counterJoules?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

type Answer = Map<string, Omit<GpuReading, 'id'>>

/** Never waits and never rejects: unknown values are absent. `apple`: the reading of an Apple GPU by powermetrics. */
export function createGpuReadings(
  system: SensorSystem,
): (gpus: readonly FoundGpu[], apple: PowermetricsReading['gpu']) => GpuReading[] {
  let wanted: readonly FoundGpu[] = []
  const fromDrivers = inBackground(system, createAnswers(system, askDrivers), DRIVER_MILLISECONDS)
  const fromTools = inBackground(
    system,
    createAnswers(system, () => askTools(system, wanted)),
    TOOL_MILLISECONDS,
  )
  return (gpus, apple) => {
    wanted = gpus
    if (gpus.length === 0) return []
    const answers = [fromTools(), fromDrivers()]
    return gpus.map(({ inventory: { id, vendor }, pciAddress }) => {
      if (apple && /apple/i.test(vendor)) return { id, ...fromPowermetrics(apple) }
      const found = answers.map((answer) => answer?.get(pciAddress ?? '')).find((answer) => answer !== undefined)
      return { id, ...found }
    })
  }
}

/** Asks a source, and follows the energy counter of each GPU from answer to answer. */
function createAnswers(
  system: SensorSystem,
  ask: (system: SensorSystem) => Promise<SourceReading[]>,
): () => Promise<Answer> {
  const counters = new Map<string, GpuCounter>()
  return async () => {
    const reported = await ask(system)
    const answer: Answer = new Map()
    for (const { pciAddress, source, powerWatts, counterJoules, temperatureCelsius, utilization } of reported) {
      if (pciAddress === undefined) continue
      const counter = counters.get(pciAddress) ?? createGpuCounter()
      counters.set(pciAddress, counter)
      const { energyJoules, meanWatts } = counter.take(system.monotonic(), counterJoules, powerWatts)
      const watts = powerWatts ?? meanWatts
      answer.set(pciAddress, {
        ...(watts === undefined ? {} : { powerWatts: watts }),
        ...(energyJoules === undefined ? {} : { energyJoules }),
        ...(watts === undefined && energyJoules === undefined
          ? {}
          : { powerSource: energyJoules === undefined ? source : `${source}, energy counter` }),
        ...(temperatureCelsius === undefined ? {} : { temperatureCelsius }),
        ...(utilization === undefined ? {} : { utilization }),
      })
    }
    return answer
  }
}

async function askDrivers(system: SensorSystem): Promise<SourceReading[]> {
  return (await readLinuxDrivers(system)).map(({ name, memoryBytes: _fixed, ...reported }) => ({
    ...reported,
    source: `graphics driver ${name ?? 'of Linux'}`,
  }))
}

/**
 * Asks NVIDIA's tool, and AMD's tool where the driver gives no watts. An Instinct always needs the tool, because no file gives
 * its energy counter in a stable format; and on a server the tool's process costs nothing that matters.
 */
async function askTools(system: SensorSystem, gpus: readonly FoundGpu[]): Promise<SourceReading[]> {
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
