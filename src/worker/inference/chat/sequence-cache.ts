/** The key-value cache of one request: keys and values of the positions computed so far. */
import { stat } from 'node:fs/promises'
import type { Tensor } from 'onnxruntime-node'
import { message } from '#shared/domain/messages'
import { readGraph } from '../graph/read'
import { damaged } from '../model-files'
import type { Runtime } from '../sessions'

/** One cached tensor of shape [1, heads, positions, headSize], and the names under which the graph takes and gives it. */
export interface CacheInput {
  past: string
  present: string
  type: Tensor.Type
  heads: number
  headSize: number
}

export interface SequenceCache {
  /** Makes room for positions up to `total`; `past` and `outputs` are valid for the next run. */
  prepare(total: number): void
  past(): Record<string, Tensor>
  /** the cache outputs to ask the run for: tensors to write into, or null for new tensors */
  outputs(): Record<string, Tensor | null>
  /** Takes the outputs of a run; the first `total` positions are filled. */
  take(results: Record<string, Tensor>, total: number): void
}

/** Larger graph files are not read only to see how their attention works. */
const MAX_GRAPH_BYTES = 512 * 1024 ** 2
const POSITIONS_PER_STEP = 256

/**
 * Whether the graph writes new keys and values behind the old ones in the same memory. GroupQueryAttention does when past
 * and present are one tensor; then a token needs no copy of the cache.
 */
export async function writesInPlace(path: string, inputs: readonly CacheInput[]): Promise<boolean> {
  if ((await stat(path)).size > MAX_GRAPH_BYTES) return false
  const { nodes } = await readGraph(path)
  const names = new Set(inputs.map((input) => input.past))
  const consumers = nodes.filter((node) => node.inputs.some((name) => names.has(name)))
  return consumers.length > 0 && consumers.every((node) => node.operator === 'GroupQueryAttention')
}

/** A cache whose tensors the graph allocates anew in every run. */
export function createGrowingCache({ Tensor }: Runtime, inputs: readonly CacheInput[]): SequenceCache {
  let tensors = Object.fromEntries(
    inputs.map((input) => [input.past, new Tensor(input.type, buffer(input, 0), [1, input.heads, 0, input.headSize])]),
  )
  return {
    prepare: () => undefined,
    past: () => tensors,
    outputs: () => Object.fromEntries(inputs.map((input) => [input.present, null])),
    take: (results) => {
      tensors = Object.fromEntries(
        inputs.map((input) => {
          const present = results[input.present]
          if (!present) throw new Error(`the graph gave no ${input.present}`)
          return [input.past, present]
        }),
      )
    },
  }
}

/** A cache that the graph writes into; its memory grows by doubling. */
export function createInPlaceCache({ Tensor }: Runtime, inputs: readonly CacheInput[]): SequenceCache {
  let capacity = 0
  let filled = 0
  let buffers = inputs.map((input) => buffer(input, 0))
  let tensors: Tensor[] = []
  return {
    prepare: (total) => {
      if (total <= capacity) return
      const before = capacity
      capacity = Math.max(2 * capacity, Math.ceil(total / POSITIONS_PER_STEP) * POSITIONS_PER_STEP)
      buffers = inputs.map((input, index) => {
        const grown = buffer(input, capacity)
        for (let head = 0; head < input.heads; head++) {
          const start = head * before * input.headSize
          const old = buffers[index]
          if (old) grown.set(old.subarray(start, start + filled * input.headSize), head * capacity * input.headSize)
        }
        return grown
      })
      tensors = inputs.map((input, index) => {
        return new Tensor(input.type, buffers[index] ?? buffer(input, capacity), [
          1,
          input.heads,
          capacity,
          input.headSize,
        ])
      })
    },
    past: () =>
      Object.fromEntries(inputs.flatMap((input, index) => (tensors[index] ? [[input.past, tensors[index]]] : []))),
    outputs: () => Object.fromEntries(inputs.map((input, index) => [input.present, tensors[index] ?? null])),
    take: (_, total) => {
      filled = total
    },
  }
}

function buffer(input: CacheInput, positions: number): Float32Array | Uint16Array {
  const elements = input.heads * positions * input.headSize
  if (input.type === 'float32') return new Float32Array(elements)
  if (input.type === 'float16') return new Uint16Array(elements)
  throw damaged(message('run-element-type', { file: input.past, type: input.type }))
}
