import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCelsius,
  formatClock,
  formatCount,
  formatDuration,
  formatEfficiency,
  formatEnergy,
  formatMacs,
  formatMemory,
  formatMoney,
  formatRate,
  formatShare,
  formatWatts,
  toText,
} from './format'

const text = (formatted: { figure: string; unit: string }): string => toText(formatted, ' ')

describe('formatMacs', () => {
  it.each<[bigint, string]>([
    [0n, '0 MAC'],
    [1n, '1 MAC'],
    [999n, '999 MAC'],
    [1000n, '1.00 kMAC'],
    [1_234n, '1.23 kMAC'],
    [1_235n, '1.24 kMAC'],
    [9_994n, '9.99 kMAC'],
    [9_995n, '10.0 kMAC'],
    [99_949n, '99.9 kMAC'],
    [99_950n, '100 kMAC'],
    [999_499n, '999 kMAC'],
    [999_500n, '1.00 MMAC'],
    [13_489_000_000n, '13.5 GMAC'],
    [999_499_999_999n, '999 GMAC'],
    [999_600_000_000n, '1.00 TMAC'],
    [28_100_000_000_000n, '28.1 TMAC'],
    [1_000_000_000_000_000n, '1.00 PMAC'],
    [2_500_000_000_000_000_000n, '2.50 EMAC'],
    [999_999_000_000_000_000_000n, '1,000 EMAC'],
    [1_234_567_000_000_000_000_000_000n, '1,234,567 EMAC'],
    [-999_600_000_000n, '\u22121.00 TMAC'],
  ])('%s is %s', (macs, expected) => expect(text(formatMacs(macs))).toBe(expected))

  it('keeps every digit that a float would lose', () => {
    expect(text(formatMacs(1_234_500_000_000_000_000_001n))).toBe('1,235 EMAC')
    expect(text(formatMacs(1_234_499_999_999_999_999_999n))).toBe('1,234 EMAC')
  })

  it('follows the locale', () => {
    expect(text(formatMacs(13_489_000_000n, 'fr-FR'))).toBe('13,5 GMAC')
    expect(text(formatMacs(13_489_000_000n, 'de-DE'))).toBe('13,5 GMAC')
  })
})

describe('rates, power and energy', () => {
  it('shows a rate in the unit that fits', () => {
    expect(text(formatRate(28.1e12))).toBe('28.1 TMAC/s')
    expect(text(formatRate(999.6e9))).toBe('1.00 TMAC/s')
    expect(text(formatRate(0))).toBe('0 MAC/s')
    expect(text(formatRate(1.5))).toBe('1.50 MAC/s')
    expect(text(formatRate(999.7))).toBe('1.00 kMAC/s')
  })

  it('shows efficiency in GMAC/J whatever its size', () => {
    expect(text(formatEfficiency(138.2e9))).toBe('138 GMAC/J')
    expect(text(formatEfficiency(13.49e9))).toBe('13.5 GMAC/J')
    expect(text(formatEfficiency(12.3e6))).toBe('0.0123 GMAC/J')
    expect(text(formatEfficiency(5_234e9))).toBe('5,230 GMAC/J')
  })

  it('shows watts, then kilowatts', () => {
    expect(text(formatWatts(162.4))).toBe('162 W')
    expect(text(formatWatts(46))).toBe('46.0 W')
    expect(text(formatWatts(9_994))).toBe('9,990 W')
    expect(text(formatWatts(9_995))).toBe('10.0 kW')
    expect(text(formatWatts(0))).toBe('0 W')
  })

  it('shows energy in joules, watt-hours and kilowatt-hours', () => {
    expect(text(formatEnergy(121))).toBe('121 J')
    expect(text(formatEnergy(3600))).toBe('1.00 Wh')
    expect(text(formatEnergy(3_600_000))).toBe('1.00 kWh')
  })

  it('shows degrees, counts and shares', () => {
    expect(text(formatCelsius(64.4))).toBe('64 °C')
    expect(text(formatCelsius(-3))).toBe('\u22123 °C')
    expect(formatCount(91_400)).toBe('91,400')
    expect(formatCount(91_400n, 'de-DE')).toBe('91.400')
    expect(text(formatShare(0.784))).toBe('78 %')
  })

  it('calls only nothing 0 % and only everything 100 %', () => {
    expect(formatShare(0).figure).toBe('0')
    expect(formatShare(0.0001).figure).toBe('1')
    expect(formatShare(0.999).figure).toBe('99')
    expect(formatShare(1).figure).toBe('100')
  })
})

describe('durations', () => {
  it.each<[number, string]>([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.6, '1.0 s'],
    [4_230, '4.2 s'],
    [9_960, '9 s'],
    [10_000, '10 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [132_000, '2 min 12 s'],
    [3_599_999, '59 min 59 s'],
    [3_600_000, '1 h'],
    [5_820_000, '1 h 37 min'],
    [86_400_000, '1 d'],
    [273_600_000, '3 d 4 h'],
    [-5_000, '\u22125.0 s'],
  ])('%s ms is %s', (milliseconds, expected) => expect(formatDuration(milliseconds)).toBe(expected))

  it('shows a clock', () => {
    expect(formatClock(132_999)).toBe('2:12')
    expect(formatClock(5_000)).toBe('0:05')
    expect(formatClock(3_732_000)).toBe('1:02:12')
    expect(formatClock(-1)).toBe('0:00')
  })
})

describe('sizes', () => {
  it('counts files by 1000 and memory by 1024', () => {
    expect(text(formatBytes(999))).toBe('999 B')
    expect(text(formatBytes(1000))).toBe('1.00 kB')
    expect(text(formatBytes(999_600))).toBe('1.00 MB')
    expect(text(formatBytes(134_515_008))).toBe('135 MB')
    expect(text(formatMemory(32 * 1024 ** 3))).toBe('32.0 GB')
    expect(text(formatMemory(1023 * 1024 ** 2))).toBe('0.999 GB')
  })
})

describe('formatMoney', () => {
  it('has two decimals, six in tables', () => {
    expect(formatMoney('1890000', 'USD')).toBe('$1.89')
    expect(formatMoney(1_895_000n, 'USD')).toBe('$1.90')
    expect(formatMoney(18n, 'USD', 'en-US', { decimals: 6 })).toBe('$0.000018')
    expect(formatMoney(0n, 'USD')).toBe('$0.00')
  })

  it('keeps its sign, with U+2212', () => {
    expect(formatMoney(-340_000n, 'USD')).toBe('\u2212$0.34')
    expect(formatMoney(340_000n, 'USD', 'en-US', { signed: true })).toBe('+$0.34')
    expect(formatMoney(-340_000n, 'EUR', 'de-DE', { signed: true })).toBe('\u22120,34\u00a0€')
    expect(formatMoney(0n, 'USD', 'en-US', { signed: true })).toBe('$0.00')
  })

  it('shows no zero that was not counted', () => {
    expect(formatMoney(1n, 'USD')).toBe('$0.000001')
    expect(formatMoney(-1_234n, 'USD')).toBe('\u2212$0.0012')
    expect(formatMoney(4_999n, 'USD')).toBe('$0.005')
    expect(formatMoney(5_000n, 'USD')).toBe('$0.01')
  })

  it('is exact where a float is not', () => {
    expect(formatMoney('9007199254740993000001', 'USD', 'en-US', { decimals: 6 })).toBe('$9,007,199,254,740,993.000001')
  })

  it('follows currency and locale', () => {
    expect(formatMoney(210_000_000n, 'JPY', 'en-US')).toBe('¥210.00')
    expect(formatMoney(1_234_560_000n, 'EUR', 'fr-FR')).toBe('1\u202f234,56\u00a0€')
  })
})
