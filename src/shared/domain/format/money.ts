/** Money from millionths or billionths of the currency's unit, exact: no amount passes through a float. */
import { decimalText, MINUS, NONE, THIN_SPACE, type NumberFormats } from './numbers'

/** An amount of money: `micros` is an integer of millionths as a decimal string, `currency` an ISO 4217 code. */
export interface MoneyAmount {
  micros: string
  currency: string
}

const CENT_MICROS = 10_000n
/** An amount below a hundredth of a cent is shown without digits. */
const SMALLEST_SHOWN_MICROS = 100n
const NANOS_PER_MICRO = 1000n

export function moneyFormats(locale: string | undefined, { number, count, three, short }: NumberFormats) {
  const symbol = (currency: string): Intl.NumberFormatOptions => ({
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  })

  /**
   * Two decimals; below one cent two significant digits, since zero is shown only where zero was counted. `isSigned`: a
   * net amount always carries its sign.
   */
  function money({ micros, currency }: MoneyAmount, isSigned = false): string {
    const exact = BigInt(micros)
    const size = magnitude(exact)
    if (size !== 0n && size < SMALLEST_SHOWN_MICROS) {
      const bound = number(decimalText(SMALLEST_SHOWN_MICROS, 6), { ...symbol(currency), maximumFractionDigits: 4 })
      return `${exact < 0n ? MINUS : ''}<${bound}`
    }
    return number(decimalText(exact, 6), {
      ...symbol(currency),
      signDisplay: isSigned ? 'exceptZero' : 'auto',
      ...(size !== 0n && size < CENT_MICROS
        ? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 }
        : { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    })
  }

  /** Money as a large figure: an amount below a hundredth of a cent, as in the first minutes of a day, is shown as about zero. */
  function moneyFigure(amount: MoneyAmount, isSigned = false): string {
    const size = magnitude(BigInt(amount.micros))
    if (size === 0n || size >= SMALLEST_SHOWN_MICROS) return money(amount, isSigned)
    return `≈${THIN_SPACE}${money({ ...amount, micros: '0' }).replace(/[.,]00(?!\d)/, '')}`
  }

  /** The sign of a millionth of the currency: µ$. */
  function microUnit(currency: string): string {
    const parts = new Intl.NumberFormat(locale, symbol(currency)).formatToParts(0)
    return `µ${parts.find((part) => part.type === 'currency')?.value ?? currency}`
  }

  /** What one job cost, in millionths without the unit: two or three digits, since a joule costs less than one. */
  function jobCost(cost: { nanos: string } | null): string {
    if (cost === null) return NONE
    const nanos = BigInt(cost.nanos)
    if (nanos === 0n || nanos >= 100n * NANOS_PER_MICRO) return count((nanos + NANOS_PER_MICRO / 2n) / NANOS_PER_MICRO)
    const micros = decimalText(nanos, 3)
    return nanos < 100n ? short(micros, 2) : three(micros)
  }

  /** A price of a kilowatt hour: two decimals, or as many as it has up to four. */
  function price({ micros, currency }: MoneyAmount): string {
    return number(decimalText(BigInt(micros), 6), {
      ...symbol(currency),
      minimumFractionDigits: 2,
      maximumFractionDigits: 4,
    })
  }

  return { money, moneyFigure, microUnit, jobCost, price }
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)
