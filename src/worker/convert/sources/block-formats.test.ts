import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { BLOCK_FORMATS, decodeBlocks } from './block-formats'
import { bitsFor, toBlockWeights, type BlockWeights } from './block-weights'

/** Random blocks and what the `gguf` Python package 0.19.0 reads in them. */
const fixture = z
  .array(z.object({ type: z.number(), name: z.string(), bytes: z.string(), values: z.string() }))
  .parse(JSON.parse(readFileSync(new URL('../../../../test/fixtures/gguf-blocks.json', import.meta.url), 'utf8')))
const cases = fixture.map(({ type, name, bytes, values }) => {
  const expected = Buffer.from(values, 'base64')
  return {
    name,
    format: BLOCK_FORMATS[type]!,
    bytes: Uint8Array.from(Buffer.from(bytes, 'base64')),
    values: new Float32Array(expected.buffer.slice(expected.byteOffset, expected.byteOffset + expected.byteLength)),
  }
})

/** What the weights stand for, as onnxruntime reads them: scale · (q − zero). */
function numbersOf({ bits, values, scales, zeros }: BlockWeights): number[] {
  const quantized =
    bits === 8
      ? Array.from(values, (value, index) => value - (zeros?.[Math.floor(index / 32)] ?? 128))
      : Array.from(values).flatMap((pair) => [(pair & 15) - 8, (pair >> 4) - 8])
  return quantized.map((value, index) => value * scales[Math.floor(index / 32)]!)
}

describe('blocks of GGUF', () => {
  test('every format that is read has its case', () => {
    expect(cases.map(({ format }) => format)).toEqual(Object.values(BLOCK_FORMATS).toSorted(byFixture))
  })

  test.each(cases)('$name reads as its reference does', ({ format, bytes, values }) => {
    const read = decodeBlocks(format, bytes)
    expect(read.length).toBe(values.length)
    read.forEach((value, index) => expect(value).toBeCloseTo(values[index]!, 5))
  })

  test.each(cases.filter(({ name }) => name === 'Q4_0' || name === 'Q8_0'))(
    '$name becomes the graph’s own blocks without loss',
    ({ name, format, bytes, values }) => {
      const bits = bitsFor([format])
      expect(bits).toBe(name === 'Q4_0' ? 4 : 8)
      const weights = toBlockWeights(format, bytes, { rows: 1, columns: values.length }, bits)
      expect(numbersOf(weights)).toEqual(Array.from(values, (value) => value))
    },
  )

  test.each(cases.filter(({ format }) => format.step))(
    '$name keeps the distances of its numbers in 8 bits, and 0 within half a step of the graph',
    ({ format, bytes, values }) => {
      const weights = toBlockWeights(format, bytes, { rows: 1, columns: values.length }, 8)
      const errors = numbersOf(weights).map((value, index) => value - values[index]!)
      errors.forEach((error, index) => {
        const block = Math.floor(index / 32)
        const step = weights.scales[block]!
        expect(Math.abs(error)).toBeLessThanOrEqual(step * 0.501)
        expect(Math.abs(error - errors[block * 32]!)).toBeLessThanOrEqual(step * 0.001)
        if (format.name.endsWith('_0')) expect(Math.abs(error)).toBeLessThanOrEqual(step * 0.001)
      })
    },
  )

  test.each(cases.filter(({ format }) => !format.step && format.elements > 1))(
    '$name becomes 8 bits within half a step',
    ({ format, bytes, values }) => {
      const weights = toBlockWeights(format, bytes, { rows: 1, columns: values.length }, 8)
      numbersOf(weights).forEach((value, index) => {
        const step = weights.scales[Math.floor(index / 32)]!
        expect(Math.abs(value - values[index]!)).toBeLessThanOrEqual(step * 0.501)
      })
    },
  )
})

function byFixture(one: { name: string }, other: { name: string }): number {
  const place = ({ name }: { name: string }): number => fixture.findIndex((entry) => entry.name === name)
  return place(one) - place(other)
}
