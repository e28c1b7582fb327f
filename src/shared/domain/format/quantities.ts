/** Work, power, energy and sizes with the unit that fits. Work comes as a bigint or a decimal string and is rounded once, exactly. */
import { decimalText, joined, NONE, type ExactNumber, type Figure, type NumberFormats } from './numbers'

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y', 'R', 'Q'] as const
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const
const JOULES_PER_KILOWATT_HOUR = 3_600_000

export function quantityFormats({ number, count, three, short, fixed }: NumberFormats) {
  /**
   * An amount with the SI prefix that leaves one to three digits before the point: 28.7 TMAC/s. Whole amounts below a
   * thousand need no decimals: 12 MAC. A bigint or a decimal string of digits stays exact until it is rounded.
   */
  function scaled(value: number | bigint | string, unit: string): Figure {
    const amount = typeof value === 'string' ? BigInt(value) : value
    const { step, shown } = typeof amount === 'bigint' ? exactStep(amount) : floatStep(amount)
    const isWhole = step === 0 && Number.isInteger(Number(shown))
    return { figure: isWhole ? count(shown) : three(shown), unit: `${PREFIXES[step]}${unit}` }
  }

  /** Decimal MACs in GMAC for table columns: at most two decimals, and more digits rather than a false zero. */
  function gigaMacs(macs: string | null): string {
    if (macs === null) return NONE
    const exact = decimalText(BigInt(macs), 9)
    const value = Number(exact)
    if (value === 0) return '0'
    if (value < 0.01) return three(exact)
    return fixed(exact, value < 100 ? 2 : value < 1000 ? 1 : 0)
  }

  /** Energy in joules, without the unit; small amounts keep three digits. */
  function joules(value: number | null): string {
    if (value === null) return NONE
    return value !== 0 && value < 10 ? three(value) : count(Math.round(value))
  }

  /** Energy given in joules, in kWh or below one of them in Wh, with the unit. */
  function kilowattHours(energyJoules: number): string {
    const value = energyJoules / JOULES_PER_KILOWATT_HOUR
    if (value === 0) return joined({ figure: '0', unit: 'kWh' })
    if (value >= 1) return joined({ figure: three(value), unit: 'kWh' })
    return joined({ figure: short(value * 1000, value < 0.01 ? 2 : 3), unit: 'Wh' })
  }

  /** Power in watts, without the unit: whole, one decimal below ten. */
  function watts(value: number): string {
    return number(value, { maximumFractionDigits: value < 10 ? 1 : 0 })
  }

  /** A size in powers of 1000, as disks and downloads count: 4.70 GB. */
  function bytes(value: number, space?: string): string {
    let step = 0
    let shown = value
    // 999.5 would round to 1,000, which belongs to the next unit.
    while (shown >= (step === 0 ? 1000 : 999.5) && step < BYTE_UNITS.length - 1) {
      shown /= 1000
      step++
    }
    return joined({ figure: step === 0 ? count(value) : three(shown), unit: BYTE_UNITS[step] ?? 'B' }, space)
  }

  /** A size in gigabytes of 1000³ bytes with one decimal, without the unit. */
  function gigabytes(value: number): string {
    return fixed(value / 1e9, 1)
  }

  return { scaled, gigaMacs, joules, kilowattHours, watts, bytes, gigabytes }
}

/** The unit for a whole chart or column, from its largest value in MAC; `divisor` turns MAC into it. */
export function macScale(largest: number): { unit: string; divisor: number } {
  const step = largest < 1000 ? 0 : Math.min(Math.floor(Math.log10(largest) / 3), PREFIXES.length - 1)
  return { unit: `${PREFIXES[step]}MAC`, divisor: 1000 ** step }
}

/** Whole percents of a share (0 to 1); a share between 0 and half a percent is not shown as 0 %. */
export function percent(share: number): string {
  return share > 0 && share < 0.005 ? '<1 %' : `${Math.round(share * 100)} %`
}

/** The step of PREFIXES and the amount in it. 999.5 of a step would round to 1,000: it belongs to the next one. */
function exactStep(amount: bigint): { step: number; shown: ExactNumber } {
  const magnitude = amount < 0n ? -amount : amount
  let step = 0
  while (step < PREFIXES.length - 1 && magnitude * 2n >= 1999n * 1000n ** BigInt(step)) step++
  return { step, shown: decimalText(amount, 3 * step) }
}

function floatStep(amount: number): { step: number; shown: ExactNumber } {
  let step = 0
  while (step < PREFIXES.length - 1 && Math.abs(amount) >= 999.5 * 1000 ** step) step++
  return { step, shown: amount / 1000 ** step }
}
