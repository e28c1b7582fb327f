import { describe, expect, it } from 'vitest'
import { laneBars } from './lanes'
import { scalePercent, scaleRange, scaleTicks } from './scale-marks'

describe('the scale', () => {
  it('takes whole decades with every value inside', () => {
    expect(scaleRange([13.5, 173])).toEqual({ low: 1, high: 1000 })
    expect(scaleRange([1.9])).toEqual({ low: 0.1, high: 10 })
    expect(scaleRange([])).toBeNull()
    expect(scaleRange([0])).toBeNull()
    for (const value of [0.011, 0.99, 1, 5, 9.99, 10, 947]) {
      const range = scaleRange([value])
      expect(range).not.toBeNull()
      if (!range) continue
      expect(scalePercent(value, range)).toBeGreaterThan(5)
      expect(scalePercent(value, range)).toBeLessThan(95)
    }
  })

  it('labels both ends and rises', () => {
    const ticks = scaleTicks({ low: 1, high: 1000 })
    const percents = ticks.map(({ percent }) => percent)
    expect(ticks[0]).toMatchObject({ label: 1, percent: 0 })
    expect(ticks.at(-1)).toMatchObject({ label: 1000, percent: 100 })
    expect(percents).toEqual([...new Set(percents)].toSorted((a, b) => a - b))
    const labels = ticks.flatMap(({ label }) => label ?? [])
    expect(labels).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
    for (const { label, percent } of ticks)
      if (label !== null) expect(percent).toBeCloseTo((100 * Math.log10(label)) / 3, 9)
  })
})

describe('lanes', () => {
  it('shows a job that is shorter than a pixel', () => {
    const bars = laneBars(
      [
        { deviceId: 'cpu', activity: 'proof', from: 0, to: 10_000 },
        { deviceId: 'cpu', activity: 'ocr', from: 10_000, to: 10_010 },
        { deviceId: 'cpu', activity: 'proof', from: 10_010, to: 240_000 },
      ],
      0,
      240_000,
    )
    expect(bars.map(({ activity }) => activity)).toEqual(['proof', 'ocr', 'proof'])
    const job = bars[1]
    expect((job?.toPercent ?? 0) - (job?.fromPercent ?? 0)).toBeGreaterThan(100 / 240 / 6)
  })

  it('shows what was done in each part and joins equal neighbours', () => {
    const bars = laneBars(
      [
        { deviceId: 'cpu', activity: 'proof', from: 0, to: 1200 },
        { deviceId: 'cpu', activity: 'ocr', from: 1200, to: 2400 },
      ],
      0,
      2400,
    )
    expect(bars).toEqual([
      { activity: 'proof', fromPercent: 0, toPercent: 50 },
      { activity: 'ocr', fromPercent: 50, toPercent: 100 },
    ])
  })

  it('leaves time without work empty and ignores what is outside', () => {
    const bars = laneBars([{ deviceId: 'cpu', activity: 'chat', from: -500, to: 600 }], 0, 2400)
    expect(bars).toEqual([{ activity: 'chat', fromPercent: 0, toPercent: 25 }])
    expect(laneBars([], 0, 0)).toEqual([])
  })
})
