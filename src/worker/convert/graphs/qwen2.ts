/** Qwen 2 and 2.5: biases on query, key and value. */
import { separateInputs, type AttentionBuilder } from './decoder'

export const qwen2Attention: AttentionBuilder = (parts, layer, input) =>
  separateInputs(parts, layer, input, { biased: true })
