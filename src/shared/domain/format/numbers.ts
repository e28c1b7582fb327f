/** Numbers in a person's signs: thousands and decimal sign by locale, minus is U+2212, an en dash for none. */

/** Stands where there is no figure. */
export const NONE = '–'
export const MINUS = '\u2212'
export const THIN_SPACE = '\u2009'
export const NO_BREAK_SPACE = '\u00a0'

/** A number that Intl formats digit for digit: a decimal string passes through no float. */
export type ExactNumber = number | bigint | `${number}`

/** An amount and its unit apart, so that a screen can set them apart. */
export interface Figure {
  figure: string
  unit: string
}

/** Figure and unit in one string: "28.7 TMAC/s". */
export function joined({ figure, unit }: Figure, space: string = THIN_SPACE): string {
  return unit === '' ? figure : `${figure}${space}${unit}`
}

/** `units` divided by 10 to the power of `decimals`, as exact decimal text: 1234 with 2 is "12.34". */
export function decimalText(units: bigint, decimals: number): `${number}` {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`
  return `${units < 0n ? '-' : ''}${text}` as `${number}`
}

/** `locale`: a BCP 47 tag; undefined takes the language of the system. */
export function numberFormats(locale: string | undefined) {
  const made = new Map<string, Intl.NumberFormat>()

  /** Any number by Intl's own options. Rounds half away from zero. */
  function number(value: ExactNumber, options: Intl.NumberFormatOptions = {}): string {
    const key = JSON.stringify(options)
    const format = made.get(key) ?? new Intl.NumberFormat(locale, options)
    made.set(key, format)
    return format.format(value as number).replace('-', MINUS)
  }

  /** A count with thousands: 91,400. */
  function count(value: ExactNumber): string {
    return number(value)
  }

  /** Three significant digits, "0" only for zero: 0.0123, 1.20, 13.5, 1,410. */
  function three(value: ExactNumber): string {
    const isZero = Number(value) === 0
    return number(value, { maximumSignificantDigits: 3, minimumSignificantDigits: isZero ? 1 : 3 })
  }

  /** At most `digits` significant digits and no zeros at the end: axis labels. */
  function short(value: ExactNumber, digits = 3): string {
    return number(value, { maximumSignificantDigits: digits })
  }

  /** Exactly `digits` decimals. */
  function fixed(value: ExactNumber, digits: number): string {
    return number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits })
  }

  return { number, count, three, short, fixed }
}

export type NumberFormats = ReturnType<typeof numberFormats>
