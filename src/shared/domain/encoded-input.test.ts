import { describe, expect, it } from 'vitest'
import { EncodedInput } from './encoded-input'
import { jobInput, type JobInput } from './job'
import { objectId } from './signed'

const chat: JobInput = { kind: 'chat', messages: [{ role: 'user', content: 'Grüße, 世界' }], maxTokens: 4 }

describe('an encoded input', () => {
  it('has the hash that a signed result names, and a text that gives the same input back', () => {
    const encoded = EncodedInput.of(chat)
    expect(encoded.kind).toBe('chat')
    expect(encoded.hash).toBe(objectId(chat))
    expect(jobInput.parse(JSON.parse(encoded.text))).toEqual(chat)
    expect(encoded.value).toBe(chat)
  })

  it('is read as it was stored, also from a text with its keys in another order', () => {
    const { kind, hash } = EncodedInput.of(chat)
    const stored = EncodedInput.stored({ kind, hash, text: JSON.stringify(chat) })
    expect(stored.value).toEqual(chat)
    expect(stored.value).toBe(stored.value)
  })

  it('cannot be made of a text that is not Unicode', () => {
    const half: JobInput = { kind: 'embed', texts: ['\ud83d'] }
    expect(() => EncodedInput.of(half)).toThrow('Lone surrogate')
    expect(EncodedInput.tryOf(half)).toBeUndefined()
  })

  it('of a picture holds the image unchanged', () => {
    const image = Buffer.alloc(1 << 20, 7).toString('base64')
    const encoded = EncodedInput.of({ kind: 'ocr', image })
    expect(encoded.text).toBe(`{"image":"${image}","kind":"ocr"}`)
  })
})
