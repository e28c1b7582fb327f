/** Llama, SmolLM, Mistral: query, key and value are one product, or three where the model adds biases to them. */
import { separateInputs, type AttentionBuilder } from './decoder'

export const llamaAttention: AttentionBuilder = async (parts, layer, input) => {
  const { products, shape, has } = parts
  const name = (letter: string): string => `blk.${layer}.attn_${letter}`
  if (has(`${name('q')}.bias`)) return separateInputs(parts, layer, input, { biased: true })
  const paired = shape.pairedRotary ? { pairedHeads: shape.headSize } : {}
  const keyRows = shape.keyValueHeads * shape.headSize
  const weights = await products.matrix(
    [
      { name: `${name('q')}.weight`, rows: shape.heads * shape.headSize, ...paired },
      { name: `${name('k')}.weight`, rows: keyRows, ...paired },
      { name: `${name('v')}.weight`, rows: keyRows },
    ],
    shape.width,
  )
  return [weights.times(input, `layer.${layer}.qkv`), '', '']
}
