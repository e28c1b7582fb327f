/** Tiny GGUF files with random weights, and a plain float32 decoder that says what they should answer. */
import { BLOCK_FORMATS, decodeBlocks } from './block-formats'

/** GGUF's numbers of the types of metadata values. */
const UINT32 = 4
const FLOAT32 = 6
const BOOLEAN = 7
const STRING = 8
const ARRAY = 9

type Value = string | number | boolean | { float: number } | readonly string[] | readonly number[]
export interface TinyTensor {
  name: string
  /** GGUF's number */
  type: number
  rows: number
  columns: number
  bytes: Uint8Array
}

const ALIGNMENT = 32

/** The bytes of a GGUF file, version 3. */
export function ggufBytes(metadata: Readonly<Record<string, Value>>, tensors: readonly TinyTensor[]): Uint8Array {
  const parts: Buffer[] = []
  const integer = (value: number): Buffer => {
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32LE(value)
    return buffer
  }
  const long = (value: number): Buffer => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigUInt64LE(BigInt(value))
    return buffer
  }
  const float = (value: number): Buffer => Buffer.from(Float32Array.of(value).buffer)
  const text = (value: string): Buffer => Buffer.concat([long(Buffer.byteLength(value)), Buffer.from(value)])
  const value = (item: Value): Buffer => {
    if (typeof item === 'string') return Buffer.concat([integer(STRING), text(item)])
    if (typeof item === 'number') return Buffer.concat([integer(UINT32), integer(item)])
    if (typeof item === 'boolean') return Buffer.concat([integer(BOOLEAN), Buffer.from([Number(item)])])
    if ('float' in item) return Buffer.concat([integer(FLOAT32), float(item.float)])
    const strings = item.every((entry) => typeof entry === 'string')
    const entries = item.map((entry) => (typeof entry === 'string' ? text(entry) : integer(entry)))
    return Buffer.concat([integer(ARRAY), integer(strings ? STRING : UINT32), long(item.length), ...entries])
  }
  parts.push(Buffer.from('GGUF'), integer(3), long(tensors.length), long(Object.keys(metadata).length))
  for (const [key, item] of Object.entries(metadata)) parts.push(text(key), value(item))
  let offset = 0
  for (const { name, type, rows, columns, bytes } of tensors) {
    const shape = rows === 1 ? [columns] : [columns, rows]
    parts.push(text(name), integer(shape.length), ...shape.map(long), integer(type), long(offset))
    offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT
  }
  const pad = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT)
  parts.push(pad(parts.reduce((sum, part) => sum + part.length, 0)))
  for (const { bytes } of tensors) parts.push(Buffer.from(bytes), pad(bytes.length))
  return Buffer.concat(parts)
}

export interface TinyShape {
  family: 'llama' | 'qwen2' | 'qwen3'
  layers: number
  width: number
  hidden: number
  heads: number
  keyValueHeads: number
  headSize: number
}

export const WORDS = ['<end>'].concat(
  Array.from('abcdefghijklmnopqrstuvwxyzĠ0123456789'),
  Array.from({ length: 26 }, (_, index) => `<x${index}>`),
)

/** Numbers that look random and are the same on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A model of the family with weights of one block format; norms and biases are float32, as files have them. */
export function tinyModel(
  shape: TinyShape,
  type: number,
  seed: number,
): { metadata: Record<string, Value>; tensors: TinyTensor[] } {
  const random = randomNumbers(seed)
  const { family, width, hidden, heads, keyValueHeads, headSize } = shape
  const tensors: TinyTensor[] = []
  const matrix = (name: string, rows: number, columns: number): void =>
    void tensors.push({ name, type, rows, columns, bytes: randomBlocks(type, rows * columns, random) })
  const vector = (name: string, size: number, middle: number, spread: number): void => {
    const values = Float32Array.from({ length: size }, () => middle + spread * (random() - 0.5))
    tensors.push({ name, type: 0, rows: 1, columns: size, bytes: new Uint8Array(values.buffer) })
  }
  matrix('token_embd.weight', WORDS.length, width)
  for (let layer = 0; layer < shape.layers; layer++) {
    const of = (part: string): string => `blk.${layer}.${part}`
    vector(of('attn_norm.weight'), width, 1, 0.4)
    matrix(of('attn_q.weight'), heads * headSize, width)
    matrix(of('attn_k.weight'), keyValueHeads * headSize, width)
    matrix(of('attn_v.weight'), keyValueHeads * headSize, width)
    matrix(of('attn_output.weight'), width, heads * headSize)
    if (family === 'qwen2') {
      vector(of('attn_q.bias'), heads * headSize, 0, 1)
      vector(of('attn_k.bias'), keyValueHeads * headSize, 0, 1)
      vector(of('attn_v.bias'), keyValueHeads * headSize, 0, 1)
    }
    if (family === 'qwen3') {
      vector(of('attn_q_norm.weight'), headSize, 1, 0.4)
      vector(of('attn_k_norm.weight'), headSize, 1, 0.4)
    }
    vector(of('ffn_norm.weight'), width, 1, 0.4)
    matrix(of('ffn_gate.weight'), hidden, width)
    matrix(of('ffn_up.weight'), hidden, width)
    matrix(of('ffn_down.weight'), width, hidden)
  }
  vector('output_norm.weight', width, 1, 0.4)
  matrix('output.weight', WORDS.length, width)
  const sizes: Record<string, Value> = {
    block_count: shape.layers,
    context_length: 128,
    embedding_length: width,
    feed_forward_length: hidden,
    'attention.head_count': heads,
    'attention.head_count_kv': keyValueHeads,
    'attention.key_length': headSize,
    'attention.layer_norm_rms_epsilon': { float: 1e-5 },
    'rope.freq_base': { float: 10_000 },
  }
  return {
    metadata: {
      'general.architecture': family,
      'general.name': `Tiny ${family}`,
      'general.license': 'mit',
      ...Object.fromEntries(Object.entries(sizes).map(([key, item]) => [`${family}.${key}`, item])),
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.tokens': WORDS,
      'tokenizer.ggml.token_type': WORDS.map((_, id) => (id === 0 ? 3 : 1)),
      'tokenizer.ggml.merges': ['a b', 'c d'],
      'tokenizer.ggml.eos_token_id': 0,
      'tokenizer.chat_template': "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    },
    tensors,
  }
}

/** Blocks whose bytes are random and whose scales are such that a product neither vanishes nor grows. */
export function randomBlocks(type: number, count: number, random: () => number): Uint8Array {
  const format = BLOCK_FORMATS[type]!
  if (format.elements === 1) {
    const values = Float32Array.from({ length: count }, () => (random() - 0.5) * 0.4)
    if (format.name === 'F32') return new Uint8Array(values.buffer)
    if (format.name === 'BF16')
      return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer)
    return new Uint8Array(Uint16Array.from(values, halfBits).buffer)
  }
  const blocks = count / format.elements
  const bytes = Uint8Array.from({ length: blocks * format.bytes }, () => Math.floor(random() * 256))
  const view = new DataView(bytes.buffer)
  const { scale, least } = HALVES[format.name]!
  for (let block = 0; block < blocks; block++) {
    view.setUint16(block * format.bytes + scale.at, halfBits(scale.value * (0.5 + random())), true)
    if (least) view.setUint16(block * format.bytes + least.at, halfBits(least.value * (0.5 + random())), true)
  }
  return bytes
}

/** Where a block keeps its scale and its offset, and values that centre its numbers around 0. */
const HALVES: Readonly<
  Record<string, { scale: { at: number; value: number }; least?: { at: number; value: number } }>
> = {
  Q4_0: { scale: { at: 0, value: 0.025 } },
  Q4_1: { scale: { at: 0, value: 0.025 }, least: { at: 2, value: -0.19 } },
  Q5_0: { scale: { at: 0, value: 0.012 } },
  Q5_1: { scale: { at: 0, value: 0.012 }, least: { at: 2, value: -0.19 } },
  Q8_0: { scale: { at: 0, value: 0.0015 } },
  Q4_K: { scale: { at: 0, value: 0.0008 }, least: { at: 2, value: 0.006 } },
  Q5_K: { scale: { at: 0, value: 0.0004 }, least: { at: 2, value: 0.006 } },
  Q6_K: { scale: { at: 208, value: 0.0001 } },
}

/** The bits of the nearest number of IEEE 754 binary16. */
export function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024))
}

/** Logits of every position in plain floating point: what the graph must come close to. */
export function plainLogits(
  shape: TinyShape,
  tensors: readonly TinyTensor[],
  ids: readonly number[],
  pairsSideBySide = shape.family === 'llama',
): Float64Array[] {
  const weights = new Map(
    tensors.map((tensor) => [
      tensor.name,
      { ...tensor, values: decodeBlocks(BLOCK_FORMATS[tensor.type]!, tensor.bytes) },
    ]),
  )
  const { headSize, heads, keyValueHeads } = shape
  const times = (name: string, input: ArrayLike<number>): Float64Array => {
    const { rows, columns, values } = weights.get(name)!
    return Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0
      for (let column = 0; column < columns; column++) sum += values[row * columns + column]! * input[column]!
      return sum
    })
  }
  const normed = (name: string, input: Float64Array): Float64Array => {
    const scale = 1 / Math.sqrt(input.reduce((sum, value) => sum + value * value, 0) / input.length + 1e-5)
    return input.map((value, index) => value * scale * weights.get(name)!.values[index]!)
  }
  const projected = (layer: number, letter: 'q' | 'k' | 'v', input: Float64Array): Float64Array[] => {
    const bias = weights.get(`blk.${layer}.attn_${letter}.bias`)
    const all = times(`blk.${layer}.attn_${letter}.weight`, input).map(
      (value, index) => value + (bias?.values[index] ?? 0),
    )
    const norm = `blk.${layer}.attn_${letter}_norm.weight`
    return Array.from({ length: all.length / headSize }, (_, head) => {
      const part = all.slice(head * headSize, (head + 1) * headSize)
      return weights.has(norm) ? normed(norm, part) : part
    })
  }
  const turned = (head: Float64Array, position: number): Float64Array => {
    const out = head.slice()
    for (let pair = 0; pair < headSize / 2; pair++) {
      const angle = position * 10_000 ** (-pair / (headSize / 2))
      // GGUF files of llama keep a pair side by side, all others half a head apart.
      const [one, two] = pairsSideBySide ? [2 * pair, 2 * pair + 1] : [pair, pair + headSize / 2]
      out[one] = head[one]! * Math.cos(angle) - head[two]! * Math.sin(angle)
      out[two] = head[two]! * Math.cos(angle) + head[one]! * Math.sin(angle)
    }
    return out
  }
  const dot = (one: Float64Array, other: Float64Array): number =>
    one.reduce((sum, value, index) => sum + value * other[index]!, 0)
  const { values: embedding } = weights.get('token_embd.weight')!
  let states = ids.map((id) => Float64Array.from(embedding.subarray(id * shape.width, (id + 1) * shape.width)))
  for (let layer = 0; layer < shape.layers; layer++) {
    const inputs = states.map((state) => normed(`blk.${layer}.attn_norm.weight`, state))
    const keys = inputs.map((input, position) => projected(layer, 'k', input).map((head) => turned(head, position)))
    const values = inputs.map((input) => projected(layer, 'v', input))
    states = states.map((state, position) => {
      const queries = projected(layer, 'q', inputs[position]!).map((head) => turned(head, position))
      const attended = queries.flatMap((query, head) => {
        const shared = Math.floor((head * keyValueHeads) / heads)
        const raw = keys.slice(0, position + 1).map((key) => dot(query, key[shared]!) / Math.sqrt(headSize))
        const scores = raw.map((score) => Math.exp(score - Math.max(...raw)))
        const sum = scores.reduce((total, score) => total + score, 0)
        return Array.from({ length: headSize }, (_, index) =>
          scores.reduce((total, score, at) => total + (score / sum) * values[at]![shared]![index]!, 0),
        )
      })
      const after = times(`blk.${layer}.attn_output.weight`, attended).map((value, index) => value + state[index]!)
      const input = normed(`blk.${layer}.ffn_norm.weight`, after)
      const up = times(`blk.${layer}.ffn_up.weight`, input)
      const mixed = times(`blk.${layer}.ffn_gate.weight`, input).map(
        (gate, index) => (gate / (1 + Math.exp(-gate))) * up[index]!,
      )
      return times(`blk.${layer}.ffn_down.weight`, mixed).map((value, index) => value + after[index]!)
    })
  }
  return states.map((state) => times('output.weight', normed('output_norm.weight', state)))
}
