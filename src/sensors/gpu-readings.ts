/** What moves about graphics processors: sysfs every second, makers' tools, which start a process, every five. */
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

/** One source's word on one GPU. */
interface Told {
  pciAddress: string | undefined
  source: string
  powerWatts?: number | undefined
  /** as the device counts */
  counterJoules?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

type Answer = Map<string, Omit<GpuReading, 'id'>>

/** Never waits and never rejects: what is not known yet is absent. `apple`: what powermetrics says of an Apple GPU. */
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

/** Asks, and follows each GPU's counter from answer to answer. */
function createAnswers(system: SensorSystem, ask: (system: SensorSystem) => Promise<Told[]>): () => Promise<Answer> {
  const counters = new Map<string, GpuCounter>()
  return async () => {
    const told = await ask(system)
    const answer: Answer = new Map()
    for (const { pciAddress, source, powerWatts, counterJoules, temperatureCelsius, utilization } of told) {
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

async function askDrivers(system: SensorSystem): Promise<Told[]> {
  return (await readLinuxDrivers(system)).map(({ name, memoryBytes: _fixed, ...told }) => ({
    ...told,
    source: `graphics driver ${name ?? 'of Linux'}`,
  }))
}

/**
 * NVIDIA's tool, and AMD's where the driver gives no watts. An Instinct's is asked all the same: its counter is in no file
 * that has a stable form, and the process that the tool is weighs nothing on a server.
 */
async function askTools(system: SensorSystem, gpus: readonly FoundGpu[]): Promise<Told[]> {
  const isNvidia = gpus.some(({ inventory }) => /nvidia/i.test(inventory.vendor))
  const drivers = await readLinuxDrivers(system)
  const isUntold = ({ inventory, pciAddress }: FoundGpu): boolean =>
    /amd|advanced micro|\bati\b/i.test(inventory.vendor) &&
    (/instinct/i.test(inventory.name) ||
      drivers.every((entry) => entry.pciAddress !== pciAddress || entry.powerWatts === undefined))
  const [nvidia, amd] = await Promise.all([
    isNvidia ? askNvidia(system) : [],
    gpus.some(isUntold) ? askAmd(system) : [],
  ])
  return [
    ...nvidia.map((told) => ({ ...told, source: 'nvidia-smi' })),
    ...amd.map(({ busAddress, ...told }) => ({ ...told, pciAddress: fullPciAddress(busAddress) })),
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
