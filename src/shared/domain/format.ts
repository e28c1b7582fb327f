/**
 * Figures as people read them: a figure and its unit apart, so that a screen can set them apart. Three significant
 * digits, thousands and decimal sign by locale, minus is U+2212. Pure; used by the screens and the command line.
 */

export interface FormattedFigure {
  figure: string
  unit: string
}

/** The language and region of numbers: a BCP 47 tag. */
export const DEFAULT_LOCALE = 'en-US'
const MINUS = '\u2212'
const MAC_UNITS = ['MAC', 'kMAC', 'MMAC', 'GMAC', 'TMAC', 'PMAC', 'EMAC'] as const

/** `${figure} ${unit}` in one string; `space` is what stands between them, a no-break space unless told. */
export function toText({ figure, unit }: FormattedFigure, space = '\u00a0'): string {
  return unit === '' ? figure : `${figure}${space}${unit}`
}

/**
 * Work or credit. Below 1000 MAC the exact count; above, three significant digits, rounded half away from zero without
 * passing through floating point, so that 999.6 GMAC is 1.00 TMAC. From 1000 EMAC on in whole EMAC.
 */
export function formatMacs(macs: bigint | number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  const exact = typeof macs === 'bigint' ? macs : BigInt(Math.round(macs))
  const negative = exact < 0n
  const magnitude = negative ? -exact : exact
  const sign = negative ? MINUS : ''
  if (magnitude < 1000n) return { figure: `${sign}${magnitude}`, unit: 'MAC' }
  let unitIndex = 0
  let divisor = 1n
  while (unitIndex < MAC_UNITS.length - 1 && magnitude >= divisor * 1000n) {
    divisor *= 1000n
    unitIndex++
  }
  let decimals = decimalsForThreeDigits(magnitude, divisor)
  let scaled = divideRounded(magnitude * 10n ** BigInt(decimals), divisor)
  if (scaled >= 1000n && decimals > 0) {
    // 9.996 became 10.00: one decimal less keeps three digits
    decimals--
    scaled = divideRounded(magnitude * 10n ** BigInt(decimals), divisor)
  } else if (scaled >= 1000n && unitIndex < MAC_UNITS.length - 1) {
    unitIndex++
    decimals = 2
    scaled = 100n
  }
  const digits = scaled.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals)
  const plain = decimals === 0 ? whole : `${whole}.${fraction}`
  return { figure: sign + localize(plain, decimals, locale), unit: MAC_UNITS[unitIndex] ?? 'MAC' }
}

/** Credit or work per second: MAC/s with the prefix that fits. */
export function formatRate(macsPerSecond: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  if (Math.abs(macsPerSecond) < 999.5) return { figure: threeDigits(macsPerSecond, locale), unit: 'MAC/s' }
  const { figure, unit } = formatMacs(macsPerSecond, locale)
  return { figure, unit: `${unit}/s` }
}

/** Credit or work per joule, always in GMAC/J: the one scale on which rigs are compared. */
export function formatEfficiency(macsPerJoule: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  return { figure: threeDigits(macsPerJoule / 1e9, locale), unit: 'GMAC/J' }
}

/** Power: W below 10 kW, then kW. */
export function formatWatts(watts: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  if (Math.abs(watts) >= 9_995) return { figure: threeDigits(watts / 1000, locale), unit: 'kW' }
  return { figure: threeDigits(watts, locale), unit: 'W' }
}

/** Energy: J below one watt-hour, then Wh and kWh, in which electricity is bought. */
export function formatEnergy(joules: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  const magnitude = Math.abs(joules)
  if (magnitude >= 3_600_000) return { figure: threeDigits(joules / 3_600_000, locale), unit: 'kWh' }
  if (magnitude >= 3600) return { figure: threeDigits(joules / 3600, locale), unit: 'Wh' }
  return { figure: threeDigits(joules, locale), unit: 'J' }
}

/** Heat in whole degrees Celsius. */
export function formatCelsius(degrees: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  return { figure: number(degrees, locale, { maximumFractionDigits: 0 }), unit: '°C' }
}

/** Any count with thousands by locale. */
export function formatCount(count: number | bigint, locale: string = DEFAULT_LOCALE): string {
  return number(count, locale, { maximumFractionDigits: 0 })
}

/** A part of one as per cent, whole: 0.784 is "78 %". Only an exact nothing or all is 0 or 100. */
export function formatShare(share: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  const percent = share * 100
  const shown = percent > 0 && percent < 100 ? Math.min(99, Math.max(1, Math.round(percent))) : percent
  return { figure: number(shown, locale, { maximumFractionDigits: 0 }), unit: '%' }
}

/**
 * A length of time in its two largest units: "850 ms", "4.2 s", "48 s", "2 min 12 s", "1 h 37 min", "3 d 4 h". Cut, not
 * rounded, from a minute on, so that a clock never runs ahead.
 */
export function formatDuration(milliseconds: number, locale: string = DEFAULT_LOCALE): string {
  if (milliseconds < 0) return MINUS + formatDuration(-milliseconds, locale)
  if (milliseconds < 999.5) return `${number(milliseconds, locale, { maximumFractionDigits: 0 })} ms`
  if (milliseconds < 9_950)
    return `${number(milliseconds / 1000, locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s`
  if (milliseconds < 60_000) return `${number(Math.floor(milliseconds / 1000 + 1e-9), locale, {})} s`
  const seconds = Math.floor(milliseconds / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return twoUnits(minutes, 'min', seconds % 60, 's', locale)
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return twoUnits(hours, 'h', minutes % 60, 'min', locale)
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h', locale)
}

/** Minutes and seconds as a clock shows them: "2:12", with hours "1:02:12". Cut to whole seconds. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const two = (value: number): string => value.toString().padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

/** Sizes of files: powers of 1000, as disks and downloads count. */
export function formatBytes(bytes: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  return byteFigure(bytes, 1000, locale)
}

/** Sizes of memory: powers of 1024, written GB as systems and makers of memory do. */
export function formatMemory(bytes: number, locale: string = DEFAULT_LOCALE): FormattedFigure {
  return byteFigure(bytes, 1024, locale)
}

export interface MoneyFormat {
  /** 2 for readouts, 6 in tables */
  decimals?: 2 | 6
  /** always with its sign, as a net is shown */
  signed?: boolean
}

/**
 * Money from millionths of the currency's unit (an integer, also as a decimal string), exact. An amount under half a
 * cent keeps two significant digits instead of showing a zero that was not counted.
 */
export function formatMoney(
  micros: bigint | string,
  currency: string,
  locale: string = DEFAULT_LOCALE,
  { decimals = 2, signed = false }: MoneyFormat = {},
): string {
  const exact = BigInt(micros)
  const magnitude = exact < 0n ? -exact : exact
  const tiny = decimals === 2 && magnitude > 0n && magnitude < 5_000n
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    signDisplay: signed ? 'exceptZero' : 'negative',
    ...(tiny ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  })
  const whole = magnitude / 1_000_000n
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0')
  const text = `${exact < 0n ? '-' : ''}${whole}.${fraction}` as `${number}`
  return joinParts(format.formatToParts(text))
}

function decimalsForThreeDigits(magnitude: bigint, divisor: bigint): number {
  if (magnitude >= divisor * 100n) return 0
  return magnitude >= divisor * 10n ? 1 : 2
}

/** Half away from zero, for positive values. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  return (dividend * 2n + divisor) / (divisor * 2n)
}

/** A plain decimal as text in the locale's signs, digit for digit. */
function localize(plain: string, decimals: number, locale: string): string {
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  return joinParts(format.formatToParts(plain as `${number}`))
}

/** Three significant digits: 0.0123, 1.20, 13.5, 138, 1,410. Zero is "0". */
function threeDigits(value: number, locale: string): string {
  if (value === 0) return '0'
  return number(value, locale, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 })
}

function number(value: number | bigint, locale: string, options: Intl.NumberFormatOptions): string {
  return joinParts(new Intl.NumberFormat(locale, { signDisplay: 'negative', ...options }).formatToParts(value))
}

function joinParts(parts: Intl.NumberFormatPart[]): string {
  return parts.map((part) => (part.type === 'minusSign' ? MINUS : part.value)).join('')
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string, locale: string): string {
  const first = `${number(large, locale, {})} ${largeUnit}`
  return small === 0 ? first : `${first} ${small} ${smallUnit}`
}

function byteFigure(bytes: number, step: number, locale: string): FormattedFigure {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let index = 0
  // 999.5 rounds to 1000, which belongs to the next unit
  while (Math.abs(value) >= (index === 0 ? step : Math.min(step, 999.5)) && index < units.length - 1) {
    value /= step
    index++
  }
  return { figure: index === 0 ? formatCount(value, locale) : threeDigits(value, locale), unit: units[index] ?? 'B' }
}
