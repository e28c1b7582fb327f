import { describe, expect, it } from 'vitest'
import { english, formats, joined, listed, minutesSeconds, percent, sentence, span, type Figure } from './format'

const {
  bytes,
  count,
  duration,
  gigaMacs,
  jobCost,
  kilowattHours,
  microUnit,
  money,
  moneyFigure,
  price,
  scaled,
  three,
} = english

const text = (figure: Figure): string => joined(figure, ' ')

describe('work', () => {
  it.each<[bigint, string]>([
    [0n, '0 MAC'],
    [1n, '1 MAC'],
    [999n, '999 MAC'],
    [1000n, '1.00 kMAC'],
    [1_235n, '1.24 kMAC'],
    [9_994n, '9.99 kMAC'],
    [9_995n, '10.0 kMAC'],
    [99_949n, '99.9 kMAC'],
    [99_950n, '100 kMAC'],
    [999_499n, '999 kMAC'],
    [999_500n, '1.00 MMAC'],
    [308_281_344n, '308 MMAC'],
    [999_499_999_999n, '999 GMAC'],
    [28_100_000_000_000n, '28.1 TMAC'],
    [2_500_000_000_000_000_000n, '2.50 EMAC'],
    [-999_600_000_000n, '\u22121.00 TMAC'],
  ])('%s is %s', (macs, expected) => expect(text(scaled(macs, 'MAC'))).toBe(expected))

  it('keeps every digit that a float would lose', () => {
    expect(text(scaled(1_234_500_000_000_000_000_001n, 'MAC'))).toBe('1.23 ZMAC')
    expect(text(scaled('1235000000000000000000', 'MAC'))).toBe('1.24 ZMAC')
    expect(text(scaled('1234999999999999999999', 'MAC'))).toBe('1.23 ZMAC')
    expect(gigaMacs('9007199254740993500000000')).toBe('9,007,199,254,740,994')
  })

  it('takes rates, whole or not', () => {
    expect(text(scaled(28_740_000_000_000, 'MAC/s'))).toBe('28.7 TMAC/s')
    expect(text(scaled(999.6e9, 'MAC/s'))).toBe('1.00 TMAC/s')
    expect(text(scaled(0, 'MAC/s'))).toBe('0 MAC/s')
    expect(text(scaled(1.5, 'MAC/s'))).toBe('1.50 MAC/s')
    expect(text(scaled(12, 'MAC/s'))).toBe('12 MAC/s')
    expect(text(scaled(999.7, 'MAC/s'))).toBe('1.00 kMAC/s')
  })

  it('shows no zero that was not counted', () => {
    expect(gigaMacs('1200')).toBe('0.00000120')
    expect(gigaMacs('0')).toBe('0')
    expect(percent(0.0004)).toBe('<1 %')
    expect(percent(0)).toBe('0 %')
    expect(three(0.04567)).toBe('0.0457')
  })
})

describe('money', () => {
  const dollars = (micros: string, isSigned?: boolean): string => money({ micros, currency: 'USD' }, isSigned)

  it('has two decimals, and below a cent two digits', () => {
    expect(dollars('1890000')).toBe('$1.89')
    expect(dollars('1895000')).toBe('$1.90')
    expect(dollars('480000')).toBe('$0.48')
    expect(dollars('4200')).toBe('$0.0042')
    expect(dollars('0')).toBe('$0.00')
    expect(dollars('28')).toBe('<$0.0001')
  })

  it('signs a net amount with a true minus', () => {
    expect(dollars('-480000', true)).toBe('\u2212$0.48')
    expect(dollars('480000', true)).toBe('+$0.48')
    expect(dollars('0', true)).toBe('$0.00')
    expect(dollars('-28', true)).toBe('\u2212<$0.0001')
    expect(dollars('28', true)).toBe('<$0.0001')
  })

  it('is exact where a float is not', () => {
    expect(dollars('9007199254740993125000')).toBe('$9,007,199,254,740,993.13')
    expect(dollars('9007199254740993124999')).toBe('$9,007,199,254,740,993.12')
  })

  it('follows currency and locale', () => {
    expect(money({ micros: '210000000', currency: 'JPY' })).toBe('¥210.00')
    expect(formats('fr-FR').money({ micros: '1234560000', currency: 'EUR' })).toBe('1\u202f234,56\u00a0€')
    expect(formats('de-DE').money({ micros: '-340000', currency: 'EUR' }, true)).toBe('\u22120,34\u00a0€')
    expect(formats('de-DE').count(91_400n)).toBe('91.400')
  })

  it('calls a large figure of next to nothing about zero', () => {
    expect(moneyFigure({ micros: '-28', currency: 'USD' }, true)).toBe('≈\u2009$0')
    expect(moneyFigure({ micros: '-4200', currency: 'USD' }, true)).toBe('\u2212$0.0042')
  })

  it('shows what a job cost in millionths', () => {
    expect(microUnit('USD')).toBe('µ$')
    expect(jobCost(null)).toBe('–')
    expect(jobCost({ nanos: '0' })).toBe('0')
    expect(jobCost({ nanos: '42' })).toBe('0.042')
    expect(jobCost({ nanos: '4257' })).toBe('4.26')
    expect(jobCost({ nanos: '123500' })).toBe('124')
  })

  it('shows a price with the decimals that it has', () => {
    expect(price({ micros: '250000', currency: 'USD' })).toBe('$0.25')
    expect(price({ micros: '253100', currency: 'USD' })).toBe('$0.2531')
  })
})

describe('times, sizes and words', () => {
  it('says spans in at most two units', () => {
    expect(span(97 * 60_000)).toBe('1 h 37 min')
    expect(span(12_400)).toBe('12 s')
    expect(span(273_600_000)).toBe('3 d 4 h')
    expect(duration(840)).toBe('840 ms')
    expect(duration(3210)).toBe('3.21 s')
    expect(minutesSeconds(132_999)).toBe('2:12')
  })

  it('counts sizes by 1000 and energy in what is sold', () => {
    expect(bytes(4_700_000_000)).toBe('4.70\u2009GB')
    expect(bytes(999)).toBe('999\u2009B')
    expect(bytes(999_600, ' ')).toBe('1.00 MB')
    expect(kilowattHours(3_600_000)).toBe('1.00\u2009kWh')
    expect(kilowattHours(3600)).toBe('1\u2009Wh')
    expect(count(91_400)).toBe('91,400')
  })

  it('makes sentences of messages', () => {
    expect(sentence('there is no folder /a')).toBe('There is no folder /a.')
    expect(sentence('Retry.')).toBe('Retry.')
    expect(sentence('model.bin is a pickle')).toBe('model.bin is a pickle.')
    expect(sentence('')).toBe('')
    expect(listed(['chat', 'embed', 'ocr'])).toBe('chat, embed and ocr')
  })
})
