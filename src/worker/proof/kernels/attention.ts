/**
 * Causal attention of one head of one nonce, as WebAssembly: S = w(Q·Kᵀ, 7), S[i,j] = 0 for j > i; O = w(S·V, 4).
 *
 * Products are taken of signed bytes with bytes in [0, 127], two at a time (`dotSigned8Unsigned7`), and added up in
 * 16-bit lanes that may wrap: only bits 7…13 of a score and bits 4…10 of a mix are ever read, and those are the same
 * modulo 2^16. One factor is in its stored form, value + 64; the excess, 64 times the sum of the other factor, is
 * subtracted at the start. Eight columns of sums are one vector, so K and V are first laid out in pairs:
 *   keyPairs[c/2][j] = (K[j,c], K[j,c+1])        valuePairs[j/2][c] = (V[j,c], V[j+1,c])
 */
import { i16x8, i32, i32x4, i8x16, repeat, Scope, v128, type Code, type KernelFunction, type Local } from './assembler'
import { bytes, lanes } from './elementwise'

/** Columns of a head, and bytes of a row of value pairs. */
const HEAD = 64
const VALUE_ROW = 2 * HEAD
/** Sums in one vector. */
const BLOCK = 8
const SCORE_DROP = 7
const MIX_DROP = 4

/** Bytes of scratch memory: key pairs, value pairs, and one row of scores plus one vector. */
export function attentionScratchBytes(tokens: number): number {
  return 2 * tokens * HEAD + tokens + 16
}

/**
 * attention(q, k, v, output, scratch): first row of each operand in stored form. Rows of q, k, v are `inputStride`
 * bytes apart, rows of the output `outputStride`. Tokens: a multiple of 8, at most 64.
 */
export function attentionKernel(tokens: number, inputStride: number, outputStride: number): KernelFunction {
  if (tokens % BLOCK !== 0 || tokens > HEAD) throw new RangeError('tokens must be a multiple of 8, at most 64')
  const scope = new Scope(5)
  const at = {
    query: scope.parameter(0),
    key: scope.parameter(1),
    value: scope.parameter(2),
    output: scope.parameter(3),
    keyPairs: scope.parameter(4),
  }
  const valuePairs = scope.local('i32')
  const scores = scope.local('i32')
  const counter = scope.local('i32')
  const inner = scope.local('i32')
  const pair = scope.local('v128')
  const total = scope.local('v128')
  const sums = Array.from({ length: HEAD / BLOCK }, () => scope.local('v128'))
  const row: RowLocals = { ...at, valuePairs, scores, rowInBlock: counter, inner, pair, total, sums }

  const code = [
    ...valuePairs.set(i32.add(at.keyPairs.get, i32.constant(tokens * HEAD))),
    ...scores.set(i32.add(valuePairs.get, i32.constant(tokens * HEAD))),
    ...layOutKeys(tokens, inputStride, at.key, at.keyPairs, counter, pair),
    ...layOutValues(tokens, inputStride, at.value, valuePairs, counter),
    // rows in groups of eight: a group needs scores up to its own diagonal block only
    ...Array.from({ length: tokens / BLOCK }, (_, block) =>
      repeat(counter, i32.constant(0), i32.constant(BLOCK), 1, [
        scoresOfRow(row, tokens, block),
        mixOfRow(row, block),
        at.query.set(i32.add(at.query.get, i32.constant(inputStride))),
        at.output.set(i32.add(at.output.get, i32.constant(outputStride))),
      ]),
    ).flat(),
  ]
  return { name: 'attention', parameters: 5, locals: scope.locals, code }
}

interface RowLocals {
  query: Local
  output: Local
  keyPairs: Local
  valuePairs: Local
  scores: Local
  rowInBlock: Local
  inner: Local
  pair: Local
  total: Local
  sums: Local[]
}

function layOutKeys(tokens: number, stride: number, key: Local, keyPairs: Local, counter: Local, vector: Local): Code {
  const target = i32.add(keyPairs.get, counter.get)
  const pairRow = 2 * tokens
  const body = [0, 1, 2, 3].flatMap((part) => [
    vector.set(v128.load(key.get, part * 16)),
    ...Array.from({ length: 8 }, (_, lane) => v128.store16Lane(target, vector.get, lane, (part * 8 + lane) * pairRow)),
  ])
  const next = key.set(i32.add(key.get, i32.constant(stride)))
  return repeat(counter, i32.constant(0), i32.constant(pairRow), 2, [...body, next])
}

function layOutValues(tokens: number, stride: number, value: Local, valuePairs: Local, counter: Local): Code {
  const target = i32.add(valuePairs.get, counter.get)
  const interleaved = (part: number, start: number): Code =>
    v128.shuffle(
      v128.load(value.get, part * 16),
      v128.load(value.get, stride + part * 16),
      Array.from({ length: 16 }, (_, index) => start + (index >> 1) + (index & 1) * 16),
    )
  const body = [0, 1, 2, 3].flatMap((part) => [
    v128.store(target, interleaved(part, 0), part * 32),
    v128.store(target, interleaved(part, 8), part * 32 + 16),
  ])
  const next = value.set(i32.add(value.get, i32.constant(2 * stride)))
  return repeat(counter, i32.constant(0), i32.constant(tokens * HEAD), VALUE_ROW, [...body, next])
}

/** Leaves the row's scores as signed bytes at `scores`, zero after the diagonal, and 64 · their sum in every lane of `total`. */
function scoresOfRow(row: RowLocals, tokens: number, block: number): Code {
  const { query, keyPairs, scores, rowInBlock, inner, pair, total, sums } = row
  const used = sums.slice(0, block + 1)
  const signed = (stored: Code): Code => i8x16.subtract(stored, bytes(64))
  const querySum = [0, 1, 2, 3]
    .map((part) => i16x8.dotSigned8Unsigned7(signed(v128.load(query.get, part * 16)), bytes(64)))
    .reduce((sum, term) => i16x8.add(sum, term))
  const laneNumbers = v128.constant(Array.from({ length: 16 }, (_, index) => (index & 1 ? 0 : index >> 1)))
  const upToDiagonal = i16x8.lessOrEqual(laneNumbers, i16x8.splat(rowInBlock.get))
  const windowOf = (sum: Local, index: number): Code => {
    const stored = v128.and(i16x8.add(i16x8.shiftRight(sum.get, SCORE_DROP), lanes(64)), lanes(127))
    const score = i16x8.subtract(stored, lanes(64))
    return index === block ? v128.and(score, upToDiagonal) : score
  }
  const zero = lanes(0)
  return [
    ...total.set(i16x8.splat(i32.subtract(i32.constant(0), sumOfLanes(pair, querySum)))),
    ...used.flatMap((sum) => sum.set(total.get)),
    ...repeat(inner, i32.constant(0), i32.constant(HEAD), 2, [
      pair.set(signed(v128.load16Splat(i32.add(query.get, inner.get)))),
      ...used.map((sum, index) => {
        const keys = v128.load(i32.add(keyPairs.get, i32.multiply(inner.get, i32.constant(tokens))), index * 16)
        return sum.set(i16x8.add(sum.get, i16x8.dotSigned8Unsigned7(pair.get, keys)))
      }),
    ]),
    ...used.flatMap((sum, index) => sum.set(windowOf(sum, index))),
    ...used.flatMap((sum, index) =>
      index % 2 === 0
        ? v128.store(scores.get, i8x16.narrowSigned(sum.get, used[index + 1]?.get ?? zero), index * 8)
        : [],
    ),
    ...total.set(used.map((sum) => sum.get).reduce((sum, term) => i16x8.add(sum, term))),
    ...total.set(i16x8.multiply(i16x8.splat(sumOfLanes(pair, total.get)), lanes(64))),
  ]
}

function mixOfRow({ output, valuePairs, scores, inner, pair, total, sums }: RowLocals, block: number): Code {
  const tokens = (block + 1) * BLOCK
  const windowOf = (sum: Local): Code => v128.and(i16x8.add(i16x8.shiftRight(sum.get, MIX_DROP), lanes(64)), lanes(127))
  return [
    ...sums.flatMap((sum) => sum.set(i16x8.subtract(lanes(0), total.get))),
    ...repeat(inner, i32.constant(0), i32.constant(tokens), 2, [
      pair.set(v128.load16Splat(i32.add(scores.get, inner.get))),
      ...sums.map((sum, index) => {
        const values = v128.load(i32.add(valuePairs.get, i32.multiply(inner.get, i32.constant(HEAD))), index * 16)
        return sum.set(i16x8.add(sum.get, i16x8.dotSigned8Unsigned7(pair.get, values)))
      }),
    ]),
    ...[0, 1, 2, 3].flatMap((part) => {
      const [low, high] = sums.slice(part * 2)
      return low && high ? v128.store(output.get, i8x16.narrowUnsigned(windowOf(low), windowOf(high)), part * 16) : []
    }),
  ]
}

/** The sum of eight signed 16-bit lanes as an i32. */
function sumOfLanes(scratch: Local, value: Code): Code {
  const lane = (index: number): Code => i32x4.lane(scratch.get, index)
  return [...scratch.set(i32x4.dot(value, lanes(1))), ...i32.add(lane(0), lane(1), lane(2), lane(3))]
}
