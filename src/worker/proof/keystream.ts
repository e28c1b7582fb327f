/** The randomness of ITP-1 (protocol.md §2): AES-256-CTR bytes, and the seven-bit operands made from them. */
import { createCipheriv, createHash } from 'node:crypto'
import { concatBytes, utf8ToBytes } from '#shared/domain/bytes'

/** Bytes of one call of the cipher at most, so that temporary memory stays small beside matrices of 4 MB. */
const CHUNK_BYTES = 1 << 20

/**
 * Fills `output` with KS(label, data, output.length): AES-256-CTR, initial counter 0,
 * key SHA-256("itp1/" ‖ label ‖ "/" ‖ data). `output` may lie on shared memory.
 */
export function fillKeystream(output: Uint8Array, label: 'weights' | 'input', data: Uint8Array): void {
  const key = createHash('sha256')
    .update(concatBytes(utf8ToBytes(`itp1/${label}/`), data))
    .digest()
  const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  const zeros = new Uint8Array(Math.min(CHUNK_BYTES, output.length))
  for (let start = 0; start < output.length; start += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, output.length - start)
    output.set(cipher.update(zeros.subarray(0, length)), start)
  }
}

/**
 * Turns keystream bytes into operands in place, (b mod 128) − 64, and returns them as signed bytes over the same
 * memory. Length and offset must be multiples of four: four bytes are done at a time.
 */
export function toOperands(bytes: Uint8Array): Int8Array {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  for (let index = 0; index < words.length; index++) {
    // v − 64 for v in 0…127 flips bit 6. Where bit 6 is then set, the number is negative, so bit 7 copies bit 6.
    const flipped = (words[index]! & 0x7f7f7f7f) ^ 0x40404040
    words[index] = flipped | ((flipped & 0x40404040) << 1)
  }
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
