/** all-MiniLM-L6-v2 as GGUF, made of its safetensors as llama.cpp's converter makes one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBlocks } from '#worker/convert/sources/block-formats'
import { ggufBytes, halfBits, type TinyTensor } from '#worker/convert/sources/gguf.test.support'
import { openHubModel } from '#worker/convert/sources/hub-model'

/** GGUF's numbers of the types that this writes. */
export const MINILM_FORMATS = { F32: 0, F16: 1, Q8_0: 8 } as const
export type MinilmFormat = keyof typeof MINILM_FORMATS

const BLOCK = 32
const PARTS = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'attn_output_norm', 'ffn_up', 'ffn_down']

/** `folder`: the hub's. Products are in the format, all else in float32. */
export async function writeMinilmGguf(folder: string, format: MinilmFormat, target: string): Promise<void> {
  const { tensors, shape } = await openHubModel(folder)
  if (shape.family !== 'bert') throw new Error(`${folder} is no BERT`)
  try {
    const layers = Array.from({ length: shape.layers }, (_, layer) =>
      [...PARTS, 'layer_output_norm'].map((part) => `blk.${layer}.${part}`),
    )
    const names = ['token_embd', 'position_embd', 'token_types', 'token_embd_norm', ...layers.flat()]
    const written: TinyTensor[] = []
    for (const name of names.flatMap((part) => [`${part}.weight`, `${part}.bias`])) {
      if (!tensors.has(name)) continue
      const tensor = tensors.tensor(name)
      const values = decodeBlocks(tensor.format, await tensors.read(tensor))
      const isProduct = tensor.rows > 1 && !/^(position|token_types)/.test(name)
      const { rows, columns } = tensor
      written.push({ name, rows, columns, ...encoded(values, isProduct ? format : 'F32') })
    }
    const sizes = {
      block_count: shape.layers,
      context_length: shape.context,
      embedding_length: shape.width,
      feed_forward_length: shape.hidden,
      'attention.head_count': shape.heads,
      'attention.layer_norm_epsilon': { float: shape.epsilon },
      'attention.causal': false,
      pooling_type: 1,
    }
    const metadata = {
      'general.architecture': 'bert',
      'general.name': 'all-MiniLM-L6-v2',
      ...Object.fromEntries(Object.entries(sizes).map(([key, size]) => [`bert.${key}`, size])),
      ...tokenizerMetadata(folder),
    }
    writeFileSync(target, ggufBytes(metadata, written))
  } finally {
    await tensors.close()
  }
}

function tokenizerMetadata(folder: string): Record<string, string | number | string[] | number[]> {
  const { model, added_tokens: added } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> }
    added_tokens: { id: number }[]
  }
  const control = new Set(added.map(({ id }) => id))
  const words = Object.entries(model.vocab).toSorted(([, one], [, other]) => one - other)
  const id = (word: string): number => model.vocab[word] ?? 0
  return {
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.tokens': words.map(([word, at]) =>
      control.has(at) ? word : word.startsWith('##') ? word.slice(2) : `▁${word}`,
    ),
    'tokenizer.ggml.token_type': words.map(([, at]) => (control.has(at) ? 3 : 1)),
    'tokenizer.ggml.bos_token_id': id('[CLS]'),
    'tokenizer.ggml.seperator_token_id': id('[SEP]'),
    'tokenizer.ggml.unknown_token_id': id('[UNK]'),
    'tokenizer.ggml.padding_token_id': id('[PAD]'),
  }
}

function encoded(values: Float32Array, format: MinilmFormat): { type: number; bytes: Uint8Array } {
  const type = MINILM_FORMATS[format]
  if (format === 'F32') return { type, bytes: new Uint8Array(values.buffer) }
  if (format === 'F16') return { type, bytes: new Uint8Array(Uint16Array.from(values, halfBits).buffer) }
  // Source: the GGML library's reference (ggml-quants.c, quantize_row_q8_0): a half-precision scale, then 32 signed bytes.
  const blocks = new DataView(new ArrayBuffer((values.length / BLOCK) * 34))
  for (let block = 0; block < values.length / BLOCK; block++) {
    const part = values.subarray(block * BLOCK, (block + 1) * BLOCK)
    const scale = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
    blocks.setUint16(block * 34, halfBits(scale), true)
    part.forEach((value, at) => blocks.setInt8(block * 34 + 2 + at, scale === 0 ? 0 : Math.round(value / scale)))
  }
  return { type, bytes: new Uint8Array(blocks.buffer) }
}
