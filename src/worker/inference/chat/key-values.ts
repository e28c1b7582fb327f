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
  /** heads of queries that share one of these */
  group: number
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
  /** positions of a row, as a run sees it */
  readonly capacity: number
  /** the most that `resize` can make of that */
  readonly reserve: number
  readonly bytes: number
  /** Gives every row so many positions, in the same memory; what rows hold stays, as far as there is room. */
  resize(capacity: number): void
  /** The first rows, as the graph takes them, until the next `resize`. */
  tensors(rows: number): Record<string, Tensor>
  /** Writes what a run gave in its row `runRow` into `row`, from `position` on. */
  append(row: number, position: number, given: NewKeyValues, runRow: number): void
  /** Writes the first positions of a row of another block, or of this one, into `row`. */
  copyRow(row: number, from: KeyValueBlock, fromRow: number, positions: number): void
  readonly buffers: readonly Float32Array[]
}

function bytesOf({ inputs, heads, headSize }: KeyValueShape, rows: number, capacity: number): number {
  return 2 * inputs.length * rows * heads * capacity * headSize * Float32Array.BYTES_PER_ELEMENT
}

/**
 * Throws a Failure `out-of-memory` when there is no memory for it: `free` says how many bytes may be taken. Positions that
 * were never written hold numbers, which a run's bias hides.
 */
export function createKeyValueBlock(
  { Tensor }: Runtime,
  shape: KeyValueShape,
  size: { rows: number; capacity: number; reserve: number },
  free: () => number,
): KeyValueBlock {
  const { inputs, heads, headSize } = shape
  const { rows, reserve } = size
  let { capacity } = size
  const headStride = (): number => capacity * headSize
  const rowStride = (): number => heads * headStride()
  const names = inputs.flatMap(({ key, value }) => [key, value])
  const bytes = bytesOf(shape, rows, reserve)
  const buffers = allocate(names.length, rows * heads * reserve * headSize, bytes, free)
  let viewed: Record<string, Tensor> = {}
  let viewedRows = 0

  return {
    rows,
    reserve,
    bytes,
    buffers,
    get capacity() {
      return capacity
    },
    resize: (wanted) => {
      const [from, to] = [capacity * headSize, wanted * headSize]
      const kept = Math.min(from, to)
      const count = rows * heads
      for (const buffer of buffers) {
        // outwards from the end, inwards from the beginning: nothing is overwritten before it has moved
        if (to > from)
          for (let head = count - 1; head > 0; head--) buffer.copyWithin(head * to, head * from, head * from + kept)
        else for (let head = 1; head < count; head++) buffer.copyWithin(head * to, head * from, head * from + kept)
      }
      capacity = wanted
      viewedRows = 0
    },
    tensors: (count) => {
      if (count === viewedRows) return viewed
      const dimensions = [count, heads, 1, capacity, headSize]
      viewed = Object.fromEntries(
        names.map((name, index) => [
          name,
          new Tensor('float32', buffers[index]!.subarray(0, count * rowStride()), dimensions),
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
          const to = row * rowStride() + head * headStride() + position * headSize
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
          buffer.set(source.subarray(start, start + length), row * rowStride() + head * headStride())
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
