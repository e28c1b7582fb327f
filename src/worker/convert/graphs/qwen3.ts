/** Qwen 3: each head of query and key is normalised by itself; no biases. */
import { separateInputs, type AttentionBuilder } from './decoder'

export const qwen3Attention: AttentionBuilder = (parts, layer, input) =>
  separateInputs(parts, layer, input, { headNorms: true })
