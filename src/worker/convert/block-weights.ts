/** Weights as onnxruntime's MatMulNBits takes them: blocks of 32 along the input, a float32 scale each, no zero points. */
import { decodeBlocks, halfToNumber, type BlockFormat } from './block-formats'

export const BLOCK = 32

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

/**
 * Rows of each head from pairs that lie side by side (0, 1, 2, 3, …) to halves (0, 2, … then 1, 3, …): how the graph's
 * rotary positions pair them.
 */
export function rowsInHalves(weights: BlockWeights, headSize: number): BlockWeights {
  const values = new Uint8Array(weights.values.length)
  const scales = new Float32Array(weights.scales.length)
  const valueBytes = values.length / weights.rows
  const rowScales = scales.length / weights.rows
  for (let row = 0; row < weights.rows; row++) {
    const inHead = row % headSize
    const from = row - inHead + (inHead % (headSize / 2)) * 2 + (inHead < headSize / 2 ? 0 : 1)
    values.set(weights.values.subarray(from * valueBytes, (from + 1) * valueBytes), row * valueBytes)
    scales.set(weights.scales.subarray(from * rowScales, (from + 1) * rowScales), row * rowScales)
  }
  return { ...weights, values, scales }
}
