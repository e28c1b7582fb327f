import { describe, expect, test } from 'vitest'
import { chatSampling, type ChatSampling } from '#shared/domain/job'
import { philox, uniformAt } from './philox'
import { createSampler } from './sampler'
import { createStopStrings } from './stop-strings'

const asked = (change: Partial<ChatSampling>): ChatSampling =>
  chatSampling.parse({ temperature: 1, seed: 7, ...change })
/** Probabilities 0.5, 0.25, 0.125, … so that what a limit keeps can be said. */
const logits = Float32Array.from({ length: 12 }, (_, id) => -id * Math.LN2)

function drawn(sampling: ChatSampling, count: number): number[] {
  return Array.from({ length: count }, (_, seed) => createSampler({ ...sampling, seed }, []).choose(logits))
}

describe('Philox4x32-10', () => {
  // known answers of the generator's authors (Random123, kat_vectors)
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('of %j under %j', (counter, key, words) => {
    expect(philox(counter, key)).toEqual(words)
  })

  test('gives numbers from 0 to 1 that differ with position and seed', () => {
    const numbers = [0, 1].flatMap((seed) => Array.from({ length: 500 }, (_, position) => uniformAt(seed, position)))
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    expect(new Set(numbers).size).toBe(1000)
    expect(Math.min(...numbers)).toBeLessThan(0.02)
    expect(Math.max(...numbers)).toBeGreaterThan(0.98)
  })
})

describe('choosing a token', () => {
  test('takes the likeliest without sampling and at temperature 0, of equals the first', () => {
    const equal = Float32Array.of(1, 3, 3, 2)
    expect(createSampler(undefined, []).choose(equal)).toBe(1)
    expect(createSampler(asked({ temperature: 0 }), []).choose(equal)).toBe(1)
  })

  test('draws by the probabilities', () => {
    const counts = [0, 0, 0]
    for (const id of drawn(asked({}), 4000)) if (id < 3) counts[id]!++
    const [first, second, third] = counts.map((count) => count / 4000)
    expect(first).toBeGreaterThan(0.46)
    expect(first).toBeLessThan(0.54)
    expect(second).toBeGreaterThan(0.22)
    expect(second).toBeLessThan(0.28)
    expect(third).toBeGreaterThan(0.1)
    expect(third).toBeLessThan(0.15)
  })

  test.each([
    ['top-k', { topK: 2 }, 2],
    ['top-p, the fewest that reach it', { topP: 0.7 }, 2],
    ['min-p', { minP: 0.1 }, 4],
    ['a low temperature', { temperature: 0.05 }, 1],
  ] as const)('%s keeps no more than it says', (_, change, kept) => {
    expect(new Set(drawn(asked(change), 1000)).size).toBe(kept)
  })

  test('limits keep what they say among tens of thousands of tokens, however flat their probabilities', () => {
    // a slope so slight that all weigh something: those in order are asked for band by band
    const flat = Float32Array.from({ length: 49_152 }, (_, index) => -((index * 7919) % 49_152) / 4000)
    const rank = (id: number): number => Math.round(-flat[id]! * 4000)
    const ranks = (change: Partial<ChatSampling>): number[] =>
      Array.from({ length: 25 }, (_, seed) => rank(createSampler(asked({ ...change, seed }), []).choose(flat)))
    expect(Math.max(...ranks({ topK: 50 }))).toBeLessThan(50)
    expect(Math.max(...ranks({ topK: 50 }))).toBeGreaterThan(40)
    // p(rank) = e^(−rank/4000) / Σ: half of it lies below rank 4000 · ln 2, and e^(−rank/4000) ≥ 0.8 below 893
    const half = ranks({ topP: 0.5 })
    expect(Math.max(...half)).toBeLessThanOrEqual(4000 * Math.LN2 + 1)
    expect(Math.max(...half)).toBeGreaterThan(2500)
    expect(Math.max(...ranks({ minP: 0.8 }))).toBeLessThanOrEqual(893)
    const free = ranks({})
    expect(Math.max(...free)).toBeGreaterThan(8000)
    const average = free.reduce((sum, value) => sum + value, 0) / free.length
    expect(average).toBeGreaterThan(1500)
    expect(average).toBeLessThan(8000)
  })

  test('the same seed gives the same draws, another seed others', () => {
    const sequence = (seed: number): number[] => {
      const sampler = createSampler(asked({ seed, temperature: 5 }), [])
      return Array.from({ length: 40 }, () => sampler.choose(logits))
    }
    expect(sequence(1)).toEqual(sequence(1))
    expect(sequence(1)).not.toEqual(sequence(2))
  })

  test('penalties make way for other tokens', () => {
    const close = Float32Array.of(2, 1.9, -1)
    const choices = (change: Partial<ChatSampling>, prompt: number[] = []): number[] => {
      const sampler = createSampler(asked({ temperature: 0, ...change }), prompt)
      return [sampler.choose(close), sampler.choose(close), sampler.choose(close)]
    }
    expect(choices({})).toEqual([0, 0, 0])
    expect(choices({ presencePenalty: 0.5 })).toEqual([0, 1, 0])
    expect(choices({ frequencyPenalty: 0.06 })).toEqual([0, 0, 1])
    expect(choices({ repetitionPenalty: 1.5 }, [0])).toEqual([1, 0, 0])
  })
})

describe('stop strings', () => {
  const through = (stops: string[], pieces: string[]): { text: string; stopped: boolean } => {
    const stream = createStopStrings(stops)
    let text = ''
    for (const piece of pieces) {
      const pushed = stream.push(piece)
      text += pushed.text
      if (pushed.stopped) return { text, stopped: true }
    }
    return { text: text + stream.end(), stopped: false }
  }

  test('across pieces, the earliest, without showing its beginning', () => {
    expect(through(['###'], ['one #', '#', '# two'])).toEqual({ text: 'one ', stopped: true })
    expect(through(['two', 'one'], ['zero one two'])).toEqual({ text: 'zero ', stopped: true })
    expect(createStopStrings(['abc']).push('xab')).toEqual({ text: 'x', stopped: false })
  })

  test('what only looked like one comes after all', () => {
    expect(through(['###'], ['a ##', 'b #'])).toEqual({ text: 'a ##b #', stopped: false })
    expect(through([], ['a', 'b'])).toEqual({ text: 'ab', stopped: false })
  })
})
