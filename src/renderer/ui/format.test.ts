import { describe, expect, it } from 'vitest'
import { bytes, duration, gigaMacs, listed, money, moneyFigure, percent, scaled, sentence, span, three } from './format'

describe('figures', () => {
  it('keeps three significant digits and the prefix that fits', () => {
    expect(scaled(28_740_000_000_000, 'MAC/s')).toEqual({ figure: '28.7', unit: 'TMAC/s' })
    expect(scaled('1840000000000000000', 'MAC')).toEqual({ figure: '1.84', unit: 'EMAC' })
    expect(scaled(308_281_344n, 'MAC')).toEqual({ figure: '308', unit: 'MMAC' })
    expect(scaled(999_700_000, 'MAC')).toEqual({ figure: '1.00', unit: 'GMAC' })
    expect(scaled(0, 'MAC')).toEqual({ figure: '0', unit: 'MAC' })
    expect(scaled(12, 'MAC')).toEqual({ figure: '12', unit: 'MAC' })
    expect(three(0.04567)).toBe('0.0457')
  })

  it('does not show an amount that exists as zero', () => {
    expect(money({ micros: '4200', currency: 'USD' })).toBe('$0.0042')
    expect(money({ micros: '480000', currency: 'USD' })).toBe('$0.48')
    expect(money({ micros: '0', currency: 'USD' })).toBe('$0.00')
    expect(money({ micros: '28', currency: 'USD' })).toBe('<$0.0001')
    expect(money({ micros: '-28', currency: 'USD' }, true)).toBe('\u2212<$0.0001')
    expect(moneyFigure({ micros: '-28', currency: 'USD' }, true)).toBe('≈\u2009$0')
    expect(moneyFigure({ micros: '-4200', currency: 'USD' }, true)).toBe('\u2212$0.0042')
    expect(gigaMacs('1200')).toBe('0.00000120')
    expect(gigaMacs('0')).toBe('0')
    expect(percent(0.0004)).toBe('<1 %')
    expect(percent(0)).toBe('0 %')
  })

  it('signs a net amount with a true minus', () => {
    expect(money({ micros: '-480000', currency: 'USD' }, true)).toBe('\u2212$0.48')
    expect(money({ micros: '480000', currency: 'USD' }, true)).toBe('+$0.48')
  })

  it('says spans and sizes in words that fit', () => {
    expect(span(97 * 60_000)).toBe('1 h 37 min')
    expect(span(12_400)).toBe('12 s')
    expect(duration(840)).toBe('840 ms')
    expect(bytes(4_700_000_000)).toBe('4.70\u2009GB')
    expect(bytes(999)).toBe('999\u2009B')
  })

  it('makes sentences of messages', () => {
    expect(sentence('there is no folder /a')).toBe('There is no folder /a.')
    expect(sentence('Retry.')).toBe('Retry.')
    expect(sentence('model.bin is a pickle')).toBe('model.bin is a pickle.')
    expect(sentence('')).toBe('')
    expect(listed(['chat', 'embed', 'ocr'])).toBe('chat, embed and ocr')
  })
})
