/** Tiny folders as the hub has them, with random weights, and a plain floating-point encoder that says what a BERT should answer. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BLOCK_FORMATS, decodeBlocks } from './block-formats'
import { randomBlocks, randomNumbers, type ggufBytes, type TinyTensor } from './gguf.test.support'
import { hubNames } from './hub-names'

export interface HeaderEntry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Tensors by their type of GGUF (0: F32, 1: F16, 30: BF16), one after another. */
export function safetensorsBytes(tensors: readonly TinyTensor[]): Uint8Array {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: { format: 'pt' } }
  let offset = 0
  for (const { name, type, rows, columns, bytes } of tensors) {
    header[name] = {
      dtype: BLOCK_FORMATS[type]!.name,
      shape: rows === 1 ? [columns] : [rows, columns],
      data_offsets: [offset, offset + bytes.length],
    }
    offset += bytes.length
  }
  return withHeader(JSON.stringify(header), Buffer.concat(tensors.map(({ bytes }) => bytes)))
}

export function withHeader(header: string, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)))
  return Buffer.concat([length, Buffer.from(header), data])
}

export interface TinyEncoder {
  layers: number
  width: number
  hidden: number
  heads: number
  context: number
}

export const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'bad', 'cab', 'a', 'b', 'c', '##a', '##b', '##c', '42']

/** The tensors of a BERT under the hub's names. */
export function tinyBert(shape: TinyEncoder, type: number, seed: number): TinyTensor[] {
  const random = randomNumbers(seed)
  const { width, hidden } = shape
  const tensors: TinyTensor[] = []
  const tensor = (name: string, rows: number, columns: number, middle: number, spread: number): void => {
    const values = Float32Array.from({ length: rows * columns }, () => middle + spread * (random() - 0.5))
    tensors.push({ name, type, rows, columns, bytes: encoded(values, type) })
  }
  const dense = (name: string, rows: number, columns: number): void => {
    tensor(`${name}.weight`, rows, columns, 0, 0.4)
    tensor(`${name}.bias`, 1, rows, 0, 0.4)
  }
  const norm = (name: string): void => {
    tensor(`${name}.weight`, 1, width, 1, 0.4)
    tensor(`${name}.bias`, 1, width, 0, 0.4)
  }
  tensor('embeddings.word_embeddings.weight', VOCABULARY.length, width, 0, 2)
  tensor('embeddings.position_embeddings.weight', shape.context, width, 0, 1)
  tensor('embeddings.token_type_embeddings.weight', 2, width, 0, 1)
  norm('embeddings.LayerNorm')
  for (let layer = 0; layer < shape.layers; layer++) {
    const of = (part: string): string => `encoder.layer.${layer}.${part}`
    for (const part of ['query', 'key', 'value']) dense(of(`attention.self.${part}`), width, width)
    dense(of('attention.output.dense'), width, width)
    norm(of('attention.output.LayerNorm'))
    dense(of('intermediate.dense'), hidden, width)
    dense(of('output.dense'), width, hidden)
    norm(of('output.LayerNorm'))
  }
  return tensors
}

/**
 * The same model as a GGUF file has it: its names, matrices in one block format, everything else in float32, and the words of
 * `VOCABULARY` with "▁" before those that begin.
 */
export function tinyGgufBert(
  shape: TinyEncoder,
  type: number,
  seed: number,
): { metadata: Parameters<typeof ggufBytes>[0]; tensors: TinyTensor[] } {
  const random = randomNumbers(seed)
  const ggufName = ggufNames(shape.layers)
  const tensors = tinyBert(shape, 0, seed).map(({ name, rows, columns, bytes }): TinyTensor => {
    const named = { name: ggufName(name), rows, columns }
    const isProduct = rows > 1 && !/position|token_type/.test(name)
    if (!isProduct || type === 0) return { ...named, type: 0, bytes }
    if (BLOCK_FORMATS[type]!.elements > 1) return { ...named, type, bytes: randomBlocks(type, rows * columns, random) }
    return { ...named, type, bytes: encoded(decodeBlocks(BLOCK_FORMATS[0]!, bytes), type) }
  })
  const sizes = {
    block_count: shape.layers,
    context_length: shape.context,
    embedding_length: shape.width,
    feed_forward_length: shape.hidden,
    'attention.head_count': shape.heads,
    'attention.layer_norm_epsilon': { float: 1e-12 },
    'attention.causal': false,
    pooling_type: 1,
  }
  return {
    metadata: {
      'general.architecture': 'bert',
      'general.name': 'Tiny bert',
      'general.license': 'apache-2.0',
      ...Object.fromEntries(Object.entries(sizes).map(([key, item]) => [`bert.${key}`, item])),
      'tokenizer.ggml.model': 'bert',
      'tokenizer.ggml.token_type_count': 2,
      'tokenizer.ggml.tokens': VOCABULARY.map((word, id) =>
        id < 4 ? word : word.startsWith('##') ? word.slice(2) : `▁${word}`,
      ),
      'tokenizer.ggml.token_type': VOCABULARY.map((_, id) => (id < 4 ? 3 : 1)),
      'tokenizer.ggml.bos_token_id': 2,
      'tokenizer.ggml.seperator_token_id': 3,
      'tokenizer.ggml.unknown_token_id': 1,
      'tokenizer.ggml.padding_token_id': 0,
    },
    tensors,
  }
}

/** From the hub's name of a BERT's tensor to GGUF's. */
function ggufNames(layers: number): (hub: string) => string {
  const toHub = hubNames('bert', () => false)
  const outside = ['token_embd', 'position_embd', 'token_types', 'token_embd_norm']
  const parts = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'attn_output_norm', 'ffn_up', 'ffn_down']
  const inside = Array.from({ length: layers }, (_, layer) =>
    [...parts, 'layer_output_norm'].map((part) => `blk.${layer}.${part}`),
  )
  const names = [...outside, ...inside.flat()].flatMap((part) => [`${part}.weight`, `${part}.bias`])
  const byHub = new Map(names.map((name) => [toHub(name), name]))
  return (hub) => byHub.get(hub)!
}

/** F32, F16 and BF16 as files have them. Numbers are cut, not rounded: they are random. */
export function encoded(values: Float32Array, type: number): Uint8Array {
  const bits = new Uint32Array(values.buffer)
  if (type === 0) return new Uint8Array(values.buffer)
  if (type === 30) return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer)
  return new Uint8Array(Uint16Array.from(values, halfBits).buffer)
}

function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  return sign | (((exponent + 15) << 10) + Math.floor((size / 2 ** exponent - 1) * 1024))
}

export function bertConfig(shape: TinyEncoder): Record<string, unknown> {
  return {
    model_type: 'bert',
    num_hidden_layers: shape.layers,
    hidden_size: shape.width,
    intermediate_size: shape.hidden,
    num_attention_heads: shape.heads,
    max_position_embeddings: shape.context,
    layer_norm_eps: 1e-12,
    hidden_act: 'gelu',
    pad_token_id: 0,
  }
}

/** A WordPiece tokenizer over the tiny vocabulary. */
export const bertTokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [0, 1, 2, 3].map((id) => ({
    id,
    content: VOCABULARY[id],
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
  },
}

export function writeFolder(folder: string, files: Readonly<Record<string, string | Uint8Array | object>>): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    const plain = typeof content === 'string' || content instanceof Uint8Array
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), plain ? content : JSON.stringify(content))
  }
  return folder
}

/** The vectors of one text's tokens in plain floating point: what the graph must come close to. */
export function plainVectors(
  shape: TinyEncoder,
  tensors: readonly TinyTensor[],
  ids: readonly number[],
): Float64Array[] {
  const { width, heads } = shape
  const size = width / heads
  const weights = new Map(
    tensors.map((tensor) => [tensor.name, decodeBlocks(BLOCK_FORMATS[tensor.type]!, tensor.bytes)]),
  )
  const row = (name: string, index: number): Float32Array =>
    weights.get(name)!.subarray(index * width, (index + 1) * width)
  const dense = (name: string, input: Float64Array): Float64Array => {
    const matrix = weights.get(`${name}.weight`)!
    return Float64Array.from(weights.get(`${name}.bias`)!, (bias, output) =>
      input.reduce((sum, value, index) => sum + value * matrix[output * input.length + index]!, bias),
    )
  }
  const normed = (name: string, input: Float64Array): Float64Array => {
    const mean = input.reduce((sum, value) => sum + value, 0) / width
    const variance = input.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
    const [scale, shift] = [weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!]
    return input.map((value, index) => ((value - mean) / Math.sqrt(variance + 1e-12)) * scale[index]! + shift[index]!)
  }
  const added = (one: Float64Array, other: Float64Array): Float64Array => one.map((value, at) => value + other[at]!)
  let states = ids.map((id, position) => {
    const parts = [
      row('embeddings.word_embeddings.weight', id),
      row('embeddings.position_embeddings.weight', position),
      row('embeddings.token_type_embeddings.weight', 0),
    ]
    const sum = Float64Array.from({ length: width }, (_, at) => parts.reduce((total, part) => total + part[at]!, 0))
    return normed('embeddings.LayerNorm', sum)
  })
  for (let layer = 0; layer < shape.layers; layer++) {
    const of = (part: string): string => `encoder.layer.${layer}.${part}`
    const [queries, keys, values] = ['query', 'key', 'value'].map((part) =>
      states.map((state) => dense(of(`attention.self.${part}`), state)),
    ) as [Float64Array[], Float64Array[], Float64Array[]]
    states = states.map((state, position) => {
      const attended = new Float64Array(width)
      for (let head = 0; head < heads; head++) {
        const at = head * size
        const scores = keys.map((key) => {
          let sum = 0
          for (let index = at; index < at + size; index++) sum += queries[position]![index]! * key[index]!
          return Math.exp(sum / Math.sqrt(size))
        })
        const total = scores.reduce((sum, score) => sum + score, 0)
        for (let index = at; index < at + size; index++)
          attended[index] = scores.reduce((sum, score, other) => sum + (score / total) * values[other]![index]!, 0)
      }
      const middle = normed(
        of('attention.output.LayerNorm'),
        added(dense(of('attention.output.dense'), attended), state),
      )
      const opened = dense(of('intermediate.dense'), middle).map((value) => (value * (1 + erf(value / Math.SQRT2))) / 2)
      return normed(of('output.LayerNorm'), added(dense(of('output.dense'), opened), middle))
    })
  }
  return states
}

/** Abramowitz and Stegun 7.1.26; its error is below 1.5e-7. */
function erf(value: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(value))
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return Math.sign(value) * (1 - polynomial * Math.exp(-value * value))
}
