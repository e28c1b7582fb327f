/** Rotary positions as tables of cosines and sines. Source: Su et al., "RoFormer". */
import type { DecoderShape } from './shapes'

/** A longer context is offered by many models than a person's memory holds: the tables end here. */
export const MAX_CONTEXT = 32_768

/** [context, headSize / 2] each: angle = position / scale · base^(−2i/headSize) / factor_i. */
export function rotaryTables(shape: DecoderShape): { cosines: Float32Array; sines: Float32Array; context: number } {
  const context = Math.min(shape.context, MAX_CONTEXT)
  const pairs = shape.headSize / 2
  const cosines = new Float32Array(context * pairs)
  const sines = new Float32Array(context * pairs)
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = shape.rotaryBase ** (-pair / pairs) / (shape.rotaryScale * (shape.rotaryFactors?.[pair] ?? 1))
    for (let position = 0; position < context; position++) {
      cosines[position * pairs + pair] = Math.cos(position * frequency)
      sines[position * pairs + pair] = Math.sin(position * frequency)
    }
  }
  return { cosines, sines, context }
}

/**
 * Llama 3's factors: long waves turn slower by `factor`, short ones not at all, those between by a mixture.
 * Source: Meta's reference (llama3, apply_scaling), as transformers documents it under rope_type "llama3".
 */
export function llama3Factors(
  { headSize, rotaryBase }: Pick<DecoderShape, 'headSize' | 'rotaryBase'>,
  scaling: { factor: number; lowFrequencyFactor: number; highFrequencyFactor: number; originalContext: number },
): Float32Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = scaling
  return Float32Array.from({ length: headSize / 2 }, (_, pair) => {
    const waves = originalContext / (2 * Math.PI * rotaryBase ** ((2 * pair) / headSize))
    if (waves > high) return 1
    if (waves < low) return factor
    const mixture = (waves - low) / (high - low)
    return 1 / ((1 - mixture) / factor + mixture)
  })
}
