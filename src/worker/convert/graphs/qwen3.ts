/** Qwen 3: each head of query and key is normalised by itself; no biases. */
import { separateInputs, type AttentionBuilder } from './decoder'

export const qwen3Attention: AttentionBuilder = (deps, layer, input) =>
  separateInputs(deps, layer, input, { headNorms: true })
