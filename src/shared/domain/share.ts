/** The rules of shares: header, digest target, and how units divide the nonces (protocol.md §2). */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes, utf8ToBytes } from './bytes'

const MAX_DIGEST = (1n << 256n) - 1n
const COUNTER_BITS = 32n
export const MAX_COUNTER = (1n << COUNTER_BITS) - 1n

/** h = SHA-256("itp1/header/" ‖ E ‖ rig public key). 32 bytes each in, 32 bytes out. */
export function header(epochSeedHex: string, publicKeyHex: string): Uint8Array {
  return sha256(concatBytes(utf8ToBytes('itp1/header/'), hexToBytes(epochSeedHex), hexToBytes(publicKeyHex)))
}

/** The largest digest that is a share at `difficulty` (≥ 1): ⌊(2²⁵⁶ − 1) / difficulty⌋. */
export function target(difficulty: bigint): bigint {
  if (difficulty < 1n) throw new RangeError(`difficulty must be at least 1, not ${difficulty}`)
  return MAX_DIGEST / difficulty
}

/** Whether a digest (64 hex digits, a big-endian integer) meets `difficulty`. */
export function isShare(digestHex: string, difficulty: bigint): boolean {
  return BigInt(`0x${digestHex}`) <= target(difficulty)
}

/** The nonce number `counter` of a unit: the upper 32 bits are the unit, the lower 32 count. */
export function nonceOf(unit: number, counter: bigint): bigint {
  if (counter < 0n || counter > MAX_COUNTER) throw new RangeError('a unit has 2^32 nonces')
  return (BigInt(unit) << COUNTER_BITS) | counter
}

/** The unit that a nonce belongs to. */
export function unitOf(nonce: bigint): number {
  return Number(nonce >> COUNTER_BITS)
}
