import { describe, expect, it } from 'vitest'
import type { History } from '#shared/contract/engine'
import { efficiencyBand, historyMean } from './figures'

type Point = History['points'][number]

const history = (points: Point[]): History => ({
  period: '3h',
  from: 0,
  to: 10_000,
  step: 10,
  points,
  lanes: [],
  pauses: [],
})

/** As many points, one after another, each with what is given for its place. */
const pointsOf = (
  count: number,
  of: (index: number) => Pick<Point, 'creditMacsPerSecond' | 'watts'>,
): History['points'] => Array.from({ length: count }, (_, at) => ({ at, wattsMeasured: null, ...of(at) }))

describe('the figures of the history', () => {
  it('weighs work per joule by energy, not by time', () => {
    // Half of the time 10 MAC/J at 10 W, half of it 30 MAC/J at 90 W: by time it would be 20 MAC/J.
    const points = pointsOf(10, (index) =>
      index < 5 ? { creditMacsPerSecond: 100, watts: 10 } : { creditMacsPerSecond: 2700, watts: 90 },
    )
    expect(historyMean(history(points))).toEqual({ period: '3 h', macsPerSecond: 1400, macsPerJoule: 28 })
  })

  it('leaves gaps out and says nothing of a few points', () => {
    const known = pointsOf(10, () => ({ creditMacsPerSecond: 300, watts: 10 }))
    const gap = pointsOf(30, () => ({ creditMacsPerSecond: null, watts: 12 }))
    const unmetered = pointsOf(30, () => ({ creditMacsPerSecond: 300, watts: null }))
    const whole = history([...gap, ...known, ...unmetered])
    expect(historyMean(whole)).toMatchObject({ macsPerSecond: 300, macsPerJoule: 30 })
    expect(efficiencyBand(whole)).toMatchObject({ from: 30, to: 30 })

    const few = history([...gap, ...known.slice(1)])
    expect(historyMean(few)).toMatchObject({ macsPerSecond: null, macsPerJoule: null })
    expect(historyMean(history(unmetered))).toMatchObject({ macsPerSecond: 300, macsPerJoule: null })
    expect(efficiencyBand(few)).toBeNull()
    expect(efficiencyBand(undefined)).toBeNull()
    expect(historyMean(undefined)).toMatchObject({ macsPerSecond: null, macsPerJoule: null })
  })

  it('drops the outermost twentieth of the points on each side of the band, wherever they stand', () => {
    // 36 points of 51 to 86 MAC/J, and four outliers that come first, last and between them.
    const outliers = new Map([
      [0, 1e6],
      [13, 1],
      [27, 2e6],
      [39, 2],
    ])
    let next = 50
    const points = pointsOf(40, (index) => ({ creditMacsPerSecond: 2 * (outliers.get(index) ?? ++next), watts: 2 }))
    expect(efficiencyBand(history(points))).toEqual({ from: 51, to: 86, period: '3 h' })
  })
})
