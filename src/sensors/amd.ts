/** AMD's own tools amd-smi and rocm-smi (older), for graphics processors about which the kernel's driver reports too little. */
import { z } from 'zod'
import type { SensorSystem } from './system'
import { plausibleCelsius, plausibleWatts } from './temperature'
import { within } from './read'

export interface AmdReading {
  /** in the format of the tool */
  busAddress: string
  /** the tool's name */
  source: string
  /** since the driver was loaded */
  counterJoules?: number | undefined
  powerWatts?: number | undefined
  temperatureCelsius?: number | undefined
  utilization?: number | undefined
}

const COMMAND_DEADLINE_MILLISECONDS = 3000

/** Readings from amd-smi, or from rocm-smi where amd-smi gives none. An empty list where neither exists or answers in time. */
export async function askAmd(system: SensorSystem): Promise<AmdReading[]> {
  const [list, metric] = await Promise.all([
    ask(system, 'amd-smi', ['list', '--json']),
    ask(system, 'amd-smi', ['metric', '--power', '--temperature', '--usage', '--energy', '--json']),
  ])
  const found = fromAmdSmi(list, metric)
  if (found.length > 0) return found
  const parameters = ['--showbus', '--showpower', '--showtemp', '--showuse', '--showenergycounter', '--json']
  return fromRocmSmi(await ask(system, 'rocm-smi', parameters))
}

/** A number, or a value with its unit as newer versions write it. Anything else, such as "N/A", is undefined. */
const figure = z
  .union([z.number(), z.object({ value: z.number() }).transform(({ value }) => value)])
  .optional()
  .catch(undefined)
const listedGpu = z.object({ gpu: z.number().int(), bdf: z.string() })
const measuredGpu = z.object({
  gpu: z.number().int(),
  power: z.object({ socket_power: figure }).optional().catch(undefined),
  temperature: z.object({ edge: figure, hotspot: figure }).optional().catch(undefined),
  usage: z.object({ gfx_activity: figure }).optional().catch(undefined),
  /** joules */
  energy: z.object({ total_energy_consumption: figure }).optional().catch(undefined),
})
/** A list; since version 25 the list is inside `gpu_data`. */
const listOf = <T extends z.ZodType>(entry: T) =>
  z.union([z.array(entry), z.object({ gpu_data: z.array(entry) }).transform(({ gpu_data: entries }) => entries)])

function fromAmdSmi(list: unknown, metric: unknown): AmdReading[] {
  const listed = listOf(listedGpu).safeParse(list).data ?? []
  const measured = listOf(measuredGpu).safeParse(metric).data ?? []
  return measured.flatMap(({ gpu, power, temperature, usage, energy }) => {
    const place = listed.find((entry) => entry.gpu === gpu)
    if (!place) return []
    return [
      readingOf({
        source: 'amd-smi',
        busAddress: place.bdf,
        watts: power?.socket_power,
        degrees: temperature?.edge ?? temperature?.hotspot,
        percent: usage?.gfx_activity,
        joules: energy?.total_energy_consumption,
      }),
    ]
  })
}

function fromRocmSmi(answer: unknown): AmdReading[] {
  const cards = z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).safeParse(answer).data ?? {}
  return Object.values(cards).flatMap((card) => {
    const bus = card['PCI Bus']
    if (typeof bus !== 'string') return []
    const value = (pattern: RegExp): number | undefined => {
      const text = Object.entries(card).find(([name]) => pattern.test(name))?.[1]
      return typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
    }
    const microjoules = value(/^Accumulated Energy \(uJ\)$/)
    return [
      readingOf({
        source: 'rocm-smi',
        busAddress: bus,
        watts: value(/^(Average|Current Socket) Graphics Package Power \(W\)$/),
        degrees: value(/^Temperature \(Sensor edge\) \(C\)$/) ?? value(/^Temperature \(Sensor junction\) \(C\)$/),
        percent: value(/^GPU use \(%\)$/),
        joules: microjoules === undefined ? undefined : microjoules / 1e6,
      }),
    ]
  })
}

function readingOf(reported: {
  source: string
  busAddress: string
  watts: number | undefined
  degrees: number | undefined
  percent: number | undefined
  joules: number | undefined
}): AmdReading {
  const { source, busAddress, watts, degrees, percent, joules } = reported
  return {
    source,
    busAddress,
    counterJoules: joules,
    powerWatts: plausibleWatts(watts, degrees),
    temperatureCelsius: degrees === undefined ? undefined : plausibleCelsius(degrees * 1000),
    utilization: percent === undefined || percent > 100 ? undefined : percent / 100,
  }
}

/** Runs a tool that answers in JSON. Undefined where the tool is missing or slow, or its answer is no JSON. */
async function ask(system: SensorSystem, command: string, parameters: string[]): Promise<unknown> {
  const asked = system.run(command, parameters, COMMAND_DEADLINE_MILLISECONDS)
  const text = await within(asked, COMMAND_DEADLINE_MILLISECONDS)
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
