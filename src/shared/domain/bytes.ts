/** Bytes, hexadecimal and decimal strings: the encodings of protocol.md §5 and their parsers. */
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'

export { bytesToHex, concatBytes, hexToBytes, utf8ToBytes }

/** 32 bytes as 64 lower-case hexadecimal digits: seeds, public keys, digests, object ids. */
export const hex64 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
/** An Ed25519 signature, 64 bytes. */
export const hex128 = z.string().regex(/^[0-9a-f]{128}$/, 'must be 128 lower-case hexadecimal digits')
/** A non-negative integer of any size as a decimal string: MACs, credit, nonces, difficulty. */
export const decimal = z.string().regex(/^(0|[1-9][0-9]{0,38})$/, 'must be a whole number in decimal digits')
/** UTC milliseconds, as far as dates go. */
export const utcMilliseconds = z.number().int().min(0).max(8_640_000_000_000_000)

/** Little-endian u64, as the header, the input and the digest of a nonce take it. */
export function u64LittleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}
