/** What the hub's files call the tensors that GGUF names otherwise. */
import type { ModelShape } from '../graphs/shapes'

const DECODER: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}
const BERT: Readonly<Record<string, string>> = {
  token_embd: 'embeddings.word_embeddings',
  position_embd: 'embeddings.position_embeddings',
  token_types: 'embeddings.token_type_embeddings',
  token_embd_norm: 'embeddings.LayerNorm',
  attn_q: 'attention.self.query',
  attn_k: 'attention.self.key',
  attn_v: 'attention.self.value',
  attn_output: 'attention.output.dense',
  attn_output_norm: 'attention.output.LayerNorm',
  ffn_up: 'intermediate.dense',
  ffn_down: 'output.dense',
  layer_output_norm: 'output.LayerNorm',
}

/**
 * From GGUF's name ("blk.3.attn_q.weight") to the hub's. `has` looks into the file: an encoder with a head on top has
 * its tensors under `bert.`.
 */
export function hubNames(family: ModelShape['family'], has: (name: string) => boolean): (name: string) => string {
  const encoder = family === 'bert'
  const prefix = encoder && has('bert.embeddings.word_embeddings.weight') ? 'bert.' : ''
  return (name) => {
    const found = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name)
    const [, layer, part, kind] = found ?? []
    const hub = (encoder ? BERT : DECODER)[part ?? '']
    if (hub === undefined) return name
    const layers = encoder ? 'encoder.layer' : 'model.layers'
    return `${prefix}${layer === undefined ? '' : `${layers}.${layer}.`}${hub}.${kind}`
  }
}
