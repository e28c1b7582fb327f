/** The input rows and the digest of a nonce (protocol.md §2). */
import { createHash } from 'node:crypto'
import { bytesToHex, concatBytes, u64LittleEndian, utf8ToBytes } from '#shared/domain/bytes'
import { fillKeystream, toOperands } from './keystream'

const DIGEST_LABEL = utf8ToBytes('itp1/digest/')

/** Fills `rows` (T·d bytes) with the nonce's input: operands of KS("input", header ‖ nonce, T·d), row-major. */
export function fillInput(rows: Uint8Array, header: Uint8Array, nonce: bigint): Int8Array {
  fillKeystream(rows, 'input', concatBytes(header, u64LittleEndian(nonce)))
  return toOperands(rows)
}

/** SHA-256("itp1/digest/" ‖ header ‖ nonce ‖ X), hex. `output`: X as signed bytes, row-major. */
export function outputDigest(header: Uint8Array, nonce: bigint, output: Int8Array): string {
  const hash = createHash('sha256').update(DIGEST_LABEL).update(header).update(u64LittleEndian(nonce)).update(output)
  return bytesToHex(hash.digest())
}
