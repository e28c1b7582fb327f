/** What a decoder's metadata says of its sizes: parsed, bounded, and refused where Lode's graph would not compute it. */
import { z } from 'zod'
import { refuse, type GgufFile } from './gguf-file'

/** Families whose graph is written: how they differ. */
const FAMILIES = {
  /** Llama, SmolLM, Mistral: GGUF stores query and key for rotary pairs that lie side by side */
  llama: { pairedRotary: true },
  qwen2: { pairedRotary: false },
  qwen3: { pairedRotary: false },
} as const
export type Family = keyof typeof FAMILIES

export interface DecoderShape {
  family: Family
  pairedRotary: boolean
  layers: number
  width: number
  hidden: number
  heads: number
  keyValueHeads: number
  headSize: number
  context: number
  epsilon: number
  rotaryBase: number
  /** positions are divided by this (linear scaling), 1 for none */
  rotaryScale: number
}

const count = (most: number): z.ZodNumber => z.number().int().min(1).max(most)

/** Throws a Failure `model-refused` that names the family or the size at fault. */
export function readDecoderShape(file: GgufFile, name: string): DecoderShape {
  const { metadata } = file
  const architecture = String(metadata['general.architecture'])
  if (!Object.hasOwn(FAMILIES, architecture)) {
    const known = Object.keys(FAMILIES).join(', ')
    throw refuse(name, `is of the family ${architecture}; Lode builds graphs for ${known}`)
  }
  const family = architecture as Family
  const read = <T>(key: string, schema: z.ZodType<T>, fallback?: T): T => {
    const full = `${architecture}.${key}`
    const value = metadata[full] ?? fallback
    const parsed = schema.safeParse(typeof value === 'bigint' ? Number(value) : value)
    if (!parsed.success) throw refuse(name, `has no usable ${full}`)
    return parsed.data
  }
  if (Number(metadata[`${architecture}.expert_count`] ?? 0) > 0)
    throw refuse(name, 'is a mixture of experts, which Lode does not build yet')
  const width = read('embedding_length', count(65_536))
  const heads = read('attention.head_count', count(1024))
  const headSize = read('attention.key_length', count(1024), Math.trunc(width / heads))
  const scaling = read('rope.scaling.type', z.string(), 'none')
  if (!['none', 'linear'].includes(scaling))
    throw refuse(name, `stretches its context by ${scaling}, which Lode does not compute`)
  const shape: DecoderShape = {
    family,
    ...FAMILIES[family],
    layers: read('block_count', count(512)),
    width,
    hidden: read('feed_forward_length', count(1_048_576)),
    heads,
    keyValueHeads: read('attention.head_count_kv', count(1024), heads),
    headSize,
    context: read('context_length', count(4_194_304)),
    epsilon: read('attention.layer_norm_rms_epsilon', z.number().gt(0).lt(1)),
    rotaryBase: read('rope.freq_base', z.number().gt(1).lt(1e12), 10_000),
    rotaryScale: scaling === 'linear' ? read('rope.scaling.factor', z.number().min(1).max(1000)) : 1,
  }
  if (heads % shape.keyValueHeads !== 0) throw refuse(name, 'has heads that its key-value heads do not divide')
  if (read('rope.dimension_count', count(1024), headSize) !== headSize)
    throw refuse(name, 'turns only a part of each head, which Lode does not compute')
  return shape
}

/** A longer context is offered by many models than a person's memory holds: the tables end here. */
export const MAX_CONTEXT = 32_768

/**
 * Cosines and sines of rotary positions, [context, headSize / 2] each: angle = position / scale · base^(−2i/headSize) / factor_i.
 * Source: Su et al., "RoFormer"; the factors are Llama 3's (rope_freqs).
 */
export function rotaryTables(
  shape: DecoderShape,
  factors: Float32Array | null,
): { cosines: Float32Array; sines: Float32Array; context: number } {
  const context = Math.min(shape.context, MAX_CONTEXT)
  const pairs = shape.headSize / 2
  const cosines = new Float32Array(context * pairs)
  const sines = new Float32Array(context * pairs)
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = shape.rotaryBase ** (-pair / pairs) / (shape.rotaryScale * (factors?.[pair] ?? 1))
    for (let position = 0; position < context; position++) {
      cosines[position * pairs + pair] = Math.cos(position * frequency)
      sines[position * pairs + pair] = Math.sin(position * frequency)
    }
  }
  return { cosines, sines, context }
}
