/**
 * ITP-1 in plain integer arithmetic, written to be read (protocol.md §2). Every other backend is compared with it. It takes
 * seconds for one nonce of the largest tier, so it runs off the event loop.
 */
import { header } from '#shared/domain/share'
import type { Tier } from '#shared/domain/tiers'
import { bytesToHex } from '#shared/domain/bytes'
import { fillInput, outputDigest } from './nonce'
import { expandWeights, type LayerWeights } from './weights'

/** Low bits dropped after a projection, after Q·Kᵀ and after S·V. */
const PROJECTION_DROP = 8
const SCORE_DROP = 7
const MIX_DROP = 4

/** A matrix of seven-bit operands, row-major. */
interface Matrix {
  rows: number
  columns: number
  values: Int8Array
}

/** Digest, input X₀ and output X_L (T×d, row-major) of one nonce. `weights` saves expanding the epoch again. */
export function referenceDigest(
  tier: Tier,
  epochSeed: Uint8Array,
  publicKey: Uint8Array,
  nonce: bigint,
  weights: readonly LayerWeights[] = expandWeights(tier, epochSeed),
): { digest: string; input: Int8Array; output: Int8Array } {
  const head = header(bytesToHex(epochSeed), bytesToHex(publicKey))
  const input = fillInput(new Uint8Array(tier.tokens * tier.width), head, nonce)
  const output = referenceForward(tier, weights, input)
  return { digest: outputDigest(head, nonce, output), input, output }
}

/** The forward pass: T×d operands in, T×d operands out, row-major. `input` is not changed. */
export function referenceForward(tier: Tier, weights: readonly LayerWeights[], input: Int8Array): Int8Array {
  const { tokens, width, hidden } = tier
  const matrix = (rows: number, columns: number, values: Int8Array): Matrix => ({ rows, columns, values })
  let x = matrix(tokens, width, input)
  for (const layer of weights) {
    const project = (from: Matrix, columns: number, values: Int8Array): Matrix =>
      windowed(multiply(from, matrix(from.columns, columns, values)), tokens, columns, PROJECTION_DROP)
    const mixed = attention(tier, project(x, width, layer.q), project(x, width, layer.k), project(x, width, layer.v))
    x = added(x, project(mixed, width, layer.o))
    const expanded = project(x, hidden, layer.u)
    expanded.values = expanded.values.map(triangle)
    x = added(x, project(expanded, width, layer.n))
  }
  return x.values
}

/** w(a, s): the seven bits of the exact sum above its s lowest bits, as a signed number in [−64, 63]; higher bits are dropped. */
export function windowOf(sum: number, drop: number): number {
  return (((sum >> drop) + 64) & 127) - 64
}

/** t(u): the triangular number of u + 64, modulo 128, less 64: a permutation of [−64, 63]. */
export function triangle(operand: number): number {
  const v = operand + 64
  return (((v * (v + 1)) >> 1) & 127) - 64
}

/** Per head: S = w(Q·Kᵀ, 7), S[i,j] = 0 for j > i; O = w(S·V, 4). */
function attention(tier: Tier, q: Matrix, k: Matrix, v: Matrix): Matrix {
  const { tokens, width, head } = tier
  const mixed = new Int8Array(tokens * width)
  const scores = new Int32Array(tokens)
  for (let start = 0; start < width; start += head) {
    for (let row = 0; row < tokens; row++) {
      for (let other = 0; other <= row; other++) {
        let sum = 0
        for (let column = start; column < start + head; column++) {
          sum += q.values[row * width + column]! * k.values[other * width + column]!
        }
        scores[other] = windowOf(sum, SCORE_DROP)
      }
      for (let column = start; column < start + head; column++) {
        let sum = 0
        for (let other = 0; other <= row; other++) sum += scores[other]! * v.values[other * width + column]!
        mixed[row * width + column] = windowOf(sum, MIX_DROP)
      }
    }
  }
  return { rows: tokens, columns: width, values: mixed }
}

/**
 * Exact sums a·b as int32, row-major. Four rows of b at a time, scaled by a's operands, are added to a row of sums:
 * memory is read in order, and each sum is loaded and stored a quarter as often. a.columns is a multiple of four.
 */
function multiply(a: Matrix, b: Matrix): Int32Array {
  const { columns, values } = b
  const sums = new Int32Array(a.rows * columns)
  const row = new Int32Array(columns)
  for (let i = 0; i < a.rows; i++) {
    row.fill(0)
    const scales = a.values.subarray(i * a.columns, (i + 1) * a.columns)
    for (let k = 0; k < a.columns; k += 4) {
      const [s0, s1, s2, s3] = [scales[k]!, scales[k + 1]!, scales[k + 2]!, scales[k + 3]!]
      const [r0, r1, r2, r3] = [k * columns, (k + 1) * columns, (k + 2) * columns, (k + 3) * columns]
      for (let j = 0; j < columns; j++) {
        const products = s0 * values[r0 + j]! + s1 * values[r1 + j]! + s2 * values[r2 + j]! + s3 * values[r3 + j]!
        row[j] = (row[j]! + products) | 0
      }
    }
    sums.set(row, i * columns)
  }
  return sums
}

function windowed(sums: Int32Array, rows: number, columns: number, drop: number): Matrix {
  const values = new Int8Array(sums.length)
  for (let index = 0; index < sums.length; index++) values[index] = windowOf(sums[index]!, drop)
  return { rows, columns, values }
}

/** w(X + Y, 0). */
function added(x: Matrix, y: Matrix): Matrix {
  return { ...x, values: x.values.map((value, index) => windowOf(value + y.values[index]!, 0)) }
}
