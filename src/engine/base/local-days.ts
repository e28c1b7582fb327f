/** Days in the computer's time zone. */
import type { EarningsPeriod } from '#shared/contract/earnings'

/** UTC milliseconds of the local midnight before `now`. */
export function localMidnight(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0)
}

/** Local midnight `days` calendar days away; days of 23 and 25 hours are days. */
export function addLocalDays(midnight: number, days: number): number {
  const date = new Date(midnight)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime()
}

/** UTC milliseconds of the period's beginning; null: the period has no beginning and contains every credit. */
export function periodStart(period: EarningsPeriod, now: number): number | null {
  const midnight = localMidnight(now)
  switch (period) {
    case 'today':
      return midnight
    case '7d':
      return addLocalDays(midnight, -6)
    case '30d':
      return addLocalDays(midnight, -29)
    case 'all':
      return null
  }
}

/** Every local day from the one that holds `from` to the one that holds `now`, ascending. */
export function localDays(from: number, now: number): { from: number; to: number }[] {
  const days: { from: number; to: number }[] = []
  const last = localMidnight(now)
  for (let day = localMidnight(from); day <= last; day = addLocalDays(day, 1))
    days.push({ from: day, to: addLocalDays(day, 1) })
  return days
}

/** YYYY-MM-DD, local. */
export function localDate(at: number): string {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
