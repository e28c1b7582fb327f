import { describe, expect, it } from 'vitest'
import { confusablesOf, settleConfusables, type ReadCharacter } from './confusables'

/** The network hesitated by `doubt` between each marked character and all of its confusables. */
function line(text: string, marked: number[], doubt = 0.3): ReadCharacter[] {
  return Array.from(text, (character, index) => ({
    character,
    probability: 1 - doubt,
    confusables: confusablesOf(character).map((like) => ({
      character: like,
      probability: marked.includes(index) && /[o0I1l]/.test(like) ? doubt : 0,
    })),
  }))
}

describe('settleConfusables', () => {
  it('takes letters among letters and digits among digits, also beside punctuation', () => {
    expect(settleConfusables(line('sh0e', [2]))).toBe('shoe')
    expect(settleConfusables(line('one 0r two', [4]))).toBe('one or two')
    expect(settleConfusables(line('at example.0rg now', [11]))).toBe('at example.org now')
    expect(settleConfusables(line('about 9o59', [7]))).toBe('about 9059')
    expect(settleConfusables(line('3,l50', [2]))).toBe('3,150')
  })

  it('takes a capital I at the start of a line only', () => {
    expect(settleConfusables(line('ldea', [0]))).toBe('Idea')
    expect(settleConfusables(line('good luck', [5]))).toBe('good luck')
  })

  it('leaves what the network was sure of, mixed words and digits alone', () => {
    expect(settleConfusables(line('sh0e', [2], 0.02))).toBe('sh0e')
    expect(settleConfusables(line('a1b0', [3]))).toBe('a1b0')
    expect(settleConfusables(line('0', [0]))).toBe('0')
    expect(settleConfusables(line('100', [0, 1, 2]))).toBe('100')
  })
})
