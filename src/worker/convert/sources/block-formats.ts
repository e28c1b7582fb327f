/**
 * The block formats of GGUF tensors that Lode reads, each with the way back to numbers.
 * Source of the layouts: the GGML library's reference (ggml-quants.c, dequantize_row_*).
 */

export interface BlockFormat {
  name: string
  /** elements of one block */
  elements: number
  /** bytes of one block */
  bytes: number
  /** Writes the numbers of the block that begins at `at` to `out` from `to` on. */
  decode(view: DataView, at: number, out: Float32Array, to: number): void
  /**
   * The distance between neighbouring numbers of one part of 32 of the block, where all of a part are whole steps from one
   * another.
   */
  step?(view: DataView, at: number, part: number): number
}

/** Every number of IEEE 754 binary16 by its bits: looked up, since models have billions. */
const HALVES = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
})

/** A number of IEEE 754 binary16, from its bits. */
export function halfToNumber(bits: number): number {
  return HALVES[bits]!
}

const half = (view: DataView, at: number): number => halfToNumber(view.getUint16(at, true))

const f32: BlockFormat = {
  name: 'F32',
  elements: 1,
  bytes: 4,
  decode: (view, at, out, to) => {
    out[to] = view.getFloat32(at, true)
  },
}
const f16: BlockFormat = {
  name: 'F16',
  elements: 1,
  bytes: 2,
  decode: (view, at, out, to) => {
    out[to] = half(view, at)
  },
}
const bits = new DataView(new ArrayBuffer(4))
const bf16: BlockFormat = {
  name: 'BF16',
  elements: 1,
  bytes: 2,
  decode: (view, at, out, to) => {
    bits.setUint32(0, view.getUint16(at, true) << 16)
    out[to] = bits.getFloat32(0)
  },
}
const q40: BlockFormat = {
  name: 'Q4_0',
  elements: 32,
  bytes: 18,
  step: half,
  decode: (view, at, out, to) => {
    const scale = half(view, at)
    for (let index = 0; index < 16; index++) {
      const pair = view.getUint8(at + 2 + index)
      out[to + index] = scale * ((pair & 15) - 8)
      out[to + index + 16] = scale * ((pair >> 4) - 8)
    }
  },
}
const q41: BlockFormat = {
  name: 'Q4_1',
  elements: 32,
  bytes: 20,
  step: half,
  decode: (view, at, out, to) => {
    const scale = half(view, at)
    const least = half(view, at + 2)
    for (let index = 0; index < 16; index++) {
      const pair = view.getUint8(at + 4 + index)
      out[to + index] = scale * (pair & 15) + least
      out[to + index + 16] = scale * (pair >> 4) + least
    }
  },
}
const q50: BlockFormat = {
  name: 'Q5_0',
  elements: 32,
  bytes: 22,
  step: half,
  decode: (view, at, out, to) => {
    const scale = half(view, at)
    const high = view.getUint32(at + 2, true)
    for (let index = 0; index < 16; index++) {
      const pair = view.getUint8(at + 6 + index)
      out[to + index] = scale * (((pair & 15) | (((high >>> index) & 1) << 4)) - 16)
      out[to + index + 16] = scale * (((pair >> 4) | (((high >>> (index + 16)) & 1) << 4)) - 16)
    }
  },
}
const q51: BlockFormat = {
  name: 'Q5_1',
  elements: 32,
  bytes: 24,
  step: half,
  decode: (view, at, out, to) => {
    const scale = half(view, at)
    const least = half(view, at + 2)
    const high = view.getUint32(at + 4, true)
    for (let index = 0; index < 16; index++) {
      const pair = view.getUint8(at + 8 + index)
      out[to + index] = scale * ((pair & 15) | (((high >>> index) & 1) << 4)) + least
      out[to + index + 16] = scale * ((pair >> 4) | (((high >>> (index + 16)) & 1) << 4)) + least
    }
  },
}
const q80: BlockFormat = {
  name: 'Q8_0',
  elements: 32,
  bytes: 34,
  step: half,
  decode: (view, at, out, to) => {
    const scale = half(view, at)
    for (let index = 0; index < 32; index++) out[to + index] = scale * view.getInt8(at + 2 + index)
  },
}

/** Six-bit scale and minimum of the eight parts of a K block, packed in twelve bytes. */
function scaleAndMinimum(view: DataView, at: number, part: number): [scale: number, minimum: number] {
  const byte = (index: number): number => view.getUint8(at + index)
  if (part < 4) return [byte(part) & 63, byte(part + 4) & 63]
  return [(byte(part + 4) & 15) | ((byte(part - 4) >> 6) << 4), (byte(part + 4) >> 4) | ((byte(part) >> 6) << 4)]
}

/** Q4_K and Q5_K: eight parts of 32; Q5_K has a plane of fifth bits between the scales and the nibbles. */
function kBlock(name: string, fifthBits: boolean): BlockFormat {
  const nibbles = 16 + (fifthBits ? 32 : 0)
  return {
    name,
    elements: 256,
    bytes: nibbles + 128,
    step: (view, at, part) => half(view, at) * scaleAndMinimum(view, at + 4, part)[0],
    decode: (view, at, out, to) => {
      const scale = half(view, at)
      const least = half(view, at + 2)
      for (let part = 0; part < 8; part++) {
        const [factor, minimum] = scaleAndMinimum(view, at + 4, part)
        const shift = part % 2 === 0 ? 0 : 4
        const from = at + nibbles + (part >> 1) * 32
        for (let index = 0; index < 32; index++) {
          const fifth = fifthBits ? ((view.getUint8(at + 16 + index) >> part) & 1) << 4 : 0
          const value = ((view.getUint8(from + index) >> shift) & 15) | fifth
          out[to + part * 32 + index] = scale * factor * value - least * minimum
        }
      }
    },
  }
}
const q6k: BlockFormat = {
  name: 'Q6_K',
  elements: 256,
  bytes: 210,
  decode: (view, at, out, to) => {
    const scale = half(view, at + 208)
    for (let group = 0; group < 2; group++) {
      for (let quarter = 0; quarter < 4; quarter++) {
        for (let index = 0; index < 32; index++) {
          const low = view.getUint8(at + group * 64 + (quarter % 2) * 32 + index) >> (quarter < 2 ? 0 : 4)
          const high = (view.getUint8(at + 128 + group * 32 + index) >> (quarter * 2)) & 3
          const factor = view.getInt8(at + 192 + group * 8 + quarter * 2 + (index >> 4))
          out[to + group * 128 + quarter * 32 + index] = scale * factor * (((low & 15) | (high << 4)) - 32)
        }
      }
    }
  },
}

/** By GGUF's number of the type. */
export const BLOCK_FORMATS: Readonly<Record<number, BlockFormat>> = {
  0: f32,
  1: f16,
  2: q40,
  3: q41,
  6: q50,
  7: q51,
  8: q80,
  12: kBlock('Q4_K', false),
  13: kBlock('Q5_K', true),
  14: q6k,
  30: bf16,
}

/** All numbers of a tensor's bytes. */
export function decodeBlocks(format: BlockFormat, bytes: Uint8Array): Float32Array {
  if (format === f32) return new Float32Array(bytes.slice().buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks = bytes.byteLength / format.bytes
  const out = new Float32Array(blocks * format.elements)
  for (let block = 0; block < blocks; block++) format.decode(view, block * format.bytes, out, block * format.elements)
  return out
}
