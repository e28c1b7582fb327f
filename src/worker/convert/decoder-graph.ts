/**
 * The graph of a decoder (llama, qwen2, qwen3) with operators that every provider of onnxruntime accelerates: products
 * over blocks of 4 or 8 bits, rotary positions, normalisation fused with the residual sum; attention: decoder-attention.ts.
 */
import { decodeBlocks } from './block-formats'
import { BLOCK, bitsFor, rowsInHalves, toBlockWeights, type BlockWeights } from './block-weights'
import { createAttention, type AttentionInputs } from './decoder-attention'
import { rotaryTables, type DecoderShape } from './decoder-shape'
import type { GgufFile, GgufTensor } from './gguf-file'
import { FLOAT, INT64, type GraphWriter } from './graph-writer'

/** Products inside use int8 arithmetic: onnxruntime's accuracy level 4. */
const ACCURACY_LEVEL = 4

interface Built {
  bits: 4 | 8
  rows: number
  columns: number
  values: string
  scales: string
}

/** Writes all nodes and weights. Gives the context that the graph's tables reach. */
export async function buildDecoderGraph(file: GgufFile, shape: DecoderShape, graph: GraphWriter): Promise<number> {
  const { width, heads, keyValueHeads, headSize } = shape
  const queryWidth = heads * headSize
  const keyWidth = keyValueHeads * headSize

  const vector = async (name: string, size: number): Promise<string> => {
    const tensor = file.tensor(name, size)
    return graph.weights(name, decodeBlocks(tensor.format, await file.read(tensor)), [size])
  }
  const matrix = async (names: readonly string[], columns: number): Promise<Built> => {
    const query = shape.pairedRotary ? names.filter((name) => /attn_[qk]\.weight$/.test(name)) : []
    const tensors = names.map((name) => file.tensor(name, columns))
    const bits = bitsFor(tensors.map((tensor) => tensor.format))
    const parts: BlockWeights[] = []
    for (const tensor of tensors) {
      const weights = toBlockWeights(tensor.format, await file.read(tensor), tensor, bits)
      parts.push(query.includes(tensor.name) ? rowsInHalves(weights, headSize) : weights)
    }
    return store(names.join('+'), joined(parts))
  }
  const store = async (name: string, weights: BlockWeights): Promise<Built> => {
    const blocks = weights.columns / BLOCK
    return {
      ...weights,
      values: await graph.weights(`${name}.values`, weights.values, [weights.rows, blocks, (BLOCK * weights.bits) / 8]),
      scales: await graph.weights(`${name}.scales`, weights.scales, [weights.rows * blocks]),
    }
  }
  const product = (input: string, { bits, rows, columns, values, scales }: Built, output: string): string =>
    graph.node('MatMulNBits', [input, values, scales], output, {
      K: columns,
      N: rows,
      bits,
      block_size: BLOCK,
      accuracy_level: ACCURACY_LEVEL,
    })

  const { cosines, sines, context } = rotaryTables(shape, await rotaryFactors(file))
  await graph.weights('cosines', cosines, [context, headSize / 2])
  await graph.weights('sines', sines, [context, headSize / 2])
  graph.input('input_ids', INT64, ['batch', 'tokens'])
  graph.input('logits_to_keep', INT64, [])
  const attention = createAttention(graph, shape)

  const words = file.tensor('token_embd.weight', width)
  const embedding = await matrix(['token_embd.weight'], width)
  const flat = graph.integers('embedding.shape', [words.rows, (width * embedding.bits) / 8], [2])
  const table = graph.node('Reshape', [embedding.values, flat], 'embedding.table')
  const scalesShape = graph.integers('embedding.scales.shape', [words.rows, width / BLOCK], [2])
  const tableScales = graph.node('Reshape', [embedding.scales, scalesShape], 'embedding.table.scales')
  let residual = graph.node('GatherBlockQuantized', [table, 'input_ids', tableScales], 'embedded', {
    bits: embedding.bits,
    block_size: BLOCK,
    gather_axis: 0,
    quantize_axis: 1,
  })
  const epsilon = { float: shape.epsilon }
  let normed = graph.node(
    'SimplifiedLayerNormalization',
    [residual, await vector('blk.0.attn_norm.weight', width)],
    'layer.0.normed',
    { epsilon, axis: -1, stash_type: 1 },
  )

  const biased = async (value: string, tensor: string, size: number): Promise<string> =>
    file.has(tensor) ? graph.node('Add', [value, await vector(tensor, size)], `${tensor}.added`) : value
  /** Each head by itself, as qwen3 has it. */
  const headNormed = async (value: string, tensor: string, count: number): Promise<string> => {
    if (!file.has(tensor)) return value
    const split = graph.integers(`${tensor}.split`, [0, 0, count, headSize], [4])
    const whole = graph.integers(`${tensor}.whole`, [0, 0, count * headSize], [3])
    const apart = graph.node('Reshape', [value, split], `${tensor}.apart`)
    const scaled = graph.node(
      'SimplifiedLayerNormalization',
      [apart, await vector(tensor, headSize)],
      `${tensor}.scaled`,
      { epsilon, axis: -1, stash_type: 1 },
    )
    return graph.node('Reshape', [scaled, whole], `${tensor}.together`)
  }

  const packedSizes = graph.integers('qkv.sizes', [queryWidth, keyWidth, keyWidth], [3])
  const attentionInputs = async (layer: number): Promise<AttentionInputs> => {
    const name = (part: string): string => `blk.${layer}.attn_${part}.weight`
    const plain = !file.has(`blk.${layer}.attn_q.bias`) && !file.has(`blk.${layer}.attn_q_norm.weight`)
    if (plain) {
      const weights = await matrix([name('q'), name('k'), name('v')], width)
      const [query, key, value] = [`layer.${layer}.q`, `layer.${layer}.k`, `layer.${layer}.v`]
      const packed = product(normed, weights, `layer.${layer}.qkv`)
      graph.node('Split', [packed, packedSizes], [query, key, value], { axis: -1 })
      return { query, key, value }
    }
    const part = async (letter: 'q' | 'k' | 'v', size: number, count: number): Promise<string> => {
      const value = product(normed, await matrix([name(letter)], width), `layer.${layer}.${letter}`)
      const moved = await biased(value, `blk.${layer}.attn_${letter}.bias`, size)
      return letter === 'v' ? moved : headNormed(moved, `blk.${layer}.attn_${letter}_norm.weight`, count)
    }
    return {
      query: await part('q', queryWidth, heads),
      key: await part('k', keyWidth, keyValueHeads),
      value: await part('v', keyWidth, keyValueHeads),
    }
  }

  for (let layer = 0; layer < shape.layers; layer++) {
    const output = product(
      attention.attend(layer, await attentionInputs(layer)),
      await matrix([`blk.${layer}.attn_output.weight`], queryWidth),
      `layer.${layer}.attention`,
    )
    const middle = await summed(output, `blk.${layer}.ffn_norm.weight`, `layer.${layer}.middle`)
    const gate = product(middle, await matrix([`blk.${layer}.ffn_gate.weight`], width), `layer.${layer}.gate`)
    const up = product(middle, await matrix([`blk.${layer}.ffn_up.weight`], width), `layer.${layer}.up`)
    const opened = graph.node('Sigmoid', [gate], `layer.${layer}.sigmoid`)
    const activated = graph.node('Mul', [gate, opened], `layer.${layer}.activated`)
    const mixed = graph.node('Mul', [activated, up], `layer.${layer}.mixed`)
    const down = product(mixed, await matrix([`blk.${layer}.ffn_down.weight`], shape.hidden), `layer.${layer}.down`)
    const next = layer + 1 === shape.layers ? 'output_norm.weight' : `blk.${layer + 1}.attn_norm.weight`
    normed = await summed(down, next, `layer.${layer + 1}`)
  }
  attention.finish()

  /** residual + value becomes the residual; gives it normalised. */
  async function summed(value: string, norm: string, name: string): Promise<string> {
    const outputs = [`${name}.normed`, '', '', `${name}.residual`]
    const inputs = [residual, value, await vector(norm, width)]
    residual = `${name}.residual`
    return graph.node('SkipSimplifiedLayerNormalization', inputs, outputs, { epsilon })
  }

  const head = file.has('output.weight') ? await matrix(['output.weight'], width) : embedding
  product(lastPositions(graph, normed), head, 'logits')
  graph.output('logits', FLOAT, ['batch', 'kept', head.rows])
  return context
}

/** Only the last `logits_to_keep` positions pass through the head, which is large. */
function lastPositions(graph: GraphWriter, value: string): string {
  const one = graph.integers('one', [1], [1])
  const kept = graph.node('Reshape', ['logits_to_keep', one], 'kept')
  const start = graph.node('Neg', [kept], 'kept.start')
  const end = graph.integers('kept.end', [Number.MAX_SAFE_INTEGER], [1])
  return graph.node('Slice', [value, start, end, one], 'kept.rows')
}

function joined(parts: readonly BlockWeights[]): BlockWeights {
  const [first] = parts
  if (!first || parts.length === 1) return first!
  const values = new Uint8Array(parts.reduce((sum, part) => sum + part.values.length, 0))
  const scales = new Float32Array(parts.reduce((sum, part) => sum + part.scales.length, 0))
  let valueAt = 0
  let scaleAt = 0
  for (const part of parts) {
    values.set(part.values, valueAt)
    scales.set(part.scales, scaleAt)
    valueAt += part.values.length
    scaleAt += part.scales.length
  }
  return { ...first, rows: parts.reduce((sum, part) => sum + part.rows, 0), values, scales }
}

async function rotaryFactors(file: GgufFile): Promise<Float32Array | null> {
  if (!file.has('rope_freqs.weight')) return null
  const tensor: GgufTensor = file.tensor('rope_freqs.weight')
  return decodeBlocks(tensor.format, await file.read(tensor))
}
