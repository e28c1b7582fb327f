/**
 * Grouped attention of plain products, with a cache that is only read: keys and values of the new tokens come out by
 * themselves, and the caller puts them into the cache. So no run copies the cache, however many requests share a run
 * (onnxruntime-node copies every output, also one whose memory it was given; GroupQueryAttention puts out the whole
 * cache), and a product of one row has a kernel of its own, which GroupQueryAttention's scaled product does not take.
 */
import { FLOAT, INT64, type GraphWriter } from './graph-writer'
import type { DecoderShape } from './shapes'

/**
 * Query [batch, tokens, heads × headSize], key and value [batch, tokens, keyValueHeads × headSize] of a layer. Those that were
 * computed together stand side by side in the first, query and key or all three, and have empty names of their own.
 */
export type AttentionInputs = [query: string, key: string, value: string]

export interface Attention {
  /** Rotates and attends; gives [batch, tokens, heads × headSize], in the last layer [batch, kept, heads × headSize]. */
  attend(layer: number, inputs: AttentionInputs): string
  /** Declares what the caller puts into the cache; after the last layer. */
  finish(): void
}

/** The tokens whose logits are asked for, the last ones: the last layer attends for them alone. */
export interface KeptTokens {
  /** Their rows of a value that has a row for each token along an axis. */
  lastOf(value: string, axis: number, output: string): string
}

/**
 * Declares the inputs `position_ids` [batch, tokens], `attention_bias` [batch, 1, 1, rows, past + tokens], which is added
 * to the scores, and for each layer cached keys and values [batch, keyValueHeads, 1, past, headSize]. `rows` is how many
 * rows one product has: `tokens`, each head of a group by itself, or group × tokens, one head's after another's, which
 * is faster for many tokens, since keys and values are packed for every product. Outputs
 * `new_keys` and `new_values` [batch, layers × keyValueHeads, 1, tokens, headSize]. The tables of `cosines` and `sines`
 * are there already.
 */
export async function createAttention(graph: GraphWriter, shape: DecoderShape, kept: KeptTokens): Promise<Attention> {
  const { layers, heads, keyValueHeads, headSize } = shape
  const cached = ['batch', keyValueHeads, 1, 'past', headSize]
  graph.input('position_ids', INT64, ['batch', 'tokens'])
  graph.input('attention_bias', FLOAT, ['batch', 1, 1, 'rows', 'positions'])
  // Scores are scaled through the queries' rotation, so that their product needs no factor. Folded when it is loaded.
  const scale = await graph.weights('scale', Float32Array.of(1 / Math.sqrt(headSize)), [1])
  const scaled = ['cosines', 'sines'].map((table) => graph.node('Mul', [table, scale], `${table}.scaled`))
  /** Sizes of the parts of inputs that stand side by side, by their number. Written with the first layer that needs them: onnxruntime complains of what no node uses. */
  const partsOfInput = new Map<number, string>()
  const queryHeads = graph.integers('query.shape', [0, 0, keyValueHeads, heads / keyValueHeads, headSize], [5])
  const keyHeads = graph.integers('key.shape', [0, 0, keyValueHeads, 1, headSize], [5])
  const together = graph.integers('attended.shape', [0, 0, heads * headSize], [3])
  const groupHeads = graph.integers('group.shape', [0, 0, heads / keyValueHeads, -1, headSize], [5])
  const parts = partSizes(graph)
  const productShape = productRows(graph, keyValueHeads, headSize)
  const newKeys: string[] = []
  const newValues: string[] = []

  return {
    attend: (layer, inputs) => {
      const name = (part: string): string => `layer.${layer}.${part}`
      const pastKey = graph.input(`past_key_values.${layer}.key`, FLOAT, cached)
      const pastValue = graph.input(`past_key_values.${layer}.value`, FLOAT, cached)
      const rotated = (value: string, tables: readonly string[], count: number, part: string): string =>
        graph.node('RotaryEmbedding', [value, 'position_ids', ...tables], name(`${part}.rotated`), { num_heads: count })
      const byHead = (value: string, size: string, part: string): string => {
        const split = graph.node('Reshape', [value, size], name(`${part}.heads`))
        return graph.node('Transpose', [split], name(`${part}.byHead`), { perm: [0, 2, 3, 1, 4] })
      }
      if (inputs[1] === '') {
        const count = inputs[2] === '' ? 3 : 2
        const sizes = [heads, keyValueHeads, keyValueHeads].slice(0, count).map((part) => part * headSize)
        const parts = partsOfInput.get(count) ?? graph.integers(`side.by.side.${count}`, sizes, [count])
        partsOfInput.set(count, parts)
        const apart: AttentionInputs = [name('q'), name('k'), name('v')]
        graph.node('Split', [inputs[0], parts], apart.slice(0, count), { axis: -1 })
        inputs = count === 3 ? apart : [apart[0], apart[1], inputs[2]]
      }
      const isLast = layer + 1 === layers
      const turned = rotated(inputs[0], scaled, heads, 'query')
      const asked = isLast ? kept.lastOf(turned, 1, name('query.kept')) : turned
      const byGroup = byHead(asked, queryHeads, 'query')
      // Few rows: each head is a product of its own. What they may look at is the same for every head: the first one's rows serve.
      const query = isLast ? byGroup : graph.node('Reshape', [byGroup, productShape], name('query'))
      const bias = isLast ? kept.lastOf('attention_bias', 3, name('bias.kept')) : 'attention_bias'
      const key = byHead(rotated(inputs[1], ['cosines', 'sines'], keyValueHeads, 'key'), keyHeads, 'key')
      const value = byHead(inputs[2], keyHeads, 'value')
      newKeys.push(key)
      newValues.push(value)

      const transposed = { transB: 1 }
      const before = graph.node('FusedMatMul', [query, pastKey], name('scores.past'), transposed)
      const among = graph.node('FusedMatMul', [query, key], name('scores.new'), transposed)
      const scores = graph.node('Concat', [before, among], name('scores'), { axis: -1 })
      const biased = graph.node('Add', [scores, bias], name('scores.biased'))
      const shares = graph.node('Softmax', [biased], name('shares'), { axis: -1 })
      graph.node('Split', [shares, parts], [name('shares.past'), name('shares.new')], { axis: -1 })
      const from = graph.node('MatMul', [name('shares.past'), pastValue], name('attended.past'))
      const own = graph.node('MatMul', [name('shares.new'), value], name('attended.new'))
      const sum = graph.node('Add', [from, own], name('attended.rows'))
      const ofHeads = isLast ? sum : graph.node('Reshape', [sum, groupHeads], name('attended.byHead'))
      const ordered = graph.node('Transpose', [ofHeads], name('attended.heads'), { perm: [0, 3, 1, 2, 4] })
      return graph.node('Reshape', [ordered, together], name('attended'))
    },
    finish: () => {
      graph.node('Concat', newKeys, 'new_keys', { axis: 1 })
      graph.node('Concat', newValues, 'new_values', { axis: 1 })
      for (const name of ['new_keys', 'new_values'])
        graph.output(name, FLOAT, ['batch', layers * keyValueHeads, 1, 'tokens', headSize])
    },
  }
}

/** Positions of the cache and of the new tokens, into which every row of probabilities is cut. */
function partSizes(graph: GraphWriter): string {
  const past = dimension(graph, 'past_key_values.0.key', 3, 'parts.past')
  return graph.node('Concat', [past, dimension(graph, 'input_ids', 1, 'parts.new')], 'parts', { axis: 0 })
}

/** [batch, keyValueHeads, products, rows, headSize], with as many rows as the bias has. */
function productRows(graph: GraphWriter, keyValueHeads: number, headSize: number): string {
  const rows = dimension(graph, 'attention_bias', 3, 'product.rows')
  const before = graph.integers('product.before', [0, keyValueHeads, -1], [3])
  const after = graph.integers('product.after', [headSize], [1])
  return graph.node('Concat', [before, rows, after], 'product.shape', { axis: 0 })
}

/** One size of a value, as a list of one. */
function dimension(graph: GraphWriter, value: string, axis: number, name: string): string {
  const whole = graph.node('Shape', [value], `${name}.shape`)
  const from = graph.integers(`${name}.from`, [axis], [1])
  const to = graph.integers(`${name}.to`, [axis + 1], [1])
  return graph.node('Slice', [whole, from, to], name)
}
