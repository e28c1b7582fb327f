import { expect, test } from 'vitest'
import { expOfNegative } from './exponential'
import { bestTokens } from './log-probabilities'

test('log-probabilities are those of the softmax over everything', () => {
  const logits = Float32Array.from([1, 3, 2, -5, 0, 2.5, -1])
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0)
  const best = bestTokens(logits)
  expect(best?.map(([id]) => id)).toEqual([1, 5, 2, 0, 4])
  for (const [id, value] of best ?? []) expect(value).toBeCloseTo(Math.log(Math.exp(logits[id]!) / sum), 12)
})

test('equal logits are ordered by id, so that greedy decoding is exact', () => {
  expect(bestTokens(Float32Array.from([0, 7, 7, 7, 7, 7, 7]))?.map(([id]) => id)).toEqual([1, 2, 3, 4, 5])
  expect(bestTokens(Float32Array.from([7, 0, 7]))?.map(([id]) => id)).toEqual([0, 2, 1])
})

test('large and masked logits do not overflow', () => {
  const best = bestTokens(Float32Array.from([1e30, -Infinity, 1e30]))
  expect(best?.[0]).toEqual([0, -Math.log(2)])
  expect(best?.[2]).toEqual([1, -Infinity])
})

test('logits that are no numbers are not taken for an answer', () => {
  expect(bestTokens(Float32Array.from([1, NaN, 2]))).toBeUndefined()
  expect(bestTokens(Float32Array.from([1, Infinity, 2]))).toBeUndefined()
  expect(bestTokens(new Float32Array(0))).toBeUndefined()
})

test('exponentials are those of the mathematics library', () => {
  for (let x = 0; x > -40; x -= 0.00317) expect(Math.abs(expOfNegative(x) / Math.exp(x) - 1)).toBeLessThan(1e-10)
  expect(expOfNegative(0)).toBe(1)
  expect([expOfNegative(-41), expOfNegative(-Infinity), expOfNegative(NaN)]).toEqual([0, 0, 0])
})
