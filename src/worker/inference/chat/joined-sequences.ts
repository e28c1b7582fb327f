/**
 * For graphs that Lode built: one run computes the next token of every request. A prompt is absorbed in a block of its
 * own and then joins the others' block.
 */
import type { Tensor } from 'onnxruntime-node'
import { damaged } from '../model-files'
import { createKeyValueBlock, type KeyValueBlock, type KeyValueShape, type NewKeyValues } from './key-values'
import type { ChatModel } from './model'
import { createPrefixStore } from './prefixes'
import type { Sequence, Sequences } from './sequences'

/** Room of the joint block grows by so many positions at least. */
const POSITIONS_PER_STEP = 64
/** Parts of a doubling by which it grows: closely, since all of it is read. */
const STEPS = 8
/** Memory of the joint block beyond what it needs now, so that it grows in place for a while. */
const JOINT_RESERVE = 1.25
/** Memory for beginnings of prompts. */
const PREFIX_BYTES = 128 * 1024 ** 2

interface Joined extends Sequence {
  /** its row in the block, once its prompt is absorbed */
  row: number
  /** positions in the cache */
  length: number
}

/** `free`: bytes of memory that may still be taken. */
export function createJoinedSequences(model: ChatModel, shape: KeyValueShape, free: () => number): Sequences {
  const { runtime } = model
  const prefixes = createPrefixStore(
    {
      wholeParts: (positions) => wholeParts(positions, model.prefillTokens),
      lastPartStart: (length) => lastPartStart(length, model.prefillTokens),
    },
    PREFIX_BYTES,
  )
  const newBlock = (rows: number, capacity: number, reserve: number): KeyValueBlock =>
    createKeyValueBlock(runtime, shape, { rows, capacity, reserve }, free)
  /** what the first part of a prompt reads: one position, which its bias hides */
  const nothing = createKeyValueBlock(runtime, shape, { rows: 1, capacity: 1, reserve: 1 }, () => Infinity)
  let block = nothing
  /** in the order of their rows */
  const members: Joined[] = []

  /** Makes the block fit so many rows and positions; what the members have stays in place. */
  const fit = (rows: number, positions: number): void => {
    const capacity = roomFor(positions)
    const fits = rows <= block.rows && capacity <= block.reserve
    const isWasteful = block.rows > 2 * rows || block.reserve > 4 * capacity
    if (fits && !isWasteful) {
      if (capacity !== block.capacity) block.resize(capacity)
      return
    }
    const fitting = newBlock(rows, capacity, Math.ceil(capacity * JOINT_RESERVE))
    for (const member of members) fitting.copyRow(member.row, block, member.row, member.length)
    block = fitting
  }
  const longest = (): number => members.reduce((most, { length }) => Math.max(most, length), 0)

  const join = (sequence: Joined, from: KeyValueBlock): void => {
    fit(members.length + 1, Math.max(longest(), sequence.length) + 1)
    block.copyRow(members.length, from, 0, sequence.length)
    sequence.row = members.push(sequence) - 1
  }
  const leave = (sequence: Joined): void => {
    if (members[sequence.row] !== sequence) return
    const last = members.pop()!
    if (last !== sequence) {
      block.copyRow(sequence.row, block, last.row, last.length)
      members[sequence.row] = last
      last.row = sequence.row
    }
    sequence.row = -1
    if (members.length === 0) block = nothing
  }

  const open = (prompt: readonly number[]): Sequence => {
    let own: KeyValueBlock | undefined
    /** A block for the whole prompt, with what is known of it; as wide as it is filled, so that a part reads nothing else. */
    const begin = (): KeyValueBlock => {
      const known = prefixes.find(prompt)
      sequence.length = known?.positions ?? 0
      const started = newBlock(1, sequence.length, prompt.length)
      if (known) started.copyRow(0, known.block, 0, known.positions)
      return started
    }
    const sequence: Joined = {
      row: -1,
      length: 0,
      get absorbed() {
        return Math.min(sequence.length, prompt.length)
      },
      absorb: async () => {
        own ??= begin()
        const start = sequence.length
        const ids = prompt.slice(start, partEnd(start, prompt.length, model.prefillTokens))
        const last = start + ids.length === prompt.length
        const past = start === 0 ? nothing : own
        const given = await runGraph(model, past.tensors(1), past.capacity, [{ ids, length: start }], last)
        own.resize(start + ids.length)
        own.append(0, start, given, 0)
        sequence.length += ids.length
        if (!last) return { from: start, logits: null }
        join(sequence, own)
        prefixes.keep(prompt, own)
        own = undefined
        return { from: start, logits: given.logits(0) }
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
      fit(members.length, longest() + 1)
      const ids = new Map(next.map(({ sequence, id }) => [sequence, id]))
      const rows = members.map((member) => {
        const id = ids.get(member)
        if (id === undefined) throw new Error('a sequence has no next token')
        return { ids: [id], length: member.length }
      })
      const given = await runGraph(model, block.tensors(members.length), block.capacity, rows, true)
      for (const member of members) block.append(member.row, member.length++, given, member.row)
      return next.map(({ sequence }) => given.logits((sequence as Joined).row))
    },
  }
}

/** A prompt is cut into two small parts, so that short beginnings can be reused, and then into ones twice as large, which are faster. */
function partTokens(start: number, small: number): number {
  return start < 2 * small ? small : 2 * small
}

/** Positions of the whole parts among so many. */
function wholeParts(positions: number, small: number): number {
  return positions - (positions % partTokens(positions, small))
}

/** Where the part of a prompt that begins at `start` ends. A small remainder goes with it: a run of few tokens reads all weights too. */
function partEnd(start: number, length: number, small: number): number {
  const end = start + partTokens(start, small)
  return length - end <= small / 2 ? length : end
}

/** Where the last part of a prompt begins: up to there it consists of whole parts. */
function lastPartStart(length: number, small: number): number {
  let start = 0
  for (let end = partEnd(0, length, small); end < length; end = partEnd(start, length, small)) start = end
  return start
}

/**
 * Room for at least so many positions. It follows from their number alone: sums over a row round otherwise where the
 * row is wider, and an answer must not depend, to the last bit, on what was asked before.
 */
function roomFor(positions: number): number {
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
): Promise<NewKeyValues & { logits(row: number): Float32Array }> {
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
    if (!(data instanceof Float32Array)) throw damaged(name, 'is not among the outputs in float32')
    return data
  }
  return {
    keys: numbers('new_keys'),
    values: numbers('new_values'),
    tokens,
    logits: (row) => {
      const all = numbers('logits')
      const words = all.length / rows.length
      return all.subarray(row * words, (row + 1) * words)
    },
  }
}

/**
 * 0 where a token may look: at the cache as far as it is filled, and at the new tokens up to itself. One token: each head
 * is a product of its own. Several: all heads of a group are one, so their rows follow each other.
 */
function attentionBias({ runtime, joined }: ChatModel, rows: readonly Row[], tokens: number, capacity: number): Tensor {
  const width = capacity + tokens
  const repeats = tokens === 1 ? 1 : (joined?.group ?? 1)
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
