import { describe, expect, test } from 'vitest'
import { createTextStream } from './text-stream'
import { chatModel } from '../real-models.test.support'
import { loadTokenizer } from '../tokenizer'

/** A tokenizer of single bytes: every character beyond ASCII is split. */
const decodeBytes = (ids: number[]): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids))

function pieces(bytes: Iterable<number>): string[] {
  const stream = createTextStream(decodeBytes)
  return [...Array.from(bytes, (id) => stream.push(id)), stream.end()]
}

describe('text from bytes', () => {
  test.each(['plain', 'Grüße', '漢字', '👩‍🚀 and 🇫🇷', '\u{10ffff}', `${'long 漢字 '.repeat(60)}end`, '\ufeffmark'])(
    '%j comes whole',
    (text) => {
      const given = pieces(new TextEncoder().encode(text))
      expect(given.join('')).toBe(text)
      // Every piece is whole by itself: no half character is ever shown.
      expect(given.every((piece) => !piece.includes('\ufffd') && !/\p{Surrogate}/u.test(piece))).toBe(true)
    },
  )

  test('holds a character back until its last byte', () => {
    expect(pieces([0x61, 0xe6, 0xbc, 0xa2, 0x62])).toEqual(['a', '', '', '漢', 'b', ''])
  })

  test('bytes that are no text become replacement characters, as in the whole text', () => {
    for (const bytes of [
      [0x61, 0xff, 0x62],
      [0xe6, 0xe6, 0xbc, 0xa2],
      [0xe6, 0xbc],
      [0xf0, 0x9f],
      [0x80, 0x80, 0x80],
      [0xef, 0xbf, 0xbd, 0x61],
    ]) {
      expect(pieces(bytes).join('')).toBe(decodeBytes(bytes))
    }
  })

  test('every order of bytes gives the whole text, however long', () => {
    let state = 12345
    const next = (): number => (state = (state * 1103515245 + 12345) % 2147483648)
    for (let round = 0; round < 50; round++) {
      const bytes = Array.from({ length: 200 }, () => (next() >> 8) & 0xff)
      expect(pieces(bytes).join('')).toBe(decodeBytes(bytes))
    }
  })
})

test.skipIf(!chatModel)('text through the real tokenizer and back', async () => {
  const tokenizer = await loadTokenizer(chatModel!)
  for (const text of [
    'Grüße aus Köln',
    '漢字かな交じり文',
    '👩‍🚀👨‍👩‍👧‍👦 🇫🇷',
    'عربي हिन्दी ไทย',
    'a  b\n\n\tc  ',
    "it 's . a , test",
    'x'.repeat(300),
  ]) {
    const { ids, complete } = await tokenizer.encode(text, 10_000, new AbortController().signal)
    const stream = createTextStream((tokens) => tokenizer.decode(tokens))
    const given = [...ids.map((id) => stream.push(id)), stream.end()]
    expect(complete).toBe(true)
    expect(given.join('')).toBe(text)
    expect(given.every((piece) => !piece.includes('\ufffd'))).toBe(true)
  }
})
