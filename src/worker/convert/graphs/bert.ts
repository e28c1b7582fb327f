/**
 * The graph of a BERT encoder: ids and mask in, a vector for each token out.
 *
 * Inputs: `input_ids` and `attention_mask`, int64 [texts, tokens]. Texts of different lengths stand together, shorter ones
 * filled up on the right with any id and a mask of 0; no text's vectors depend on its neighbours. Token types are not asked for:
 * embeddings of single texts have type 0 everywhere, and that row is added to the positions when the graph is written.
 * Output: `last_hidden_state`, float32 [texts, tokens, width]; the rows of filled-up tokens mean nothing.
 *
 * Source: Devlin et al., "BERT". Normalisation comes after each sum; the activation is the exact GELU.
 */
import type { ModelPrecision } from '#shared/domain/model-stages'
import { readMatrix, type TensorSource } from '../sources/tensor-source'
import { FLOAT, INT64, type GraphWriter } from './graph-writer'
import { createProducts } from './products'
import { createRowQuantizer } from './row-products'
import type { EncoderShape } from './shapes'

const INT32 = 6

/** Writes all nodes and weights. Tensors have GGUF's names. Gives the tokens that a text may have. */
export async function buildBertGraph(
  source: TensorSource,
  shape: EncoderShape,
  precision: ModelPrecision,
  graph: GraphWriter,
): Promise<number> {
  const { width, hidden, heads } = shape
  const products = createProducts(source, graph, precision)
  const quantizer = createRowQuantizer(source, graph)
  const epsilon = { float: shape.epsilon }
  /** A product whose errors matter little: in int8 with one scale a row, which is faster than scales of blocks. */
  const product = async (name: string, input: string, columns: number, rows: number, output: string): Promise<string> =>
    precision === 'int8'
      ? quantizer.times(name, input, { rows, columns }, output)
      : (await products.matrix([{ name, rows }], columns)).times(input, output)

  graph.input('input_ids', INT64, ['texts', 'tokens'])
  graph.input('attention_mask', INT64, ['texts', 'tokens'])
  const mask = graph.node('Cast', ['attention_mask'], 'mask', { to: INT32 })
  const words = (await products.table('token_embd.weight', width)).lookUp('input_ids', 'words')
  const placed = graph.node('Add', [words, await positions(source, shape, graph)], 'placed')
  const norm = async (name: string): Promise<string[]> => [
    await products.vector(`${name}.weight`, width),
    await products.vector(`${name}.bias`, width),
  ]
  let state = graph.node('LayerNormalization', [placed, ...(await norm('token_embd_norm'))], 'layer.0', {
    axis: -1,
    epsilon,
  })
  /** residual + value + bias, normalised */
  const summed = async (
    value: string,
    residual: string,
    names: { bias: string; norm: string },
    output: string,
  ): Promise<string> => {
    const inputs = [value, residual, ...(await norm(names.norm)), await products.vector(`${names.bias}.bias`, width)]
    return graph.node('SkipLayerNormalization', inputs, output, { epsilon })
  }

  for (let layer = 0; layer < shape.layers; layer++) {
    const of = (part: string): string => `blk.${layer}.${part}`
    const input = state
    const projected = async (letter: 'q' | 'k' | 'v'): Promise<string> => {
      const tensor = of(`attn_${letter}`)
      const output = `layer.${layer}.${letter}`
      // An error in the values goes straight into the sum, unlike one in the scores: their product keeps scales of blocks.
      const value =
        letter === 'v'
          ? (await products.matrix([{ name: `${tensor}.weight`, rows: width }], width)).times(input, output)
          : await product(`${tensor}.weight`, input, width, width, output)
      return graph.node('Add', [value, await products.vector(`${tensor}.bias`, width)], `${output}.biased`)
    }
    const attended = graph.node(
      'MultiHeadAttention',
      [await projected('q'), await projected('k'), await projected('v'), '', mask],
      `layer.${layer}.attended`,
      { num_heads: heads },
    )
    const attention = await product(of('attn_output.weight'), attended, width, width, `layer.${layer}.attention`)
    const middle = await summed(
      attention,
      input,
      { bias: of('attn_output'), norm: of('attn_output_norm') },
      `layer.${layer}.middle`,
    )
    const up = await product(of('ffn_up.weight'), middle, width, hidden, `layer.${layer}.up`)
    const bias = await products.vector(of('ffn_up.bias'), hidden)
    const activated = graph.node('BiasGelu', [up, bias], `layer.${layer}.activated`)
    const down =
      precision === 'int8'
        ? await quantizer.afterGelu(
            of('ffn_down.weight'),
            activated,
            { rows: width, columns: hidden },
            `layer.${layer}.down`,
          )
        : await product(of('ffn_down.weight'), activated, hidden, width, `layer.${layer}.down`)
    state = await summed(
      down,
      middle,
      { bias: of('ffn_down'), norm: of('layer_output_norm') },
      layer + 1 === shape.layers ? 'last_hidden_state' : `layer.${layer + 1}`,
    )
  }
  graph.output('last_hidden_state', FLOAT, ['texts', 'tokens', width])
  return shape.context
}

/** The first rows of the position table, as many as the texts have tokens. */
async function positions(source: TensorSource, shape: EncoderShape, graph: GraphWriter): Promise<string> {
  const { width, context } = shape
  const { values } = await readMatrix(source, 'position_embd.weight', width, context)
  if (source.has('token_types.weight')) {
    const types = await readMatrix(source, 'token_types.weight', width)
    for (let index = 0; index < values.length; index++) values[index]! += types.values[index % width]!
  }
  const table = await graph.weights('positions', values, [context, width])
  const [zero, one, two] = [0, 1, 2].map((value) => graph.integers(`position.${value}`, [value], [1]))
  const lengths = graph.node('Shape', ['input_ids'], 'lengths')
  const tokens = graph.node('Slice', [lengths, one!, two!], 'tokens')
  return graph.node('Slice', [table, zero!, tokens, zero!], 'position')
}
