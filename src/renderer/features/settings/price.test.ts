import { describe, expect, it } from 'vitest'
import { parsePriceMicros, priceInput } from './price'

describe('the electricity price as typed', () => {
  it('takes points and commas and gives back what was typed', () => {
    expect(parsePriceMicros('0.21')).toBe('210000')
    expect(parsePriceMicros(' 0,2134 ')).toBe('213400')
    expect(parsePriceMicros('31')).toBe('31000000')
    expect(priceInput('210000')).toBe('0.21')
    expect(priceInput('31000000')).toBe('31.00')
    expect(priceInput('213400')).toBe('0.2134')
  })

  it('refuses what is no price', () => {
    for (const text of ['', 'free', '-1', '1.2.3', '0.1234567', '99999', '1000.01'])
      expect(parsePriceMicros(text)).toBeNull()
  })
})
