/** Llama, SmolLM, Mistral: query, key and value are one product, the value one of its own where it is kept in float32, or three where the model adds biases to them. */
import { separateInputs, type AttentionBuilder } from './decoder'

export const llamaAttention: AttentionBuilder = async (deps, layer, input) => {
  const { products, shape, has } = deps
  const name = (letter: string): string => `blk.${layer}.attn_${letter}`
  if (has(`${name('q')}.bias`)) return separateInputs(deps, layer, input, { biased: true })
  const paired = shape.pairedRotary ? { pairedHeads: shape.headSize } : {}
  const keyRows = shape.keyValueHeads * shape.headSize
  const queryAndKey = [
    { name: `${name('q')}.weight`, rows: shape.heads * shape.headSize, ...paired },
    { name: `${name('k')}.weight`, rows: keyRows, ...paired },
  ]
  const value = { name: `${name('v')}.weight`, rows: keyRows }
  const exactValue = await products.exact([value], shape.width)
  if (exactValue !== null) {
    const weights = await products.matrix(queryAndKey, shape.width)
    return [weights.times(input, `layer.${layer}.qk`), '', exactValue.times(input, `layer.${layer}.v`)]
  }
  const weights = await products.matrix([...queryAndKey, value], shape.width)
  return [weights.times(input, `layer.${layer}.qkv`), '', '']
}
