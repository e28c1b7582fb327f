/**
 * Makes a Q4_0 file from a Q4_1 one, so that the same weights are measured in a format that both engines read as it is.
 * Blocks of 32: scale = the value of largest size / −8, as binary16; each value / scale + 8 rounded, within 0 to 15.
 * Source of the format: the GGML library's reference (quantize_row_q4_0_ref).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gguf } from '@huggingface/gguf'
import { BLOCK_FORMATS, decodeBlocks } from '#worker/convert/sources/block-formats'

const Q4_0 = 2
const Q4_1 = 3
const BLOCK = 32
const BLOCK_BYTES = 18
const ALIGNMENT = 32

/** Writes `to`; everything that is not Q4_1 stays as it is. */
export async function requantize(from: string, to: string): Promise<void> {
  const { tensorInfos, tensorInfoByteRange, tensorDataOffset } = await gguf(from, { allowLocalFile: true })
  const file = readFileSync(from)
  const head = Buffer.from(file.subarray(0, Number(tensorDataOffset)))
  const parts: Uint8Array[] = []
  let offset = 0
  // An entry: name (length, bytes), number of dimensions, dimensions, type, offset.
  let at = tensorInfoByteRange[0]
  for (const { name, shape, dtype, offset: begin } of tensorInfos) {
    const format = BLOCK_FORMATS[dtype]
    if (!format) throw new Error(`${name} is in a format that is not read`)
    const elements = Number(shape.reduce((product, size) => product * size, 1n))
    const start = Number(tensorDataOffset) + Number(begin)
    const bytes = file.subarray(start, start + (elements / format.elements) * format.bytes)
    const written = dtype === Q4_1 ? quantized(decodeBlocks(format, bytes)) : bytes
    at += 8 + Buffer.byteLength(name) + 4 + 8 * shape.length
    head.writeUInt32LE(dtype === Q4_1 ? Q4_0 : dtype, at)
    head.writeBigUInt64LE(BigInt(offset), at + 4)
    at += 12
    const padding = (ALIGNMENT - (written.length % ALIGNMENT)) % ALIGNMENT
    parts.push(written, new Uint8Array(padding))
    offset += written.length + padding
  }
  if (at !== tensorInfoByteRange[1]) throw new Error('the list of tensors is not as expected')
  writeFileSync(to, Buffer.concat([head, ...parts]))
}

function quantized(values: Float32Array): Uint8Array {
  const blocks = values.length / BLOCK
  const bytes = new Uint8Array(blocks * BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  for (let block = 0; block < blocks; block++) {
    const numbers = values.subarray(block * BLOCK, (block + 1) * BLOCK)
    const largest = numbers.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
    const scale = largest / -8
    const inverse = scale === 0 ? 0 : 1 / scale
    const step = (index: number): number => Math.min(15, Math.max(0, Math.trunc(numbers[index]! * inverse + 8.5)))
    const at = block * BLOCK_BYTES
    view.setUint16(at, halfBits(scale), true)
    for (let index = 0; index < BLOCK / 2; index++) bytes[at + 2 + index] = step(index) | (step(index + BLOCK / 2) << 4)
  }
  return bytes
}

/** The nearest number of IEEE 754 binary16, as its bits. */
function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  // a fraction that rounds up to 1024 carries into the exponent, as it should
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024))
}
