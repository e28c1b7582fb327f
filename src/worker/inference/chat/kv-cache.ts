/**
 * The key-value cache of several requests in one block of memory, one slot for each request. It is for graphs that read
 * their cache and put out new keys and values only (convert/graphs/attention.ts): a run reads the cache as it is, and
 * `append` writes the new keys and values behind the old ones.
 */
import type { Tensor } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { Runtime } from '../sessions'

/** Element type float32 throughout. */
export interface KvCacheShape {
  /** a layer's pair of inputs: [slots, heads, 1, positions, headSize] each */
  inputs: readonly { key: string; value: string }[]
  heads: number
  /** heads of queries that share one head of keys and values */
  group: number
  headSize: number
}

/** What a run puts out: [rows, layers × heads, 1, tokens, headSize] each. Row r belongs to slot r. */
export interface NewKeysAndValues {
  keys: Float32Array
  values: Float32Array
  tokens: number
}

export interface KvCache {
  readonly slots: number
  /** positions of a slot that a run reads */
  readonly capacity: number
  /** the largest capacity that `resize` can set */
  readonly reserve: number
  readonly bytes: number
  /** Sets the capacity of every slot, in the same memory; positions beyond the new capacity are dropped. */
  resize(capacity: number): void
  /** The first `slots` slots as inputs of the graph, valid until the next `resize`. */
  tensors(slots: number): Record<string, Tensor>
  /** Writes row `runRow` of a run's output into `slot`, from `position` on. */
  append(slot: number, position: number, output: NewKeysAndValues, runRow: number): void
  /** Copies the first positions of a slot of another cache, or of this one, into `slot`. */
  copySlot(slot: number, from: KvCache, fromSlot: number, positions: number): void
  readonly buffers: readonly Float32Array[]
}

function bytesOf({ inputs, heads, headSize }: KvCacheShape, slots: number, capacity: number): number {
  return 2 * inputs.length * slots * heads * capacity * headSize * Float32Array.BYTES_PER_ELEMENT
}

/**
 * Throws a Failure `out-of-memory` when there is no memory for the cache: `free` says how many bytes may be taken.
 * Positions that were never written hold zeros or old numbers; the attention bias of a run hides them.
 */
export function createKvCache(
  { Tensor }: Runtime,
  shape: KvCacheShape,
  size: { slots: number; capacity: number; reserve: number },
  free: () => number,
): KvCache {
  const { inputs, heads, headSize } = shape
  const { slots, reserve } = size
  let { capacity } = size
  const headStride = (): number => capacity * headSize
  const slotStride = (): number => heads * headStride()
  const names = inputs.flatMap(({ key, value }) => [key, value])
  const bytes = bytesOf(shape, slots, reserve)
  const buffers = allocate(names.length, slots * heads * reserve * headSize, bytes, free)
  let viewed: Record<string, Tensor> = {}
  let viewedSlots = 0

  return {
    slots,
    reserve,
    bytes,
    buffers,
    get capacity() {
      return capacity
    },
    resize: (wanted) => {
      const [from, to] = [capacity * headSize, wanted * headSize]
      const kept = Math.min(from, to)
      const count = slots * heads
      for (const buffer of buffers) {
        // Growing moves heads from the last one on, shrinking from the first: no head is overwritten before it has moved.
        if (to > from)
          for (let head = count - 1; head > 0; head--) buffer.copyWithin(head * to, head * from, head * from + kept)
        else for (let head = 1; head < count; head++) buffer.copyWithin(head * to, head * from, head * from + kept)
      }
      capacity = wanted
      viewedSlots = 0
    },
    tensors: (count) => {
      if (count === viewedSlots) return viewed
      const dimensions = [count, heads, 1, capacity, headSize]
      viewed = Object.fromEntries(
        names.map((name, index) => [
          name,
          new Tensor('float32', buffers[index]!.subarray(0, count * slotStride()), dimensions),
        ]),
      )
      viewedSlots = count
      return viewed
    },
    append: (slot, position, { keys, values, tokens }, runRow) => {
      const length = tokens * headSize
      buffers.forEach((buffer, index) => {
        const output = index % 2 === 0 ? keys : values
        const layer = index >> 1
        for (let head = 0; head < heads; head++) {
          const from = ((runRow * inputs.length + layer) * heads + head) * length
          const to = slot * slotStride() + head * headStride() + position * headSize
          // Making a view for so few numbers would cost more than copying them one by one.
          if (tokens === 1) for (let index = 0; index < headSize; index++) buffer[to + index] = output[from + index]!
          else buffer.set(output.subarray(from, from + length), to)
        }
      })
    },
    copySlot: (slot, from, fromSlot, positions) => {
      const length = positions * headSize
      const fromHead = from.capacity * headSize
      buffers.forEach((buffer, index) => {
        const source = from.buffers[index]!
        for (let head = 0; head < heads; head++) {
          const start = (fromSlot * heads + head) * fromHead
          buffer.set(source.subarray(start, start + length), slot * slotStride() + head * headStride())
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
  const words =
    bytes === undefined
      ? message('chat-memory-short')
      : message('chat-memory-short-by', { megabytes: Math.ceil(bytes / 1e6) })
  return new Failure('out-of-memory', words)
}
