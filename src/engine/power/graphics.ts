/** The power of graphics cards without a power sensor, estimated from the maker's published power (resources/graphics.json). */
import { z } from 'zod'
// oxlint-disable-next-line no-restricted-imports -- a resource bundled as text, not another feature's inside
import tableText from '../../../resources/graphics.json?raw'
import type { PowerFigure } from './power-meter'

export const graphicsTableSchema = z.object({
  about: z.string(),
  groups: z
    .array(
      z.object({
        vendor: z.enum(['NVIDIA', 'AMD', 'Intel']),
        /** the maker's name for the figure */
        measure: z.string(),
        source: z.string(),
        /** the maker's page */
        url: z.url(),
        cards: z
          .array(
            z.object({
              /** a regular expression for the whole cleaned name, without the maker */
              pattern: z.string().min(1),
              watts: z.number().positive(),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
})
export type GraphicsTable = z.infer<typeof graphicsTableSchema>

/** The table that comes with Lode. */
export function readGraphicsTable(): GraphicsTable {
  return graphicsTableSchema.parse(JSON.parse(tableText))
}

/**
 * A card's name as people say it: "AD104 [GeForce RTX 4070]" and "NVIDIA GeForce RTX 4070" are "GeForce RTX 4070",
 * "Intel(R) Arc(TM) A770 Graphics" is "Arc A770". The name of a chip that several cards have stays as it is: "Navi 31 [Radeon RX 7900
 * XT/7900 XTX]" is none of them.
 */
export function cleanGraphicsName(name: string): string {
  return (/\[([^\]]+)\]\s*$/.exec(name)?.[1] ?? name)
    .replace(/\((R|TM)\)|[®™]/gi, ' ')
    .replace(/\bLite Hash Rate\b/i, ' ')
    .replace(/^\s*(NVIDIA|AMD|Intel)\b/i, ' ')
    .replace(/\b(Arc\s+[AB]\d{3})\s+Graphics\b/i, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}

/**
 * `load`: the share of the time in which the card computes, 0 to 1. At rest there is no estimate: makers publish only the
 * highest power of a card.
 */
export function estimateGraphics(
  table: GraphicsTable,
  gpu: { vendor: string; name: string },
  load: number | undefined,
): PowerFigure {
  const name = cleanGraphicsName(gpu.name)
  for (const { vendor, measure, source, cards } of table.groups) {
    if (!isOf(vendor, gpu.vendor, gpu.name)) continue
    const card = cards.find(({ pattern }) => new RegExp(`^(${pattern})$`, 'i').test(name))
    if (!card) continue
    const basis = `${source}: ${name}, ${measure} ${card.watts} W`
    if (load === undefined || load <= 0) return { source: `no power sensor; while it works by ${basis} × load` }
    return { watts: card.watts * Math.min(1, load), certainty: 'estimated', source: `${basis} × load` }
  }
  return { source: `no power sensor, and ${name} is not in the table of graphics cards` }
}

function isOf(vendor: string, ...names: string[]): boolean {
  const pattern = vendor === 'AMD' ? /amd|advanced micro|\bati\b|radeon/i : vendor === 'Intel' ? /intel/i : /nvidia/i
  return names.some((name) => pattern.test(name))
}
