/** The table of processors' published power (resources/processors.json), and finding a machine's processor in it. */
import { z } from 'zod'
// oxlint-disable-next-line no-restricted-imports -- a resource bundled as text, not another feature's inside
import tableText from '../../../resources/processors.json?raw'

const processorRow = z.object({
  /** a regular expression for the whole cleaned name, without the maker */
  pattern: z.string().min(1),
  cores: z.number().int().positive(),
  watts: z.number().positive(),
})
const processorGroup = z.object({
  vendor: z.enum(['Intel', 'AMD', 'Apple']),
  class: z.enum(['server', 'desktop', 'laptop', 'whole-computer']),
  /** the maker's name for the figure */
  measure: z.string(),
  source: z.string(),
  /** the maker's page */
  url: z.url(),
  note: z.string().optional(),
  processors: z.array(processorRow).min(1),
})
export const processorTableSchema = z.object({
  about: z.string(),
  loadCurve: z.object({
    source: z.string(),
    /** share of the published power at a load, both 0 to 1 (slightly more at full load); linear in between */
    points: z.array(z.object({ load: z.number().min(0).max(1), share: z.number().positive() })).min(2),
  }),
  groups: z.array(processorGroup).min(1),
})
export type ProcessorTable = z.infer<typeof processorTableSchema>
export type ProcessorClass = ProcessorTable['groups'][number]['class']

export interface KnownProcessor {
  name: string
  cores: number
  watts: number
  group: Omit<ProcessorTable['groups'][number], 'processors'>
}

/** The table that comes with Lode. */
export function readProcessorTable(): ProcessorTable {
  return processorTableSchema.parse(JSON.parse(tableText))
}

/**
 * A processor's name as people say it: "Intel(R) Core(TM) i7-9700K CPU @ 3.60GHz" is "Intel Core i7-9700K", "AMD Ryzen 7
 * 7700 8-Core Processor" is "AMD Ryzen 7 7700". A name without a model keeps its words.
 */
export function cleanProcessorName(name: string): string {
  const cleaned = name
    .replace(/\((R|TM|C)\)|[®™©]/gi, ' ')
    .replace(/\b\d+th Gen\b/i, ' ')
    .replace(/@.*$/, ' ')
    .replace(/\s(with|w\/) Radeon.*$/i, ' ')
    .replace(/\b(\d+|Six|Eight|Twelve|Sixteen)-Core( Processor)?\b/i, ' ')
    .replace(/\bCPU\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  // After a model the word "Processor" is dropped; in "Intel Xeon Processor" it belongs to the name.
  const short = cleaned.replace(/ Processor$/i, '')
  return /\d/.test(short) ? short : cleaned
}

/** The row of a processor by its name, or undefined. */
export function findProcessor(table: ProcessorTable, name: string): KnownProcessor | undefined {
  const cleaned = cleanProcessorName(name)
  for (const { processors, ...group } of table.groups) {
    for (const { pattern, cores, watts } of processors) {
      if (new RegExp(`^(${group.vendor} )?(${pattern})$`, 'i').test(cleaned))
        return { name: cleaned, cores, watts, group }
    }
  }
  return undefined
}

/** Mean over the table's own rows of one class: watts of a whole processor and of one core, and of how many rows. */
export function classMean(
  table: ProcessorTable,
  wanted: ProcessorClass,
): { watts: number; wattsPerCore: number; count: number } | undefined {
  const rows = table.groups.filter((group) => group.class === wanted).flatMap(({ processors }) => processors)
  if (rows.length === 0) return undefined
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    watts: mean(rows.map(({ watts }) => watts)),
    wattsPerCore: mean(rows.map(({ watts, cores }) => watts / cores)),
    count: rows.length,
  }
}

/** The share of the published power at a load (0 to 1), linear between the curve's points. */
export function shareAtLoad(table: ProcessorTable, load: number): number {
  const points = [...table.loadCurve.points].sort((left, right) => left.load - right.load)
  const clamped = Math.min(1, Math.max(0, load))
  let below = points[0]
  for (const point of points) {
    if (below && point.load >= clamped) {
      const width = point.load - below.load
      return width === 0 ? point.share : below.share + ((point.share - below.share) * (clamped - below.load)) / width
    }
    below = point
  }
  return below?.share ?? 1
}
