/** Times of day on a 24-hour clock, days, and lengths of time. Times are UTC milliseconds, shown in the system's zone. */
import type { NumberFormats } from './numbers'

const MINUTE_MILLISECONDS = 60_000

export function timeFormats(locale: string | undefined, { three }: NumberFormats) {
  const made = (options: Intl.DateTimeFormatOptions): ((at: number) => string) => {
    let format: Intl.DateTimeFormat | undefined
    return (at) => (format ??= new Intl.DateTimeFormat(locale, options)).format(at)
  }
  const hourMinute: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  /** 14:32 */
  const clock = made(hourMinute)
  /** 14:32:07 */
  const clockSeconds = made({ ...hourMinute, second: '2-digit' })
  /** 22 Nov */
  const dayMonth = made({ day: 'numeric', month: 'short' })

  /** 22 Nov 06:58 */
  function dayClock(at: number): string {
    return `${dayMonth(at)} ${clock(at)}`
  }

  /** Time alone for the day of `now`, with the day otherwise. */
  function shortTime(at: number, now: number): string {
    return new Date(at).toDateString() === new Date(now).toDateString() ? clockSeconds(at) : dayClock(at)
  }

  /** How long a piece of work took: 840 ms, 3.21 s, 2 min. */
  function duration(milliseconds: number): string {
    if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
    if (milliseconds < MINUTE_MILLISECONDS) return `${three(milliseconds / 1000)} s`
    return span(milliseconds)
  }

  return { clock, clockSeconds, dayMonth, dayClock, shortTime, duration }
}

/** A span in at most two units, the smallest of them minutes from a minute on: "1 h 37 min", "12 s". */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return twoUnits(hours, 'h', minutes % 60, 'min')
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** Minutes and seconds, cut to whole seconds: 2:12 */
export function minutesSeconds(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
