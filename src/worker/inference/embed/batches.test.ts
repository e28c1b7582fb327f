import { expect, test } from 'vitest'
import { planBatches, poolVectors } from './batches'

test('every text is in one batch, with others of like length, within the limits', () => {
  const lengths = Array.from({ length: 300 }, (_, index) => 1 + ((index * 7919) % 256))
  const batches = planBatches(lengths)
  expect(batches.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, index) => index))
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(32)
    expect(batch.length * Math.max(...batch.map((index) => lengths[index]!))).toBeLessThanOrEqual(512)
  }
  const padded = batches.map((batch) => batch.length * Math.max(...batch.map((index) => lengths[index]!)))
  const real = lengths.reduce((sum, length) => sum + length)
  expect(padded.reduce((sum, size) => sum + size) / real).toBeLessThan(1.1)
})

test('a text longer than the limit runs alone, and nothing gives nothing', () => {
  expect(planBatches([5000, 1, 5000])).toEqual([[1], [0], [2]])
  expect(planBatches([])).toEqual([])
})

test('the mean is over real tokens only, and has length 1', () => {
  const hidden = [1, 2, 3, 4, 100, 100, /* second text */ 3, 4, 0, 0, 0, 0]
  const [first, second] = poolVectors(hidden, [2, 3], 3, 2, 'mean')
  const length = Math.hypot(2, 3)
  expect(Array.from(first!)).toEqual([Math.fround(2 / length), Math.fround(3 / length)])
  expect(Array.from(second!)).toEqual([Math.fround(0.6), Math.fround(0.8)])
  expect(Array.from(poolVectors(hidden, [2, 3], 3, 2, 'first')[0]!)).toEqual([
    Math.fround(1 / Math.hypot(1, 2)),
    Math.fround(2 / Math.hypot(1, 2)),
  ])
  expect(Array.from(poolVectors([0, 0], [1], 1, 2, 'mean')[0]!)).toEqual([0, 0])
})
