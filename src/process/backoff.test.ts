import { describe, expect, it } from 'vitest'
import { afterFailure, BACKOFF, backoffDelay, NO_FAILURES, type FailureHistory } from './backoff'

describe('the delay before the next try', () => {
  it('doubles from half a second to a minute', () => {
    expect([0, 1, 2, 6, 7, 8, 2000].map((failures) => backoffDelay(failures, 0.5))).toEqual([
      500, 1000, 2000, 32_000, 60_000, 60_000, 60_000,
    ])
  })

  it('is spread by a quarter to both sides', () => {
    expect(backoffDelay(0, 0)).toBe(375)
    expect(backoffDelay(0, 0.999_999)).toBeCloseTo(625, 2)
  })

  it('keeps to limits of its own', () => {
    const limits = { firstDelayMilliseconds: 10, largestDelayMilliseconds: 30 }
    expect([0, 1, 2].map((failures) => backoffDelay(failures, 0.5, limits))).toEqual([10, 20, 30])
  })
})

describe('the circuit', () => {
  /** Fails at these times, having run for as long each time. */
  const fail = (times: readonly number[], ranMilliseconds = 0) => {
    let history: FailureHistory = NO_FAILURES
    return times.map((now) => {
      const after = afterFailure(history, { now, ranMilliseconds, random: 0.5 })
      ;({ history } = after)
      return after.circuit === 'open' ? 'open' : after.delayMilliseconds
    })
  }

  it('opens at the fifth failure within ten minutes', () => {
    expect(fail([0, 1, 2, 3, BACKOFF.failureWindowMilliseconds - 1])).toEqual([500, 1000, 2000, 4000, 'open'])
  })

  it('stays closed where one of the five is ten minutes old, and goes on with longer delays', () => {
    expect(fail([0, 1, 2, 3, BACKOFF.failureWindowMilliseconds])).toEqual([500, 1000, 2000, 4000, 8000])
  })

  it('forgets every failure before five healthy minutes', () => {
    expect(fail([0, 1, 2, 3, 4, 5], BACKOFF.healthyAfterMilliseconds)).toEqual([500, 500, 500, 500, 500, 500])
    expect(fail([0, 1, 2, 3, 4], BACKOFF.healthyAfterMilliseconds - 1).at(-1)).toBe('open')
  })
})
