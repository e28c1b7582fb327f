import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { afterMilliseconds } from './long-timer'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a year is a year, and can be cut short', () => {
  const year = 365 * 86_400_000
  const ended: string[] = []
  afterMilliseconds(year, () => ended.push('year'))
  const other = afterMilliseconds(year, () => ended.push('cancelled'))
  afterMilliseconds(1000, () => ended.push('second'))
  vi.advanceTimersByTime(1000)
  expect(ended).toEqual(['second'])
  vi.advanceTimersByTime(year - 1001)
  other.cancel()
  expect(ended).toEqual(['second'])
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['second', 'year'])
})
