import { describe, expect, it } from 'vitest'
import { TIERS, type Tier } from '#shared/domain/tiers'
import { triangle, windowOf } from '../reference'
import { createKernels, PAGE_BYTES } from './index'

const PAGES = 64
const SUMS = 0
const OPERANDS = 32 * PAGE_BYTES

/** A small generator with a fixed seed (mulberry32), so that a failure repeats. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

function setUp(tier: Tier = TIERS['itp1-test']) {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
  return {
    kernels: createKernels(tier, memory),
    bytes: new Uint8Array(memory.buffer),
    sums: new Int16Array(memory.buffer),
  }
}

/** The largest sums that the proof can have, borders of every window, and random ones between; the memory gets their low 16 bits. */
function fillSums(sums: Int16Array, count: number): number[] {
  const random = seeded(1)
  const borders = [
    0,
    -1,
    1,
    255,
    256,
    -256,
    -257,
    16_384,
    -16_384,
    16_383,
    32_767,
    32_768,
    -32_768,
    4096 * 4096,
    -4096 * 4032,
  ]
  const values = Array.from({ length: count }, (_, index) => borders[index] ?? Math.round((random() - 0.5) * 2 ** 25))
  sums.set(values)
  return values
}

describe('element-wise kernels', () => {
  const rows = 5
  const columns = 48
  const stride = 80

  it.each([
    ['project', (sum: number) => windowOf(sum, 8)],
    ['expand', (sum: number) => triangle(windowOf(sum, 8))],
  ] as const)('%s writes what the reference says, and nothing beside its columns', (name, expected) => {
    const { kernels, bytes, sums } = setUp()
    const values = fillSums(sums, rows * columns)
    bytes.fill(200, OPERANDS, OPERANDS + rows * stride)
    kernels[name](SUMS, rows, columns, OPERANDS, stride)
    for (let row = 0; row < rows; row++) {
      const written = bytes.slice(OPERANDS + row * stride, OPERANDS + (row + 1) * stride)
      const sumsOfRow = values.slice(row * columns, (row + 1) * columns)
      expect(Array.from(written.slice(0, columns))).toEqual(sumsOfRow.map((sum) => expected(sum) + 64))
      expect(Array.from(written.slice(columns))).toEqual(Array.from({ length: stride - columns }, () => 200))
    }
  })

  it('residual adds the window to what is there', () => {
    const { kernels, bytes, sums } = setUp()
    const count = 256
    const values = fillSums(sums, count)
    const random = seeded(2)
    const before = values.map(() => Math.floor(random() * 128) - 64)
    bytes.set(
      before.map((operand) => operand + 64),
      OPERANDS,
    )
    kernels.residual(SUMS, count, OPERANDS)
    const after = before.map((operand, index) => windowOf(operand + windowOf(values[index]!, 8), 0) + 64)
    expect(Array.from(bytes.slice(OPERANDS, OPERANDS + count))).toEqual(after)
  })
})

/** One head straight from protocol.md §2. q, k, v: tokens×64 operands. */
function attentionOf(tokens: number, q: number[], k: number[], v: number[]): number[] {
  const score = (i: number, j: number): number => {
    let sum = 0
    for (let column = 0; column < 64; column++) sum += q[i * 64 + column]! * k[j * 64 + column]!
    return j > i ? 0 : windowOf(sum, 7)
  }
  return Array.from({ length: tokens }, (_row, i) => {
    const scores = Array.from({ length: tokens }, (_other, j) => score(i, j))
    return Array.from({ length: 64 }, (_column, column) => {
      const sum = scores.reduce((total, value, j) => total + value * v[j * 64 + column]!, 0)
      return windowOf(sum, 4)
    })
  }).flat()
}

describe.each(Object.values(TIERS))('attention kernel of $name', (tier) => {
  const { tokens, width } = tier
  const random = seeded(3)
  const drawn = (): number => Math.floor(random() * 128) - 64
  const least = (): number => -64
  const most = (): number => 63
  const operandsOf: { name: string; query: () => number; key: () => number; value: () => number }[] = [
    { name: 'random operands', query: drawn, key: drawn, value: drawn },
    { name: 'the smallest operands everywhere', query: least, key: least, value: least },
    { name: 'the largest operands everywhere', query: most, key: most, value: most },
    { name: 'opposite extremes', query: least, key: most, value: drawn },
  ]
  it.each(operandsOf)('is exact on $name', ({ query, key, value }) => {
    const { kernels, bytes } = setUp(tier)
    const draw = (operand: () => number): number[] => Array.from({ length: tokens * 64 }, operand)
    const [q, k, v] = [draw(query), draw(key), draw(value)]
    const output = OPERANDS + tokens * 3 * width
    for (let index = 0; index < tokens * 64; index++) {
      const at = OPERANDS + Math.floor(index / 64) * 3 * width + (index % 64)
      ;[q, k, v].forEach((operands, part) => {
        bytes[at + part * width] = operands[index]! + 64
      })
    }
    kernels.attention(OPERANDS, OPERANDS + width, OPERANDS + 2 * width, output, 0)
    const written = q.map((_operand, index) => bytes[output + Math.floor(index / 64) * width + (index % 64)]! - 64)
    expect(written).toEqual(attentionOf(tokens, q, k, v))
  })
})
