/**
 * Keys and values of several requests in one block of memory, for graphs that read their cache and put out what is new
 * (convert/decoder-attention.ts): a run is given the block as it stands, and what it gives back is written behind.
 */
import type { Tensor } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import type { Runtime } from '../sessions'

/** Element type float32 throughout. */
export interface KeyValueShape {
  /** a layer's pair of inputs: [rows, heads, 1, positions, headSize] each */
  inputs: readonly { key: string; value: string }[]
  heads: number
  headSize: number
}

/** What a run gives back: [rows, layers × heads, 1, tokens, headSize] each. */
export interface NewKeyValues {
  keys: Float32Array
  values: Float32Array
  tokens: number
}

export interface KeyValueBlock {
  readonly rows: number
  /** positions a row has room for */
  readonly capacity: number
  readonly bytes: number
  /** The first rows, as the graph takes them; they stay valid while the block does. */
  tensors(rows: number): Record<string, Tensor>
  /** Writes what a run gave in its row `runRow` into `row`, from `position` on. */
  append(row: number, position: number, given: NewKeyValues, runRow: number): void
  /** Writes the first positions of a row of another block, or of this one, into `row`. */
  copyRow(row: number, from: KeyValueBlock, fromRow: number, positions: number): void
  readonly buffers: readonly Float32Array[]
}

export function bytesOf({ inputs, heads, headSize }: KeyValueShape, rows: number, capacity: number): number {
  return 2 * inputs.length * rows * heads * capacity * headSize * Float32Array.BYTES_PER_ELEMENT
}

/** Throws a Failure `out-of-memory` when there is no memory for it: `free` says how many bytes may be taken. */
export function createKeyValueBlock(
  { Tensor }: Runtime,
  shape: KeyValueShape,
  size: { rows: number; capacity: number },
  free: () => number,
): KeyValueBlock {
  const { inputs, heads, headSize } = shape
  const { rows, capacity } = size
  const headStride = capacity * headSize
  const rowStride = heads * headStride
  const names = inputs.flatMap(({ key, value }) => [key, value])
  const bytes = bytesOf(shape, rows, capacity)
  const buffers = allocate(names.length, rows * rowStride, bytes, free)
  let viewed: Record<string, Tensor> = {}
  let viewedRows = 0

  return {
    rows,
    capacity,
    bytes,
    buffers,
    tensors: (count) => {
      if (count === viewedRows) return viewed
      const dimensions = [count, heads, 1, capacity, headSize]
      viewed = Object.fromEntries(
        names.map((name, index) => [
          name,
          new Tensor('float32', buffers[index]!.subarray(0, count * rowStride), dimensions),
        ]),
      )
      viewedRows = count
      return viewed
    },
    append: (row, position, { keys, values, tokens }, runRow) => {
      const length = tokens * headSize
      buffers.forEach((buffer, index) => {
        const given = index % 2 === 0 ? keys : values
        const layer = index >> 1
        for (let head = 0; head < heads; head++) {
          const from = ((runRow * inputs.length + layer) * heads + head) * length
          const to = row * rowStride + head * headStride + position * headSize
          // a view for each of these would cost more than its few numbers
          if (tokens === 1) for (let index = 0; index < headSize; index++) buffer[to + index] = given[from + index]!
          else buffer.set(given.subarray(from, from + length), to)
        }
      })
    },
    copyRow: (row, from, fromRow, positions) => {
      const length = positions * headSize
      const fromHead = from.capacity * headSize
      buffers.forEach((buffer, index) => {
        const source = from.buffers[index]!
        for (let head = 0; head < heads; head++) {
          const start = (fromRow * heads + head) * fromHead
          buffer.set(source.subarray(start, start + length), row * rowStride + head * headStride)
        }
      })
    },
  }
}

function allocate(count: number, elements: number, bytes: number, free: () => number): Float32Array[] {
  if (bytes <= free()) {
    try {
      return Array.from({ length: count }, () => new Float32Array(elements))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  throw outOfMemory(bytes)
}

export function outOfMemory(bytes?: number): Failure {
  const size = bytes === undefined ? '' : `: ${Math.ceil(bytes / 1e6)} MB more are needed`
  return new Failure(
    'out-of-memory',
    `there is not enough memory for this conversation beside the others${size}`,
    'Ask again later, shorten the text, or choose a smaller model.',
  )
}
