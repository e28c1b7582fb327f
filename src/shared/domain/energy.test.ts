import { describe, expect, it } from 'vitest'
import { certaintyOf, certaintyOfSum, countedJoules, isAmount, meanWatts, sampledJoules, workEnergy } from './energy'

const counter = (at: number, joules: number | undefined) => ({ at, joules })
const power = (at: number, watts: number | undefined) => ({ at, watts })

describe('joules and watts', () => {
  it('a counter says both, over any time but a moment and a gap', () => {
    expect(countedJoules(counter(0, 100), counter(2000, 192))).toBe(92)
    expect(meanWatts(counter(0, 100), counter(2000, 192))).toBe(46)
    expect(meanWatts(counter(0, 100), counter(1000, 100))).toBe(0)
    expect(meanWatts(counter(0, 100), counter(199, 110))).toBeUndefined()
    expect(meanWatts(counter(0, 100), counter(10_001, 110))).toBeUndefined()
    expect(countedJoules(counter(0, 100), counter(10_001, 110))).toBe(10)
  })

  it.each([
    ['went back', 100, 99],
    ['could not be read', undefined, 100],
    ['could not be read any more', 100, undefined],
    ['is broken', 0, 9e15],
    ['is no number', 0, Number.NaN],
    ['is endless', 0, Number.POSITIVE_INFINITY],
    ['is negative', -5, 0],
  ])('a counter that %s says nothing', (_, before, after) => {
    expect(countedJoules(counter(0, before), counter(1000, after))).toBeUndefined()
    expect(meanWatts(counter(0, before), counter(1000, after))).toBeUndefined()
  })

  it('samples of power are added up by trapezoids, and neither over a gap nor with what is no power', () => {
    expect(sampledJoules(power(0, 10), power(1000, 20))).toBe(15)
    expect(sampledJoules(power(0, 10), power(10_001, 20))).toBeUndefined()
    expect(sampledJoules(power(1000, 10), power(1000, 20))).toBeUndefined()
    for (const watts of [undefined, Number.NaN, -5, Number.POSITIVE_INFINITY])
      expect(sampledJoules(power(0, 10), power(1000, watts))).toBeUndefined()
    expect([0, 5, Number.NaN, -5, Number.NEGATIVE_INFINITY, null, undefined].filter(isAmount)).toEqual([0, 5])
  })
})

describe('the rule of certainty', () => {
  it.each([
    [1, 'measured'],
    [0.9991, 'measured'],
    [0.99, 'mixed'],
    [0.5, 'mixed'],
    [0.01, 'mixed'],
    [0.0009, 'estimated'],
    [0, 'estimated'],
  ])('calls a measured share of %s %s', (measuredShare, certainty) => {
    expect(certaintyOf(measuredShare)).toBe(certainty)
    expect(workEnergy(200, 200 * measuredShare).certainty).toBe(certainty)
    const sum = [
      { amount: 200 * measuredShare, certainty: 'measured' as const },
      { amount: 200 * (1 - measuredShare), certainty: 'estimated' as const },
    ]
    expect(certaintyOfSum(sum)).toBe(certainty)
  })

  it('is the same for a sum, by what each figure says was measured', () => {
    expect(certaintyOfSum([])).toBeNull()
    expect(certaintyOfSum([{ amount: 0, certainty: 'measured' }])).toBe('measured')
    const nearly = { amount: 10, certainty: 'mixed' as const, measuredShare: 0.9985 }
    expect(certaintyOfSum([{ amount: 90, certainty: 'measured' }, nearly])).toBe('measured')
    expect(
      certaintyOfSum([
        { amount: 90, certainty: 'measured' },
        { amount: 10, certainty: 'mixed' },
      ]),
    ).toBe('mixed')
  })

  it('calls nothing estimated: workless time has no sensor', () =>
    expect(workEnergy(0, 0)).toEqual({ joules: 0, measuredShare: 0, certainty: 'estimated' }))
})
