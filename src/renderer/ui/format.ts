/** Figures as the screens show them: three significant digits, a unit beside them, U+2212 for minus, an en dash for none. */

export const NONE = '–'
const THIN = '\u2009'
const MINUS = '\u2212'
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y', 'R', 'Q'] as const

export interface Figure {
  figure: string
  unit: string
}

/** The person's locale for numbers and dates; 24 hours always. */
const locale = (): string | undefined => (typeof navigator === 'undefined' ? undefined : navigator.language)

export function count(value: number | bigint): string {
  return new Intl.NumberFormat(locale()).format(value).replace('-', MINUS)
}

/** Three significant digits, zero only for zero. */
export function three(value: number): string {
  const text = new Intl.NumberFormat(locale(), {
    maximumSignificantDigits: 3,
    minimumSignificantDigits: value === 0 ? 1 : 3,
  }).format(value)
  return text.replace('-', MINUS)
}

/** An amount with the SI prefix that leaves one to three digits before the point: 28.7 TMAC/s. Decimal strings stay exact until rounded. */
export function scaled(value: number | bigint | string, unit: string): Figure {
  const amount = typeof value === 'number' ? value : Number(value)
  if (amount === 0) return { figure: '0', unit }
  // 999.7 would round to 1,000: take the next prefix from 999.5 on.
  let step = Math.max(0, Math.floor(Math.log10(Math.abs(amount) * 1.000_500_1) / 3))
  step = Math.min(step, PREFIXES.length - 1)
  const shown = amount / 1000 ** step
  return {
    figure: shown < 1 && step === 0 && Number.isInteger(amount) ? count(amount) : whole(shown, step),
    unit: `${PREFIXES[step]}${unit}`,
  }
}

/** Small whole counts without a prefix need no decimals: 12 MAC, not 12.0 MAC. */
function whole(shown: number, step: number): string {
  return step === 0 && Number.isInteger(shown) ? count(shown) : three(shown)
}

/** The prefix for a whole chart or column, from its largest value. */
export function macScale(largest: number): { unit: string; divisor: number } {
  const step = largest < 1000 ? 0 : Math.min(Math.floor(Math.log10(largest) / 3), PREFIXES.length - 1)
  return { unit: `${PREFIXES[step]}MAC`, divisor: 1000 ** step }
}

/** One string with a thin space: "28.7 TMAC/s". */
export function joined(figure: Figure): string {
  return `${figure.figure}${THIN}${figure.unit}`
}

/** Decimal MACs in GMAC for table columns: at most two decimals, and more digits rather than a false zero. */
export function gigaMacs(macs: string | null): string {
  if (macs === null) return NONE
  const value = Number(macs) / 1e9
  if (value === 0) return '0'
  if (value < 0.01) return three(value)
  const digits = value < 100 ? 2 : value < 1000 ? 1 : 0
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
}

export function joules(value: number | null): string {
  if (value === null) return NONE
  return value !== 0 && value < 10 ? three(value) : count(Math.round(value))
}

/** At most `digits` significant digits and no zeros at the end: axis labels. */
export function short(value: number, digits = 3): string {
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: digits }).format(value).replace('-', MINUS)
}

export interface MoneyValue {
  micros: string
  currency: string
}

/**
 * Money in two decimals; below one cent in two significant digits, since zero is shown only where zero was counted.
 * `sign`: net amounts always carry one.
 */
export function money(value: MoneyValue, sign = false): string {
  const amount = Number(value.micros) / 1e6
  const size = Math.abs(amount)
  // Under a hundredth of a cent digits say nothing any more; still it is not zero.
  const tiny = size !== 0 && size < 0.0001
  const small = size !== 0 && size < 0.01
  const format = new Intl.NumberFormat(locale(), {
    style: 'currency',
    currency: value.currency,
    currencyDisplay: 'narrowSymbol',
    signDisplay: sign ? 'exceptZero' : 'auto',
    ...(tiny
      ? { maximumFractionDigits: 4 }
      : small
        ? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 }
        : { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  })
  if (!tiny) return format.format(amount).replace('-', MINUS)
  const text = format.format(0.0001)
  return `${amount < 0 ? MINUS : ''}<${sign ? text.replace('+', '') : text}`
}

/** Money as a large figure: what is under a hundredth of a cent, as in the first minutes of a day, is about zero and no more. */
export function moneyFigure(value: MoneyValue, sign = false): string {
  const micros = Math.abs(Number(value.micros))
  if (micros === 0 || micros >= 100) return money(value, sign)
  return `≈${THIN}${money({ ...value, micros: '0' }).replace(/[.,]00(?!\d)/, '')}`
}

/** µ$ */
export function microUnit(currency: string): string {
  const parts = new Intl.NumberFormat(locale(), { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
  return `µ${parts.formatToParts(0).find((part) => part.type === 'currency')?.value ?? currency}`
}

/** What one job cost, in millionths: two or three digits, since a joule costs less than one. */
export function jobCost(cost: { nanos: string } | null): string {
  if (cost === null) return NONE
  const micros = Number(cost.nanos) / 1000
  if (micros === 0 || micros >= 100) return count(Math.round(micros))
  return micros < 0.1 ? short(micros, 2) : three(micros)
}

/** Price of a kilowatt hour: two decimals or as many as it has. */
export function price(value: MoneyValue): string {
  return new Intl.NumberFormat(locale(), {
    style: 'currency',
    currency: value.currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: 2,
    maximumFractionDigits: 4,
  }).format(Number(value.micros) / 1e6)
}

export function kilowattHours(joulesValue: number): string {
  const value = joulesValue / 3_600_000
  if (value >= 1 || value === 0) return joined({ figure: value === 0 ? '0' : three(value), unit: 'kWh' })
  return joined({ figure: short(value * 1000, value < 0.01 ? 2 : 3), unit: 'Wh' })
}

export function watts(value: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)
}

const BYTE_STEPS = ['B', 'kB', 'MB', 'GB', 'TB'] as const
/** Decimal bytes: 4.7 GB. */
export function bytes(value: number): string {
  const step = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), BYTE_STEPS.length - 1)
  const shown = value / 1000 ** step
  return joined({ figure: step === 0 ? count(value) : three(shown), unit: BYTE_STEPS[step] ?? 'B' })
}
export function gigabytes(value: number): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value / 1e9)
}

const clockOptions: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
/** 14:32 */
export function clock(at: number): string {
  return new Intl.DateTimeFormat(locale(), clockOptions).format(at)
}
/** 14:32:07 */
export function clockSeconds(at: number): string {
  return new Intl.DateTimeFormat(locale(), { ...clockOptions, second: '2-digit' }).format(at)
}
/** 22 Nov */
export function dayMonth(at: number): string {
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' }).format(at)
}
/** 22 Nov 06:58 */
export function dayClock(at: number): string {
  return `${dayMonth(at)} ${clock(at)}`
}
/** Time alone for today, with the day otherwise. */
export function shortTime(at: number, now = Date.now()): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clockSeconds(at) : dayClock(at)
}

/** A span in at most two units: "1 h 37 min", "12 s". */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}

/** 2:12 */
export function minutesSeconds(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Duration of a piece of work: 840 ms, 3.21 s, 2 min 10 s. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 60_000) return `${three(milliseconds / 1000)} s`
  return span(milliseconds)
}

/** Whole percents; what is there but below a half of one is not shown as none. */
export function percent(share: number): string {
  return share > 0 && share < 0.005 ? '<1 %' : `${Math.round(share * 100)} %`
}

/** 8f3d…21c0 */
export function shortId(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`
}

/** Several things in a sentence: "a, b and c". */
export function listed(parts: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(parts)
}

/**
 * A failure's words as a sentence: the engine begins its messages in lower case, since logs put them after a colon. A name of
 * a file at the beginning stays as the file is called.
 */
export function sentence(text: string): string {
  const isName = /^\S*[./\\_\d]\S/.test(text)
  const whole = isName ? text : text.charAt(0).toUpperCase() + text.slice(1)
  return /[.…:?)]$/.test(whole) || whole === '' ? whole : `${whole}.`
}
