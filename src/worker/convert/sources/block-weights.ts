/** Weights as onnxruntime's MatMulNBits takes them: blocks of 32 along the input, a float32 scale and perhaps a zero point each. */
import { message } from '#shared/domain/messages'
import { decodeBlocks, halfToNumber, type BlockFormat } from './block-formats'
import { refuse, type SourceTensor, type TensorSource } from './tensor-source'

export const BLOCK = 32
/** Elements that are read and converted at a time, so that a large table costs little memory beside what it becomes. */
const PART_ELEMENTS = 2 ** 24

export interface BlockWeights {
  bits: 4 | 8
  rows: number
  columns: number
  /** [rows, columns / 32, 32 × bits / 8]: w = scale · (q − zero), for 4 bits the earlier element in the lower half */
  values: Uint8Array
  /** [rows, columns / 32] */
  scales: Float32Array
  /** [rows, columns / 32], for 8 bits only; where null, zero is 128, or 8 for 4 bits */
  zeros: Uint8Array | null
}

/** Q4_0 has the very same blocks; everything else becomes 8 bits. */
export function bitsFor(formats: readonly BlockFormat[]): 4 | 8 {
  return formats.every((format) => format.name === 'Q4_0') ? 4 : 8
}

/** A whole tensor, read in parts. Throws a Failure where its rows are not whole blocks. */
export async function readBlockWeights(source: TensorSource, tensor: SourceTensor, bits: 4 | 8): Promise<BlockWeights> {
  const { rows, columns, format } = tensor
  if (columns % BLOCK !== 0)
    throw refuse(
      message('model-tensor-not-whole-blocks', { file: source.fileName, tensor: tensor.name, columns, block: BLOCK }),
    )
  const values = new Uint8Array((rows * columns * bits) / 8)
  const scales = new Float32Array((rows * columns) / BLOCK)
  let zeros: Uint8Array | null = null
  const step = Math.max(1, Math.floor(PART_ELEMENTS / columns))
  for (let row = 0; row < rows; row += step) {
    const part = { rows: Math.min(step, rows - row), columns }
    const weights = toBlockWeights(format, await source.read(tensor, row, part.rows), part, bits)
    values.set(weights.values, (row * columns * bits) / 8)
    scales.set(weights.scales, (row * columns) / BLOCK)
    zeros ??= weights.zeros && new Uint8Array(scales.length)
    if (weights.zeros) zeros?.set(weights.zeros, (row * columns) / BLOCK)
  }
  return { bits, rows, columns, values, scales, zeros }
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
  const weights = decodeBlocks(format, bytes)
  const steps = stepsOf(format, bytes)
  return steps === null ? quantizeEightBits(weights, shape) : wholeSteps(weights, steps, shape)
}

/** The step of every block of 32; null where the format has none. */
function stepsOf(format: BlockFormat, bytes: Uint8Array): Float64Array | null {
  if (!format.step) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts = format.elements / BLOCK
  const steps = new Float64Array((bytes.byteLength / format.bytes) * parts)
  for (let index = 0; index < steps.length; index++)
    steps[index] = format.step(view, Math.floor(index / parts) * format.bytes, index % parts)
  return steps
}

/**
 * Blocks of 8 bits whose steps are a whole part of the file's own, so that the numbers of a block keep their distances
 * exactly. Where 0 falls between two steps (Q4_1, Q5_1, the K formats), the part is chosen for which it is off by least:
 * by at most some hundredth of the file's step.
 */
function wholeSteps(
  weights: Float32Array,
  steps: Float64Array,
  { rows, columns }: { rows: number; columns: number },
): BlockWeights {
  const values = new Uint8Array(weights.length)
  const scales = new Float32Array(steps.length)
  const zeros = new Uint8Array(steps.length)
  for (let block = 0; block < steps.length; block++) {
    const step = Math.abs(steps[block]!)
    const from = block * BLOCK
    let least = Infinity
    let most = -Infinity
    for (let index = from; index < from + BLOCK; index++) {
      least = Math.min(least, weights[index]!)
      most = Math.max(most, weights[index]!)
    }
    const { parts, zero } = divisionOf(least / step, Math.round((most - least) / step))
    if (parts === 0) {
      // Numbers far from 0 that hardly differ: their distances do not fit into 8 bits beside it.
      const rounded = quantizeEightBits(weights.subarray(from, from + BLOCK), { rows: 1, columns: BLOCK })
      values.set(rounded.values, from)
      scales[block] = rounded.scales[0]!
      zeros[block] = 128
      continue
    }
    scales[block] = step / parts
    const lowest = Math.max(0, -zero)
    zeros[block] = zero + lowest
    for (let index = from; index < from + BLOCK; index++)
      values[index] = parts * Math.round((weights[index]! - least) / step) + lowest
  }
  return { bits: 8, rows, columns, values, scales, zeros: zeros.every((zero) => zero === 128) ? null : zeros }
}

/**
 * Into how many parts a step is cut, and how many of them 0 lies above the least number. `least` and `span`, from there to
 * the largest number, in steps. 0 parts: does not fit.
 */
function divisionOf(least: number, span: number): { parts: number; zero: number } {
  const range = Math.max(span, -least) - Math.min(0, -least)
  const most = Number.isFinite(range) ? Math.min(254, Math.floor(254 / range)) : 0
  let best = { parts: 0, zero: 0 }
  let smallest = Infinity
  for (let parts = most; parts > 0; parts--) {
    const zero = Math.round(-least * parts)
    const error = Math.abs(zero / parts + least)
    if (error < smallest) {
      smallest = error
      best = { parts, zero }
    }
  }
  return best
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
  return { bits: 8, rows, columns, values, scales, zeros: null }
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
  return { bits: 8, rows, columns, values, scales, zeros: null }
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
  return { bits: 4, rows, columns, values, scales, zeros: null }
}

/** The rows of several matrices, one below the other. */
export function joinedRows(parts: readonly BlockWeights[]): BlockWeights {
  const [first] = parts
  if (!first || parts.length === 1) return first!
  const values = new Uint8Array(parts.reduce((sum, part) => sum + part.values.length, 0))
  const scales = new Float32Array(parts.reduce((sum, part) => sum + part.scales.length, 0))
  const zeros = parts.some((part) => part.zeros) ? new Uint8Array(scales.length).fill(128) : null
  let valueAt = 0
  let scaleAt = 0
  for (const part of parts) {
    values.set(part.values, valueAt)
    scales.set(part.scales, scaleAt)
    if (part.zeros) zeros?.set(part.zeros, scaleAt)
    valueAt += part.values.length
    scaleAt += part.scales.length
  }
  return { ...first, rows: parts.reduce((sum, part) => sum + part.rows, 0), values, scales, zeros }
}

/** The same weights with the rows in the order of `from`, which gives for each row where it comes from. */
export function reorderedRows(weights: BlockWeights, from: (row: number) => number): BlockWeights {
  return {
    ...weights,
    values: reordered(weights.values, weights.rows, from),
    scales: reordered(weights.scales, weights.rows, from),
    zeros: weights.zeros && reordered(weights.zeros, weights.rows, from),
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
