import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes, u64LittleEndian } from '#shared/domain/bytes'

/** Reproducible choices: the bytes are SHA-256(seed ‖ counter), counter as little-endian u64 from 0. */
export class SeededRandom {
  readonly #seed: Uint8Array
  #counter = 0n
  #block = new Uint8Array(0)
  #used = 0

  /** `seedHex`: any even number of hexadecimal digits. Throws for anything else. */
  constructor(seedHex: string) {
    this.#seed = hexToBytes(seedHex)
  }

  /** A whole number from `low` to `high`, both included, each equally likely. The range may have up to 2^32 values. */
  integer(low: number, high: number): number {
    const range = high - low + 1
    if (!Number.isInteger(range) || range < 1 || range > 2 ** 32)
      throw new RangeError(`no whole numbers from ${low} to ${high}`)
    // Values beyond the last whole multiple of the range would make its first numbers likelier.
    const limit = 2 ** 32 - (2 ** 32 % range)
    let value = this.#next32()
    while (value >= limit) value = this.#next32()
    return low + (value % range)
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)]
    if (value === undefined) throw new RangeError('nothing to pick from')
    return value
  }

  #next32(): number {
    if (this.#used + 4 > this.#block.length) {
      this.#block = sha256(concatBytes(this.#seed, u64LittleEndian(this.#counter)))
      this.#counter += 1n
      this.#used = 0
    }
    const value = new DataView(this.#block.buffer, this.#block.byteOffset).getUint32(this.#used, true)
    this.#used += 4
    return value
  }
}
