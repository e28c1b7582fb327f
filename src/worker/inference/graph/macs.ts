/**
 * MACs of a transformer, counted from its graph: what one token, one attention pair and one row of logits cost.
 * A product with a constant costs as many MACs a row as the constant has elements. Attention costs heads × head size
 * for the scores and the same again for the values, for each pair and layer. Operators that are no matrix product cost nothing.
 */
import type { Graph, GraphNode } from './read'

export interface AttentionShape {
  heads: number
  headSize: number
}

export interface TransformerMacs {
  /** all products with constants but the output head, one token */
  perToken: number
  /** the product that makes `headOutput`, one row; 0 without one */
  perLogits: number
  /** one (query, key) pair over all layers and heads */
  perPair: number
}

/** Counts what contributes to `outputs`. `headOutput`: the value whose last product is the output head. */
export function countTransformerMacs(
  graph: Graph,
  outputs: string[],
  attention: AttentionShape,
  headOutput?: string,
): TransformerMacs {
  const head = headOutput === undefined ? undefined : nearestProduct(graph, headOutput)
  const macs: TransformerMacs = { perToken: 0, perLogits: 0, perPair: 0 }
  const counted = new Set<GraphNode>()
  for (const node of contributors(graph, outputs)) {
    const weights = constantMacs(graph, node)
    if (node === head) macs.perLogits += weights
    else macs.perToken += weights
    macs.perPair += pairMacs(graph, node, attention, counted)
  }
  return macs
}

/** Where the second factor of a product stands among the inputs of its operator. */
const secondFactor: Readonly<Record<string, number>> = {
  MatMul: 1,
  FusedMatMul: 1,
  Gemm: 1,
  FusedGemm: 1,
  MatMulInteger: 1,
  MatMulIntegerToFloat: 1,
  DynamicQuantizeMatMul: 1,
  QLinearMatMul: 3,
  QGemm: 3,
  // the packed projections of query, key and value
  Attention: 1,
  QAttention: 1,
}
/** Operators whose weights are packed: their logical shape stands in the attributes K and N. */
const packedProducts = new Set(['MatMulNBits', 'MatMulBnb4', 'MatMulFpQ4'])
const attentionOperators = new Set([
  'Attention',
  'QAttention',
  'MultiHeadAttention',
  'GroupQueryAttention',
  'SparseAttention',
  'DecoderMaskedMultiHeadAttention',
])
/** Operators that may stand between a softmax, or a constant, and the product that takes it. */
const passThroughOperators = new Set([
  'Cast',
  'Identity',
  'Dropout',
  'Reshape',
  'Transpose',
  'Where',
  'Unsqueeze',
  'Squeeze',
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
])
/** Probabilities may also be split: into those of the cache and those of the new tokens. */
const probabilityOperators = new Set([...passThroughOperators, 'Split'])

function constantMacs(graph: Graph, node: GraphNode): number {
  if (packedProducts.has(node.operator)) return (node.integers.get('K') ?? 0) * (node.integers.get('N') ?? 0)
  const position = secondFactor[node.operator]
  const name = position === undefined ? undefined : node.inputs[position]
  return name === undefined ? 0 : (findBehind(graph, name, (value) => graph.constantElements.get(value)) ?? 0)
}

/** `counted`: the softmaxes found so far; a softmax that several products share counts for one layer only. */
function pairMacs(graph: Graph, node: GraphNode, attention: AttentionShape, counted: Set<GraphNode>): number {
  const heads = node.integers.get('num_heads') ?? node.integers.get('q_num_heads') ?? attention.heads
  if (attentionOperators.has(node.operator)) return 2 * heads * attention.headSize
  // Unfused attention: each product that takes a softmax stands for one layer, and its scores cost the same again.
  const position = secondFactor[node.operator]
  if (position === undefined || constantMacs(graph, node) > 0) return 0
  const softmaxes = node.inputs.flatMap((name) => {
    const found = findBehind(
      graph,
      name,
      (value) => {
        const producer = graph.producers.get(value)
        return producer?.operator === 'Softmax' ? producer : undefined
      },
      probabilityOperators,
    )
    return found === undefined || counted.has(found) ? [] : [found]
  })
  for (const softmax of softmaxes) counted.add(softmax)
  return softmaxes.length > 0 ? 2 * attention.heads * attention.headSize : 0
}

/** The first answer of `look` on the way back from a value through operators of `through`. */
function findBehind<T>(
  graph: Graph,
  name: string,
  look: (value: string) => T | undefined,
  through = passThroughOperators,
): T | undefined {
  const seen = new Set<string>()
  let waiting = [name]
  while (waiting.length > 0) {
    for (const value of waiting) {
      const found = look(value)
      if (found !== undefined) return found
      seen.add(value)
    }
    waiting = waiting.flatMap((value) => {
      const producer = graph.producers.get(value)
      if (!producer || !through.has(producer.operator)) return []
      // A Where takes its mask first; of the others only the first input is the value itself.
      const values = producer.operator === 'Where' ? producer.inputs.slice(1) : producer.inputs.slice(0, 1)
      return values.filter((input) => !seen.has(input))
    })
  }
  return undefined
}

function contributors(graph: Graph, outputs: string[]): Set<GraphNode> {
  const found = new Set<GraphNode>()
  const waiting = [...outputs]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = graph.producers.get(name)
    if (!node || found.has(node)) continue
    found.add(node)
    waiting.push(...node.inputs)
  }
  return found
}

/** The product with a constant that is nearest to a value, by number of steps back. */
function nearestProduct(graph: Graph, name: string): GraphNode | undefined {
  const seen = new Set<GraphNode>()
  let waiting = [name]
  while (waiting.length > 0) {
    const nodes = waiting.map((value) => graph.producers.get(value)).filter((node) => node !== undefined)
    const product = nodes.find((node) => constantMacs(graph, node) > 0)
    if (product) return product
    const fresh = nodes.filter((node) => !seen.has(node))
    for (const node of fresh) seen.add(node)
    waiting = fresh.flatMap((node) => node.inputs)
  }
  return undefined
}
