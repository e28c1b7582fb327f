/**
 * What the graphs of all decoders have in common. A family's file says how query, key and value come from a layer's input.
 *
 * Inputs
 * - `input_ids`, int64 [batch, tokens].
 * - `logits_to_keep`, int64, no dimensions: logits are computed for that many last tokens: 1 while answering, all of them
 *   for replay, 0 for what is new for the cache alone. In the last layer the others pass through query, key and value only.
 * - those of attention.ts: positions, what each token may look at, and a cache that is only read. Any number of texts, of any
 *   lengths, may share a run, as long as they have the same number of tokens in it.
 *
 * Outputs: `logits`, float32 [batch, kept, words], and what is new for the cache.
 *
 * Operators are those that every provider of onnxruntime accelerates: products over blocks of 4 or 8 bits, rotary
 * positions, normalisation fused with the residual sum.
 */
import type { ModelPrecision } from '#shared/domain/model-stages'
import type { TensorSource } from '../sources/tensor-source'
import { createAttention, type AttentionInputs, type KeptTokens } from './attention'
import { FLOAT, INT64, type GraphWriter } from './graph-writer'
import { createProducts, type Products } from './products'
import { rotaryTables } from './rotary'
import type { DecoderShape } from './shapes'

/** What a family's file works with. */
export interface DecoderDeps {
  graph: GraphWriter
  products: Products
  shape: DecoderShape
  has(tensor: string): boolean
}

export type AttentionBuilder = (deps: DecoderDeps, layer: number, input: string) => Promise<AttentionInputs>

/** Writes all nodes and weights. Tensors have GGUF's names. Gives the context that the graph's tables reach. */
export async function buildDecoderGraph(
  source: TensorSource,
  shape: DecoderShape,
  precision: ModelPrecision,
  graph: GraphWriter,
  attentionInputs: AttentionBuilder,
): Promise<number> {
  const { width, hidden, heads, headSize, layers } = shape
  const products = createProducts(source, graph, precision)
  const deps: DecoderDeps = { graph, products, shape, has: (name) => source.has(name) }
  const epsilon = { float: shape.epsilon }

  const { cosines, sines, context } = rotaryTables(shape)
  await graph.weights('cosines', cosines, [context, headSize / 2])
  await graph.weights('sines', sines, [context, headSize / 2])
  graph.input('input_ids', INT64, ['batch', 'tokens'])
  graph.input('logits_to_keep', INT64, [])
  const kept = keptTokens(graph)
  const attention = await createAttention(graph, shape, kept)

  const words = await products.table('token_embd.weight', width)
  let residual = words.lookUp('input_ids', 'embedded')
  const firstNorm = await products.vector('blk.0.attn_norm.weight', width)
  let normed = graph.node('SimplifiedLayerNormalization', [residual, firstNorm], 'layer.0.normed', {
    epsilon,
    axis: -1,
    stash_type: 1,
  })
  /** residual + value becomes the residual; gives it normalised. */
  const summed = async (value: string, norm: string, name: string): Promise<string> => {
    const inputs = [residual, value, await products.vector(norm, width)]
    residual = `${name}.residual`
    return graph.node('SkipSimplifiedLayerNormalization', inputs, [`${name}.normed`, '', '', residual], { epsilon })
  }

  for (let layer = 0; layer < layers; layer++) {
    const of = (part: string): string => `blk.${layer}.${part}.weight`
    const attended = attention.attend(layer, await attentionInputs(deps, layer, normed))
    if (layer + 1 === layers) residual = kept.lastOf(residual, 1, 'kept.residual')
    const output = await products.matrix([{ name: of('attn_output'), rows: width }], heads * headSize)
    const middle = await summed(
      output.times(attended, `layer.${layer}.attention`),
      of('ffn_norm'),
      `layer.${layer}.middle`,
    )
    const gate = (await products.matrix([{ name: of('ffn_gate'), rows: hidden }], width)).times(
      middle,
      `layer.${layer}.gate`,
    )
    const up = (await products.matrix([{ name: of('ffn_up'), rows: hidden }], width)).times(middle, `layer.${layer}.up`)
    const opened = graph.node('Sigmoid', [gate], `layer.${layer}.sigmoid`)
    const activated = graph.node('Mul', [gate, opened], `layer.${layer}.activated`)
    const mixed = graph.node('Mul', [activated, up], `layer.${layer}.mixed`)
    const down = await products.matrix([{ name: of('ffn_down'), rows: width }], hidden)
    const next = layer + 1 === layers ? 'output_norm.weight' : `blk.${layer + 1}.attn_norm.weight`
    normed = await summed(down.times(mixed, `layer.${layer}.down`), next, `layer.${layer + 1}`)
  }

  attention.finish()
  const head = source.has('output.weight')
    ? await products.matrix([{ name: 'output.weight', rows: words.rows }], width)
    : words
  head.times(normed, 'logits')
  graph.output('logits', FLOAT, ['batch', 'kept', words.rows])
  return context
}

/** Three products, one each for query, key and value; with a bias added where `biased`, and each head normalised where `headNorms`. */
export async function separateInputs(
  { graph, products, shape }: DecoderDeps,
  layer: number,
  input: string,
  { biased = false, headNorms = false },
): Promise<AttentionInputs> {
  const { headSize } = shape
  const part = async (letter: 'q' | 'k' | 'v', heads: number): Promise<string> => {
    const tensor = `blk.${layer}.attn_${letter}`
    const rows = heads * headSize
    const pairedHeads = shape.pairedRotary && letter !== 'v' ? headSize : undefined
    const matrix = { name: `${tensor}.weight`, rows, ...(pairedHeads === undefined ? {} : { pairedHeads }) }
    const exact = letter === 'v' ? await products.exact([matrix], shape.width) : null
    const weights = exact ?? (await products.matrix([matrix], shape.width))
    let value = weights.times(input, `layer.${layer}.${letter}`)
    if (biased) {
      const bias = await products.vector(`${tensor}.bias`, rows, pairedHeads)
      value = graph.node('Add', [value, bias], `${tensor}.biased`)
    }
    if (!headNorms || letter === 'v') return value
    const split = graph.integers(`${tensor}.split`, [0, 0, heads, headSize], [4])
    const whole = graph.integers(`${tensor}.whole`, [0, 0, rows], [3])
    const apart = graph.node('Reshape', [value, split], `${tensor}.apart`)
    const norm = await products.vector(`${tensor}_norm.weight`, headSize)
    const scaled = graph.node('SimplifiedLayerNormalization', [apart, norm], `${tensor}.scaled`, {
      epsilon: { float: shape.epsilon },
      axis: -1,
      stash_type: 1,
    })
    return graph.node('Reshape', [scaled, whole], `${tensor}.together`)
  }
  return [await part('q', shape.heads), await part('k', shape.keyValueHeads), await part('v', shape.keyValueHeads)]
}

/** Only the last `logits_to_keep` tokens go through the end of the last layer and through the head, which is large. */
function keptTokens(graph: GraphWriter): KeptTokens {
  const one = graph.integers('one', [1], [1])
  const count = graph.node('Reshape', ['logits_to_keep', one], 'kept')
  const lengths = graph.node('Shape', ['input_ids'], 'kept.lengths')
  const end = graph.node('Slice', [lengths, one, graph.integers('two', [2], [1])], 'kept.end')
  const start = graph.node('Sub', [end, count], 'kept.start')
  return {
    lastOf: (value, axis, output) =>
      graph.node('Slice', [value, start, end, graph.integers(`${output}.axis`, [axis], [1])], output),
  }
}
