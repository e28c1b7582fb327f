/** Weights as onnxruntime's MatMulNBits takes them: blocks of 32 along the input, a float32 scale each, no zero points. */
import { decodeBlocks, halfToNumber, type BlockFormat } from './block-formats'
import { refuse, type SourceTensor, type TensorSource } from './tensor-source'

export const BLOCK = 32
/** Elements that are read and converted at a time, so that a large table costs little memory beside what it becomes. */
const PART_ELEMENTS = 2 ** 24

export interface BlockWeights {
  bits: 4 | 8
  rows: number
  columns: number
  /** [rows, columns / 32, 32 × bits / 8]: unsigned around 8 or 128, for 4 bits the earlier element in the lower half */
  values: Uint8Array
  /** [rows, columns / 32] */
  scales: Float32Array
}

/** Q4_0 and Q8_0 have the very same blocks and lose nothing; everything else becomes 8 bits. */
export function bitsFor(formats: readonly BlockFormat[]): 4 | 8 {
  return formats.every((format) => format.name === 'Q4_0') ? 4 : 8
}

/** A whole tensor, read in parts. Throws a Failure where its rows are not whole blocks. */
export async function readBlockWeights(source: TensorSource, tensor: SourceTensor, bits: 4 | 8): Promise<BlockWeights> {
  const { rows, columns, format } = tensor
  if (columns % BLOCK !== 0)
    throw refuse(source.fileName, `has ${tensor.name} with ${columns} columns, which are not whole blocks of ${BLOCK}`)
  const values = new Uint8Array((rows * columns * bits) / 8)
  const scales = new Float32Array((rows * columns) / BLOCK)
  const step = Math.max(1, Math.floor(PART_ELEMENTS / columns))
  for (let row = 0; row < rows; row += step) {
    const part = { rows: Math.min(step, rows - row), columns }
    const weights = toBlockWeights(format, await source.read(tensor, row, part.rows), part, bits)
    values.set(weights.values, (row * columns * bits) / 8)
    scales.set(weights.scales, (row * columns) / BLOCK)
  }
  return { bits, rows, columns, values, scales }
}

/** `bytes`: the tensor's, row by row. `columns` is a multiple of 32. `bits` 4 only for Q4_0. */
export function toBlockWeights(
  format: BlockFormat,
  bytes: Uint8Array,
  shape: { rows: number; columns: number },
  bits: 4 | 8,
): BlockWeights {
  if (format.name === 'Q4_0' && bits === 4) return repackFourBits(bytes, shape)
  if (format.name === 'Q8_0') return repackEightBits(bytes, shape)
  return quantizeEightBits(decodeBlocks(format, bytes), shape)
}

/** w ≈ scale · (q − 128), scale = the block's largest |w| / 127. */
export function quantizeEightBits(
  weights: Float32Array,
  { rows, columns }: { rows: number; columns: number },
): BlockWeights {
  const blocks = weights.length / BLOCK
  const values = new Uint8Array(weights.length)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK
    let most = 0
    for (let index = from; index < from + BLOCK; index++) most = Math.max(most, Math.abs(weights[index]!))
    const scale = most / 127
    scales[block] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    for (let index = from; index < from + BLOCK; index++) values[index] = Math.round(weights[index]! * inverse) + 128
  }
  return { bits: 8, rows, columns, values, scales }
}

function repackEightBits(bytes: Uint8Array, { rows, columns }: { rows: number; columns: number }): BlockWeights {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks = (rows * columns) / BLOCK
  const values = new Uint8Array(rows * columns)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const at = block * 34
    scales[block] = halfToNumber(view.getUint16(at, true))
    for (let index = 0; index < BLOCK; index++) values[block * BLOCK + index] = bytes[at + 2 + index]! ^ 0x80
  }
  return { bits: 8, rows, columns, values, scales }
}

function repackFourBits(bytes: Uint8Array, { rows, columns }: { rows: number; columns: number }): BlockWeights {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks = (rows * columns) / BLOCK
  const values = new Uint8Array((rows * columns) / 2)
  const scales = new Float32Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const at = block * 18 + 2
    scales[block] = halfToNumber(view.getUint16(block * 18, true))
    for (let pair = 0; pair < 8; pair++) {
      const [first, second] = [bytes[at + 2 * pair]!, bytes[at + 2 * pair + 1]!]
      values[block * 16 + pair] = (first & 15) | ((second & 15) << 4)
      values[block * 16 + 8 + pair] = (first >> 4) | (second & 0xf0)
    }
  }
  return { bits: 4, rows, columns, values, scales }
}

/** The rows of several matrices, one below the other. */
export function joinedRows(parts: readonly BlockWeights[]): BlockWeights {
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

/** The same weights with the rows in the order of `from`, which gives for each row where it comes from. */
export function reorderedRows(weights: BlockWeights, from: (row: number) => number): BlockWeights {
  return {
    ...weights,
    values: reordered(weights.values, weights.rows, from),
    scales: reordered(weights.scales, weights.rows, from),
  }
}

/** Rows of an array of equal rows, in another order. */
export function reordered<T extends Uint8Array | Float32Array>(
  values: T,
  rows: number,
  from: (row: number) => number,
): T {
  const size = values.length / rows
  const out = values.slice() as T
  for (let row = 0; row < rows; row++) out.set(values.subarray(from(row) * size, (from(row) + 1) * size), row * size)
  return out
}

/**
 * Where the rows of each head come from when pairs that lie side by side (0, 1, 2, 3, …) are to stand in halves
 * (0, 2, … then 1, 3, …): how the graph's rotary positions pair them.
 */
export function halvesOfHeads(headSize: number): (row: number) => number {
  return (row) => {
    const inHead = row % headSize
    return row - inHead + (inHead % (headSize / 2)) * 2 + (inHead < headSize / 2 ? 0 : 1)
  }
}
