/** The tiers of ITP-1, the integer transformer proof (protocol.md §2). Pure numbers; nothing here computes a proof. */
import { z } from 'zod'

export const tierNames = ['itp1-test', 'itp1-small', 'itp1-base'] as const
export const tierName = z.enum(tierNames)
export type TierName = z.infer<typeof tierName>

export interface Tier {
  readonly name: TierName
  /** d, a multiple of `head` */
  readonly width: number
  /** f = 4 d, at most 4096 so that a sum of f products of seven-bit operands stays within 2^24 */
  readonly hidden: number
  /** L */
  readonly layers: number
  /** T, rows of one nonce's input */
  readonly tokens: number
  /** columns of one attention head */
  readonly head: number
  /** nominal multiply-accumulates of one nonce */
  readonly macs: bigint
  /** bytes of one epoch's weights, one byte an operand */
  readonly weightBytes: number
}

/** MACs of one nonce: L·(T·(4d² + 2df) + 2T²d); both attention products count the full T × T square. Source: protocol.md §2. */
function defineTier(name: TierName, width: number, layers: number, tokens: number): Tier {
  const hidden = 4 * width
  const weightsPerLayer = 4 * width * width + 2 * width * hidden
  return {
    name,
    width,
    hidden,
    layers,
    tokens,
    head: 64,
    macs: BigInt(layers * (tokens * weightsPerLayer + 2 * tokens * tokens * width)),
    weightBytes: layers * weightsPerLayer,
  }
}

export const TIERS: Readonly<Record<TierName, Tier>> = {
  'itp1-test': defineTier('itp1-test', 256, 2, 16),
  'itp1-small': defineTier('itp1-small', 256, 12, 32),
  'itp1-base': defineTier('itp1-base', 1024, 16, 64),
}
