/** Keys and values of the positions computed so far. */
import { stat } from 'node:fs/promises'
import type { Tensor } from 'onnxruntime-node'
import { readGraph } from '../graph/read'
import { damaged } from '../model-files'
import type { Runtime } from '../sessions'

/** One cached tensor of shape [1, heads, positions, headSize]: what goes in as `past` comes out as `present`. */
export interface CacheSlot {
  past: string
  present: string
  type: Tensor.Type
  heads: number
  headSize: number
}

export interface KeyValueCache {
  /** makes room for positions up to `total`; then `past` and `outputs` are what a run takes */
  prepare(total: number): void
  past(): Record<string, Tensor>
  /** what to ask of the run besides `names`: tensors to write into, or null for new ones */
  outputs(): Record<string, Tensor | null>
  /** takes over what a run gave; the first `total` positions count */
  take(results: Record<string, Tensor>, total: number): void
}

/** Reading a graph only to see how its attention works is not worth more than this. */
const MAX_GRAPH_BYTES = 512 * 1024 ** 2
const POSITIONS_PER_STEP = 256

/**
 * Whether the graph writes new keys and values behind the old ones in the same memory. GroupQueryAttention does, when
 * past and present are one tensor; then a token costs no copy of all that went before.
 */
export async function writesInPlace(path: string, slots: readonly CacheSlot[]): Promise<boolean> {
  if ((await stat(path)).size > MAX_GRAPH_BYTES) return false
  const { nodes } = await readGraph(path)
  const names = new Set(slots.map((slot) => slot.past))
  const consumers = nodes.filter((node) => node.inputs.some((name) => names.has(name)))
  return consumers.length > 0 && consumers.every((node) => node.operator === 'GroupQueryAttention')
}

/** A cache whose tensors the graph makes anew with every run. */
export function createGrowingCache({ Tensor }: Runtime, slots: readonly CacheSlot[]): KeyValueCache {
  let tensors = Object.fromEntries(
    slots.map((slot) => [slot.past, new Tensor(slot.type, buffer(slot, 0), [1, slot.heads, 0, slot.headSize])]),
  )
  return {
    prepare: () => undefined,
    past: () => tensors,
    outputs: () => Object.fromEntries(slots.map((slot) => [slot.present, null])),
    take: (results) => {
      tensors = Object.fromEntries(
        slots.map((slot) => {
          const present = results[slot.present]
          if (!present) throw new Error(`the graph gave no ${slot.present}`)
          return [slot.past, present]
        }),
      )
    },
  }
}

/** A cache that the graph writes into; it grows by doubling. */
export function createInPlaceCache({ Tensor }: Runtime, slots: readonly CacheSlot[]): KeyValueCache {
  let capacity = 0
  let filled = 0
  let buffers = slots.map((slot) => buffer(slot, 0))
  let tensors: Tensor[] = []
  return {
    prepare: (total) => {
      if (total <= capacity) return
      const before = capacity
      capacity = Math.max(2 * capacity, Math.ceil(total / POSITIONS_PER_STEP) * POSITIONS_PER_STEP)
      buffers = slots.map((slot, index) => {
        const grown = buffer(slot, capacity)
        for (let head = 0; head < slot.heads; head++) {
          const start = head * before * slot.headSize
          const old = buffers[index]
          if (old) grown.set(old.subarray(start, start + filled * slot.headSize), head * capacity * slot.headSize)
        }
        return grown
      })
      tensors = slots.map((slot, index) => {
        return new Tensor(slot.type, buffers[index] ?? buffer(slot, capacity), [1, slot.heads, capacity, slot.headSize])
      })
    },
    past: () =>
      Object.fromEntries(slots.flatMap((slot, index) => (tensors[index] ? [[slot.past, tensors[index]]] : []))),
    outputs: () => Object.fromEntries(slots.map((slot, index) => [slot.present, tensors[index] ?? null])),
    take: (_, total) => {
      filled = total
    },
  }
}

function buffer(slot: CacheSlot, positions: number): Float32Array | Uint16Array {
  const elements = slot.heads * positions * slot.headSize
  if (slot.type === 'float32') return new Float32Array(elements)
  if (slot.type === 'float16') return new Uint16Array(elements)
  throw damaged(slot.past, `has elements of type ${slot.type}, where float32 or float16 is needed`)
}
