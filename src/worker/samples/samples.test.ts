import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { jobInput, type ChatInput, type EmbedInput, type OcrInput } from '#shared/domain/job'
import { generateSample } from './index'
import { SeededRandom } from './random'
import { article } from './texts'
import { ALL_WORDS } from './words'

const seed = (name: string): string => createHash('sha256').update(name).digest('hex')
const seeds = Array.from({ length: 40 }, (_, index) => seed(`sample ${index}`))

describe('SeededRandom', () => {
  it('takes its numbers from SHA-256 of the seed and a counter', () => {
    const block = createHash('sha256')
      .update(Buffer.from(seed('a'), 'hex'))
      .update(Buffer.alloc(8))
      .digest()
    const random = new SeededRandom(seed('a'))
    expect(random.integer(0, 2 ** 32 - 1)).toBe(block.readUInt32LE(0))
    expect(random.integer(0, 2 ** 32 - 1)).toBe(block.readUInt32LE(4))
  })

  it('reaches both ends of a range about equally often', () => {
    const random = new SeededRandom(seed('b'))
    const counts = [0, 0, 0, 0, 0, 0]
    for (let throws = 0; throws < 6000; throws++) counts[random.integer(1, 6) - 1]! += 1
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('refuses an empty range and a seed that is no hexadecimal', () => {
    expect(() => new SeededRandom(seed('c')).integer(2, 1)).toThrow(RangeError)
    expect(() => new SeededRandom('not hexadecimal')).toThrow(/hex/)
  })
})

describe('words', () => {
  it('are more than a thousand, lower or proper case, without repetition', () => {
    expect(ALL_WORDS.length).toBeGreaterThan(1000)
    expect(new Set(ALL_WORDS).size).toBe(ALL_WORDS.length)
    for (const word of ALL_WORDS) expect(word).toMatch(/^[A-Z]?[a-z]+$/)
  })

  it('take the article that is spoken', () => {
    const said = ['old lamp', 'honest man', 'hour', 'uniform', 'umbrella', 'useful key', 'usual day', 'boat'].map(
      (words) => article(words),
    )
    expect(said).toEqual([
      'an old lamp',
      'an honest man',
      'an hour',
      'a uniform',
      'an umbrella',
      'a useful key',
      'a usual day',
      'a boat',
    ])
  })
})

describe('generateSample', () => {
  it.each(['ocr', 'embed', 'chat'] as const)(
    '%s: valid input, the same for a seed, never alike for two',
    async (kind) => {
      const inputs = []
      for (const value of seeds) {
        const sample = await generateSample({ kind, seed: value })
        expect(jobInput.parse(sample.input)).toEqual(sample.input)
        expect(sample.input.kind).toBe(kind)
        expect(sample.knownText !== undefined).toBe(kind === 'ocr')
        inputs.push(JSON.stringify(sample.input))
      }
      expect(new Set(inputs).size).toBe(seeds.length)
      expect(JSON.stringify((await generateSample({ kind, seed: seeds[0]! })).input)).toBe(inputs[0])
    },
  )

  it('ocr: two to six lines of words in a picture of moderate size, PNG and JPEG', async () => {
    const formats = new Set<string>()
    for (const value of seeds.slice(0, 12)) {
      const { input, knownText = [] } = await generateSample({ kind: 'ocr', seed: value })
      expect(knownText.length).toBeGreaterThanOrEqual(2)
      expect(knownText.length).toBeLessThanOrEqual(6)
      for (const line of knownText) expect(line).toMatch(/^[A-Za-z]+( [A-Za-z]+| \d+)*$/)
      const metadata = await sharp(Buffer.from((input as OcrInput).image, 'base64')).metadata()
      formats.add(metadata.format)
      expect(metadata.width).toBeLessThan(900)
      expect(metadata.height).toBeLessThan(700)
    }
    expect([...formats].toSorted()).toEqual(['jpeg', 'png'])
  })

  it('embed: one to eight sentences; chat: one short message, 16 to 48 tokens', async () => {
    for (const value of seeds) {
      const { texts } = (await generateSample({ kind: 'embed', seed: value })).input as EmbedInput
      expect(texts.length).toBeGreaterThanOrEqual(1)
      expect(texts.length).toBeLessThanOrEqual(8)
      for (const text of texts) expect(text).toMatch(/^[A-Z][\w ,]+\.$/)
      const { messages, maxTokens } = (await generateSample({ kind: 'chat', seed: value })).input as ChatInput
      expect(messages.length).toBe(1)
      expect(messages[0]!.content).toMatch(/^[A-Z][\w ,]+[.?]$/)
      expect(messages[0]!.content.split(' ').length).toBeLessThan(20)
      expect(maxTokens).toBeGreaterThanOrEqual(16)
      expect(maxTokens).toBeLessThanOrEqual(48)
    }
  })
})
