import { describe, expect, it } from 'vitest'
import type { History } from '#shared/contract/engine'
import { efficiencyBand, historyMean } from './figures'

const history = (points: History['points']): History => ({
  period: '3h',
  from: 0,
  to: 10_000,
  step: 10,
  points,
  lanes: [],
  pauses: [],
})

describe('the figures of the history', () => {
  it('weighs work per joule by energy, not by time', () => {
    const points = Array.from({ length: 10 }, (_, index) => ({
      at: index,
      creditMacsPerSecond: index < 5 ? 100 : 300,
      watts: index < 5 ? 10 : 10,
      wattsMeasured: null,
    }))
    expect(historyMean(history(points))).toMatchObject({ macsPerSecond: 200, macsPerJoule: 20 })
  })

  it('leaves gaps out and says nothing of a few points', () => {
    const gap = { at: 0, creditMacsPerSecond: null, watts: 12, wattsMeasured: null }
    expect(historyMean(history([gap, gap]))).toMatchObject({ macsPerSecond: null, macsPerJoule: null })
    expect(efficiencyBand(history([gap]))).toBeNull()
    expect(historyMean(undefined).macsPerSecond).toBeNull()
  })

  it('drops the outermost points of the band', () => {
    const points = Array.from({ length: 40 }, (_, index) => ({
      at: index,
      creditMacsPerSecond: index === 0 ? 1e6 : 100 + index,
      watts: 1,
      wattsMeasured: null,
    }))
    const band = efficiencyBand(history(points))
    expect(band?.to).toBeLessThan(200)
    expect(band?.from).toBeGreaterThan(100)
  })
})
