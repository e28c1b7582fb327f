/**
 * Philox4x32-10, a counter-based generator: any number of any sequence can be computed without the numbers before it, so
 * that a verifier of a sampled answer can redo one position alone.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

const ROUNDS = 10
const MULTIPLIERS = [0xd2511f53n, 0xcd9e8d57n] as const
const WEYL = [0x9e3779b9, 0xbb67ae85] as const
const LOW_HALF = 0xffff_ffffn

export type Counter = readonly [number, number, number, number]

/** Four 32-bit words of a counter (four words) under a key (two words). */
export function philox(counter: Counter, key: readonly [number, number]): Counter {
  let [a, b, c, d] = counter
  let [first, second] = key
  for (let round = 0; round < ROUNDS; round++) {
    const one = MULTIPLIERS[0] * BigInt(a)
    const two = MULTIPLIERS[1] * BigInt(c)
    a = (Number(two >> 32n) ^ b ^ first) >>> 0
    b = Number(two & LOW_HALF)
    c = (Number(one >> 32n) ^ d ^ second) >>> 0
    d = Number(one & LOW_HALF)
    first = (first + WEYL[0]) >>> 0
    second = (second + WEYL[1]) >>> 0
  }
  return [a, b, c, d]
}

/** A number from 0 up to but not 1, with 32 random bits, for one position of the sequence that `seed` (32 bits) names. */
export function uniformAt(seed: number, position: number): number {
  return philox([position >>> 0, 0, 0, 0], [seed >>> 0, 0])[0] / 2 ** 32
}
