/**
 * Products in int8 with one scale a row of the input and one a column of the weights. Each row has its own range, found
 * when it is computed, so that no text depends on what stands beside it; onnxruntime's own dynamic quantization takes one
 * range for all.
 */
import { readMatrix, type TensorSource } from '../sources/tensor-source'
import type { GraphWriter } from './graph-writer'

export interface RowQuantizer {
  /** input · weightsᵀ, input rounded to 8 bits around 0. Inputs that are used again are quantized once. */
  times(name: string, input: string, shape: { rows: number; columns: number }, output: string): Promise<string>
  /** The same for what a GELU gave: that is never below −0.17, and so the whole range serves what lies above. */
  afterGelu(name: string, input: string, shape: { rows: number; columns: number }, output: string): Promise<string>
}

/** The least value of GELU is −0.16997. */
const GELU_SHIFT = 0.17

export function createRowQuantizer(source: TensorSource, graph: GraphWriter): RowQuantizer {
  const quantized = new Map<string, { values: string; scale: string }>()
  const constants = new Map<string, Promise<string>>()
  const constant = (name: string, values: Float32Array | Uint8Array): Promise<string> => {
    const stored = constants.get(name) ?? graph.weights(name, values, [])
    constants.set(name, stored)
    return stored
  }
  /** Divides each row by its own scale, so that its largest value becomes `most`, and rounds around `zero`. */
  const quantize = async (
    input: string,
    sizes: string,
    most: number,
    zero: 'zero.0' | 'zero.128',
  ): Promise<{ values: string; scale: string }> => {
    const known = quantized.get(input)
    if (known) return known
    const axis = graph.integers(`${input}.axis`, [-1], [1])
    const largest = graph.node('ReduceMax', [sizes, axis], `${input}.largest`, { keepdims: 1 })
    const bounded = graph.node('Max', [largest, await constant('least', Float32Array.of(1e-30))], `${input}.bounded`)
    const step = await constant(`step.${most}`, Float32Array.of(1 / most))
    const scale = graph.node('Mul', [bounded, step], `${input}.scale`)
    const shifted = zero === 'zero.0' ? sizes : input
    const divided = graph.node('Div', [shifted, scale], `${input}.divided`)
    const values = graph.node(
      'QuantizeLinear',
      [divided, await constant('unit', Float32Array.of(1)), await zeroPoint(zero)],
      `${input}.quantized`,
    )
    quantized.set(input, { values, scale })
    return { values, scale }
  }
  const zeroPoint = (zero: 'zero.0' | 'zero.128'): Promise<string> =>
    constant(zero, Uint8Array.of(zero === 'zero.0' ? 0 : 128))
  const product = async (
    name: string,
    input: { values: string; scale: string },
    zero: 'zero.0' | 'zero.128',
    weights: ColumnWeights,
    output: string,
  ): Promise<string> => {
    const { rows, columns } = weights
    const values = await graph.weights(`${name}.values`, weights.values, [columns, rows])
    const scales = await graph.weights(`${name}.scales`, weights.scales, [rows])
    const unit = await constant('unit', Float32Array.of(1))
    const inputs = [input.values, values, unit, scales, await zeroPoint(zero)]
    const sums = graph.node('MatMulIntegerToFloat', inputs, `${output}.unscaled`)
    return graph.node('Mul', [sums, input.scale], output)
  }
  return {
    times: async (name, input, shape, output) => {
      const weights = await columnWeights(source, name, shape)
      const absolute = quantized.has(input) ? input : graph.node('Abs', [input], `${input}.absolute`)
      return product(name, await quantize(input, absolute, 127, 'zero.128'), 'zero.128', weights, output)
    },
    afterGelu: async (name, input, shape, output) => {
      const weights = await columnWeights(source, name, shape)
      const shift = await constant('gelu.shift', Float32Array.of(GELU_SHIFT))
      const raised = graph.node('Add', [input, shift], `${input}.raised`)
      const quantizedInput = await quantize(input, raised, 255, 'zero.0')
      const value = await product(name, quantizedInput, 'zero.0', weights, `${output}.raised`)
      // What the shift added to every input is taken off every output.
      const raise = await graph.weights(`${name}.raise`, raiseOf(weights), [shape.rows])
      return graph.node('Sub', [value, raise], output)
    },
  }
}

/** Weights of a product as int8 [columns, rows], and a scale for each of the `rows` output features. */
interface ColumnWeights {
  rows: number
  columns: number
  values: Int8Array
  scales: Float32Array
}

/** w ≈ scale · q, scale = the output feature's largest |w| / 127. */
async function columnWeights(
  source: TensorSource,
  name: string,
  { rows, columns }: { rows: number; columns: number },
): Promise<ColumnWeights> {
  const matrix = await readMatrix(source, name, columns, rows)
  const values = new Int8Array(rows * columns)
  const scales = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let most = 0
    for (let column = 0; column < columns; column++)
      most = Math.max(most, Math.abs(matrix.values[row * columns + column]!))
    const scale = most / 127
    scales[row] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    for (let column = 0; column < columns; column++)
      values[column * rows + row] = Math.round(matrix.values[row * columns + column]! * inverse)
  }
  return { rows, columns, values, scales }
}

function raiseOf({ rows, columns, values, scales }: ColumnWeights): Float32Array {
  const sums = new Float64Array(rows)
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++) sums[row]! += values[column * rows + row]!
  return Float32Array.from(sums, (sum, row) => GELU_SHIFT * sum * scales[row]!)
}
