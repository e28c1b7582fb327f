import { describe, expect, it } from 'vitest'
import { normalizedEditDistance } from './text-distance'

describe('normalizedEditDistance', () => {
  it('is 0 for the same text, however it is spaced and divided into lines', () => {
    expect(normalizedEditDistance(['a red boat', 'at noon'], ['a redboat', 'at  noon'])).toBe(0)
    expect(normalizedEditDistance(['one', 'two'], ['one two'])).toBe(0)
    expect(normalizedEditDistance([], [])).toBe(0)
    expect(normalizedEditDistance([' '], [''])).toBe(0)
  })

  it('takes compatible forms of a character for the same', () => {
    expect(normalizedEditDistance(['yes, 12'], ['yes，１２'])).toBe(0)
  })

  it('is 1 when nothing is in common', () => {
    expect(normalizedEditDistance(['abc'], ['xyz'])).toBe(1)
    expect(normalizedEditDistance(['abc'], [])).toBe(1)
    expect(normalizedEditDistance([], ['abc'])).toBe(1)
    expect(normalizedEditDistance(['ab'], ['wxyz'])).toBe(1)
  })

  it('counts replaced, missing and additional characters against the longer text', () => {
    expect(normalizedEditDistance(['kitten'], ['sitting'])).toBeCloseTo(3 / 7, 12)
    expect(normalizedEditDistance(['sitting'], ['kitten'])).toBeCloseTo(3 / 7, 12)
    expect(normalizedEditDistance(['boat'], ['boats'])).toBeCloseTo(1 / 5, 12)
    expect(normalizedEditDistance(['flaw'], ['lawn'])).toBeCloseTo(2 / 4, 12)
  })

  it('counts characters beyond the basic plane once', () => {
    expect(normalizedEditDistance(['a😀b'], ['a😃b'])).toBeCloseTo(1 / 3, 12)
  })
})
