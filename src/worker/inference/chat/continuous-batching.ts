/**
 * Continuous batching, for graphs that Lode built: one run computes the next token of every request. A prompt is prefilled
 * in a cache of its own; then its keys and values are copied into a slot of the shared cache.
 */
import type { Tensor } from 'onnxruntime-node'
import { message } from '#shared/domain/messages'
import { damaged } from '../model-files'
import { createKvCache, type KvCache, type KvCacheShape, type NewKeysAndValues } from './kv-cache'
import type { ChatModel } from './model'
import { createPrefixCache } from './prefix-cache'
import type { Sequence, Sequences } from './sequences'

/** The capacity of the shared cache grows by at least so many positions. */
const POSITIONS_PER_STEP = 64
/** From one power of two to the next, the capacity grows in so many steps. Steps are small because a run reads the whole capacity. */
const STEPS = 8
/** Memory of the shared cache as a multiple of what it needs now, so that it can grow in place for a while. */
const SHARED_CACHE_RESERVE = 1.25
/** Memory of the prefix cache. */
const PREFIX_CACHE_BYTES = 128 * 1024 ** 2

interface BatchedSequence extends Sequence {
  /** its slot in the shared cache; −1 until its prompt is prefilled */
  slot: number
  /** positions in the cache */
  length: number
}

/** `free`: bytes of memory that may still be taken. */
export function createContinuousBatching(model: ChatModel, shape: KvCacheShape, free: () => number): Sequences {
  const { runtime } = model
  const prefixCache = createPrefixCache(
    {
      wholeChunks: (positions) => wholeChunks(positions, model.prefillChunkTokens),
      lastChunkStart: (length) => lastChunkStart(length, model.prefillChunkTokens),
    },
    PREFIX_CACHE_BYTES,
  )
  const newCache = (slots: number, capacity: number, reserve: number): KvCache =>
    createKvCache(runtime, shape, { slots, capacity, reserve }, free)
  /** what the first chunk of a prompt reads: one position, which the attention bias hides */
  const emptyCache = createKvCache(runtime, shape, { slots: 1, capacity: 1, reserve: 1 }, () => Infinity)
  let sharedCache = emptyCache
  /** in the order of their slots */
  const members: BatchedSequence[] = []

  /** Makes the shared cache fit so many slots and positions; the members keep their slots. */
  const fitCache = (slots: number, positions: number): void => {
    const capacity = capacityFor(positions)
    const fits = slots <= sharedCache.slots && capacity <= sharedCache.reserve
    const isWasteful = sharedCache.slots > 2 * slots || sharedCache.reserve > 4 * capacity
    if (fits && !isWasteful) {
      if (capacity !== sharedCache.capacity) sharedCache.resize(capacity)
      return
    }
    const fitting = newCache(slots, capacity, Math.ceil(capacity * SHARED_CACHE_RESERVE))
    for (const member of members) fitting.copySlot(member.slot, sharedCache, member.slot, member.length)
    sharedCache = fitting
  }
  const longest = (): number => members.reduce((most, { length }) => Math.max(most, length), 0)

  const join = (sequence: BatchedSequence, from: KvCache): void => {
    fitCache(members.length + 1, Math.max(longest(), sequence.length) + 1)
    sharedCache.copySlot(members.length, from, 0, sequence.length)
    sequence.slot = members.push(sequence) - 1
  }
  const leave = (sequence: BatchedSequence): void => {
    if (members[sequence.slot] !== sequence) return
    const last = members.pop()!
    if (last !== sequence) {
      sharedCache.copySlot(sequence.slot, sharedCache, last.slot, last.length)
      members[sequence.slot] = last
      last.slot = sequence.slot
    }
    sequence.slot = -1
    if (members.length === 0) sharedCache = emptyCache
  }

  const open = (prompt: readonly number[]): Sequence => {
    let own: KvCache | undefined
    /** A cache with memory for the whole prompt, filled from the prefix cache. Its capacity is what is filled, so that a chunk reads nothing else. */
    const begin = (): KvCache => {
      const known = prefixCache.find(prompt)
      sequence.length = known?.positions ?? 0
      const started = newCache(1, sequence.length, prompt.length)
      if (known) started.copySlot(0, known.cache, 0, known.positions)
      return started
    }
    const sequence: BatchedSequence = {
      slot: -1,
      length: 0,
      get prefilled() {
        return Math.min(sequence.length, prompt.length)
      },
      prefill: async () => {
        own ??= begin()
        const start = sequence.length
        const ids = prompt.slice(start, chunkEnd(start, prompt.length, model.prefillChunkTokens))
        const last = start + ids.length === prompt.length
        const past = start === 0 ? emptyCache : own
        const output = await runGraph(model, past.tensors(1), past.capacity, [{ ids, length: start }], last)
        own.resize(start + ids.length)
        own.append(0, start, output, 0)
        sequence.length += ids.length
        if (!last) return { from: start, logits: null }
        join(sequence, own)
        prefixCache.keep(prompt, own)
        own = undefined
        return { from: start, logits: output.logits(0) }
      },
      close: () => {
        own = undefined
        leave(sequence)
      },
    }
    return sequence
  }

  return {
    open,
    step: async (next) => {
      fitCache(members.length, longest() + 1)
      const ids = new Map(next.map(({ sequence, id }) => [sequence, id]))
      const rows = members.map((member) => {
        const id = ids.get(member)
        if (id === undefined) throw new Error('a sequence has no next token')
        return { ids: [id], length: member.length }
      })
      const output = await runGraph(model, sharedCache.tensors(members.length), sharedCache.capacity, rows, true)
      for (const member of members) sharedCache.append(member.slot, member.length++, output, member.slot)
      return next.map(({ sequence }) => output.logits((sequence as BatchedSequence).slot))
    },
  }
}

/**
 * The size of the chunk that begins at `start`. A prompt is cut into two small chunks, so that short prefixes can be reused,
 * and then into chunks of twice that size, which are faster.
 */
function chunkTokens(start: number, small: number): number {
  return start < 2 * small ? small : 2 * small
}

/** How many of the first `positions` positions are in whole chunks. */
function wholeChunks(positions: number, small: number): number {
  return positions - (positions % chunkTokens(positions, small))
}

/** Where the chunk of a prompt that begins at `start` ends. It includes a small remainder of the prompt, because a run of few tokens would read all weights too. */
function chunkEnd(start: number, length: number, small: number): number {
  const end = start + chunkTokens(start, small)
  return length - end <= small / 2 ? length : end
}

/** Where the last chunk of a prompt begins: before it there are whole chunks only. */
function lastChunkStart(length: number, small: number): number {
  let start = 0
  for (let end = chunkEnd(0, length, small); end < length; end = chunkEnd(start, length, small)) start = end
  return start
}

/**
 * A capacity for at least so many positions. It depends on their number only: sums over a wider row round differently, and
 * no bit of an answer may depend on earlier requests.
 */
function capacityFor(positions: number): number {
  const step = Math.max(POSITIONS_PER_STEP, 2 ** Math.floor(Math.log2(positions)) / STEPS)
  return Math.ceil(positions / step) * step
}

interface Row {
  /** the same number in every row */
  ids: readonly number[]
  /** positions of this row in the cache */
  length: number
}

async function runGraph(
  model: ChatModel,
  past: Record<string, Tensor>,
  capacity: number,
  rows: readonly Row[],
  wantLogits: boolean,
): Promise<NewKeysAndValues & { logits(row: number): Float32Array }> {
  const { Tensor } = model.runtime
  const tokens = rows[0]?.ids.length ?? 0
  const ids = rows.flatMap((row) => row.ids)
  const positions = rows.flatMap((row) => row.ids.map((_, index) => row.length + index))
  const whole = (values: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [rows.length, tokens])
  const results = await model.session.run(
    {
      ...past,
      input_ids: whole(ids),
      position_ids: whole(positions),
      attention_bias: attentionBias(model, rows, tokens, capacity),
      logits_to_keep: new Tensor('int64', BigInt64Array.of(wantLogits ? 1n : 0n), []),
    },
    { ...(wantLogits && { logits: null }), new_keys: null, new_values: null },
  )
  const numbers = (name: string): Float32Array => {
    const data = results[name]?.data
    if (!(data instanceof Float32Array)) throw damaged(message('run-output-not-float32', { file: name }))
    return data
  }
  return {
    keys: numbers('new_keys'),
    values: numbers('new_values'),
    tokens,
    logits: (row) => {
      const all = numbers('logits')
      const vocabulary = all.length / rows.length
      return all.subarray(row * vocabulary, (row + 1) * vocabulary)
    },
  }
}

/**
 * The attention bias of a run: 0 at positions that a token may attend to (the filled part of the cache, and the new tokens
 * up to itself), −∞ elsewhere. With one token, each head is a product of its own; with several, all heads of a group are
 * one product, whose rows follow each other.
 */
function attentionBias(
  { runtime, batchedCache }: ChatModel,
  rows: readonly Row[],
  tokens: number,
  capacity: number,
): Tensor {
  const width = capacity + tokens
  const repeats = tokens === 1 ? 1 : (batchedCache?.group ?? 1)
  const size = tokens * width
  const bias = new Float32Array(rows.length * repeats * size)
  rows.forEach(({ length }, row) => {
    const begin = row * repeats * size
    for (let token = 0; token < tokens; token++) {
      const start = begin + token * width
      bias.fill(-Infinity, start + length, start + capacity)
      bias.fill(-Infinity, start + capacity + token + 1, start + width)
    }
    for (let repeat = 1; repeat < repeats; repeat++) bias.copyWithin(begin + repeat * size, begin, begin + size)
  })
  return new runtime.Tensor('float32', bias, [rows.length, 1, 1, repeats * tokens, width])
}
