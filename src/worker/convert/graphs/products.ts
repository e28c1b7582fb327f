/**
 * Products with weights, in the form that a precision has in the graph. `int8`: MatMulNBits over blocks of 32 with int8
 * arithmetic inside, which keep the distances between a block's numbers as the file has them, but for a few small ones (`exact`); `float32`: MatMul with the numbers that the file stands for.
 */
import type { ModelPrecision } from '#shared/domain/model-stages'
import { decodeBlocks } from '../sources/block-formats'
import {
  BLOCK,
  bitsFor,
  halvesOfHeads,
  joinedRows,
  readBlockWeights,
  reordered,
  reorderedRows,
} from '../sources/block-weights'
import { matrixTensor, readMatrix, readVector, type SourceTensor, type TensorSource } from '../sources/tensor-source'
import type { GraphWriter } from './graph-writer'

/** Products inside use int8 arithmetic: onnxruntime's accuracy level 4. */
const ACCURACY_LEVEL = 4
/** The most that a matrix kept in float32 has: in models of some billions it would cost memory and time, and they feel rounding less. */
const EXACT_ELEMENTS = 2 ** 19

export interface MatrixPart {
  /** the tensor's name */
  name: string
  /** output features that it must have; as many as it has where absent */
  rows?: number
  /** size of a head whose rows stand for rotary pairs side by side: they are put into halves */
  pairedHeads?: number
}

export interface Weights {
  /** output features; of a table, its words */
  rows: number
  /** input · weightsᵀ: [..., columns] to [..., rows] */
  times(input: string, output: string): string
}

export interface Table extends Weights {
  /** The rows of some ids: [...] to [..., columns]. */
  lookUp(ids: string, output: string): string
}

export interface Products {
  /** Stores one matrix, or several below each other. Throws a Failure for a tensor that is missing or of another shape. */
  matrix(parts: readonly MatrixPart[], columns: number): Promise<Weights>
  /**
   * Stores a small matrix whose input must not be rounded, in float32; null where that is no gain: it is so anyway, or too
   * large for that, or has 4 bits. For the values of attention: an error there goes straight into the sum, unlike one in the scores.
   */
  exact(parts: readonly MatrixPart[], columns: number): Promise<Weights | null>
  /** Stores a matrix whose rows are looked up, and which may be a factor as well. */
  table(name: string, columns: number): Promise<Table>
  /** Stores a vector; gives its name. `pairedHeads` as for the rows of a matrix. */
  vector(name: string, size: number, pairedHeads?: number): Promise<string>
}

export function createProducts(source: TensorSource, graph: GraphWriter, precision: ModelPrecision): Products {
  const vector: Products['vector'] = async (name, size, pairedHeads) => {
    const values = await readVector(source, name, size)
    const placed = pairedHeads === undefined ? values : reordered(values, size, halvesOfHeads(pairedHeads))
    return graph.weights(name, placed, [size])
  }
  return precision === 'int8'
    ? {
        vector,
        matrix: (parts, columns) => blockMatrix(source, graph, parts, columns),
        exact: async (parts, columns) => {
          const tensors = tensorsOf(source, parts, columns)
          const rows = tensors.reduce((sum, tensor) => sum + tensor.rows, 0)
          const isSmall = rows * 3 <= columns && rows * columns <= EXACT_ELEMENTS
          const isWorthIt = isSmall && bitsFor(tensors.map((tensor) => tensor.format)) === 8
          return isWorthIt ? floatMatrix(source, graph, parts, columns) : null
        },
        table: (name, columns) => blockMatrix(source, graph, [{ name }], columns),
      }
    : {
        vector,
        matrix: (parts, columns) => floatMatrix(source, graph, parts, columns),
        exact: () => Promise.resolve(null),
        table: (name, columns) => floatTable(source, graph, name, columns),
      }
}

async function blockMatrix(
  source: TensorSource,
  graph: GraphWriter,
  parts: readonly MatrixPart[],
  columns: number,
): Promise<Table> {
  const tensors = tensorsOf(source, parts, columns)
  const bits = bitsFor(tensors.map((tensor) => tensor.format))
  const read = []
  for (const [index, tensor] of tensors.entries()) {
    const weights = await readBlockWeights(source, tensor, bits)
    const size = parts[index]?.pairedHeads
    read.push(size === undefined ? weights : reorderedRows(weights, halvesOfHeads(size)))
  }
  const { rows, values, scales, zeros } = joinedRows(read)
  const name = nameOf(parts)
  const blocks = columns / BLOCK
  const stored = await graph.weights(`${name}.values`, values, [rows, blocks, (BLOCK * bits) / 8])
  const storedScales = await graph.weights(`${name}.scales`, scales, [rows * blocks])
  const storedZeros = zeros && (await graph.weights(`${name}.zeros`, zeros, [rows * blocks]))
  return {
    rows,
    times: (input, output) =>
      graph.node('MatMulNBits', [input, stored, storedScales, ...(storedZeros ? [storedZeros] : [])], output, {
        K: columns,
        N: rows,
        bits,
        block_size: BLOCK,
        accuracy_level: ACCURACY_LEVEL,
      }),
    lookUp: (ids, output) => {
      const flat = graph.integers(`${name}.table.shape`, [rows, (columns * bits) / 8], [2])
      const table = graph.node('Reshape', [stored, flat], `${name}.table`)
      const flatScales = graph.integers(`${name}.table.scales.shape`, [rows, blocks], [2])
      const tableScales = graph.node('Reshape', [storedScales, flatScales], `${name}.table.scales`)
      const inputs = [table, ids, tableScales]
      if (storedZeros) inputs.push(graph.node('Reshape', [storedZeros, flatScales], `${name}.table.zeros`))
      return graph.node('GatherBlockQuantized', inputs, output, {
        bits,
        block_size: BLOCK,
        gather_axis: 0,
        quantize_axis: 1,
      })
    },
  }
}

async function floatMatrix(
  source: TensorSource,
  graph: GraphWriter,
  parts: readonly MatrixPart[],
  columns: number,
): Promise<Weights> {
  const tensors = tensorsOf(source, parts, columns)
  const rows = tensors.reduce((sum, tensor) => sum + tensor.rows, 0)
  const values = new Float32Array(rows * columns)
  let at = 0
  for (const [index, tensor] of tensors.entries()) {
    const decoded = decodeBlocks(tensor.format, await source.read(tensor))
    const size = parts[index]?.pairedHeads
    values.set(size === undefined ? decoded : reordered(decoded, tensor.rows, halvesOfHeads(size)), at)
    at += decoded.length
  }
  const name = await graph.weights(nameOf(parts), transposed(values, rows, columns), [columns, rows])
  return { rows, times: (input, output) => graph.node('MatMul', [input, name], output) }
}

async function floatTable(source: TensorSource, graph: GraphWriter, name: string, columns: number): Promise<Table> {
  const { rows, values } = await readMatrix(source, name, columns)
  const table = await graph.weights(name, values, [rows, columns])
  return {
    rows,
    times: (input, output) => graph.node('MatMul', [input, graph.node('Transpose', [table], `${name}.turned`)], output),
    lookUp: (ids, output) => graph.node('Gather', [table, ids], output, { axis: 0 }),
  }
}

function tensorsOf(source: TensorSource, parts: readonly MatrixPart[], columns: number): SourceTensor[] {
  return parts.map(({ name, rows }) => matrixTensor(source, name, columns, rows))
}

function nameOf(parts: readonly MatrixPart[]): string {
  return parts.map((part) => part.name).join('+')
}

/** [rows, columns] to [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!
  return out
}
