import { describe, expect, it } from 'vitest'
import { EncodedInput } from '#shared/domain/encoded-input'
import { jobInput, type ChatSampling } from '#shared/domain/job'
import { workHash } from './work-hash'

const hashOf = (input: unknown): string => workHash(EncodedInput.of(jobInput.parse(input)))
const chat = (content: string, changes: object = {}) =>
  hashOf({ kind: 'chat', messages: [{ role: 'user', content }], maxTokens: 8, ...changes })
const embed = (...texts: string[]) => hashOf({ kind: 'embed', texts })
const ocr = (image: string) => hashOf({ kind: 'ocr', image })
const sampling = (changes: Partial<ChatSampling> = {}) => ({ sampling: { temperature: 1, seed: 1, ...changes } })

describe('the same work', () => {
  it.each([
    ['in another form of the same letters', chat('Caf\u00e9?'), chat('Cafe\u0301?')],
    ['with other white space', chat('Why is the sky blue?'), chat('  Why\u00a0is the\n\n\tsky  blue? ')],
    ['drawn with another seed', chat('Why?', sampling()), chat('Why?', sampling({ seed: 2 }))],
    ['of texts, each so written', embed('One.', 'Caf\u00e9'), embed(' One. ', 'Cafe\u0301\n')],
    ['of the same file in another base64', ocr('iVBORw=='), ocr('iVBORx==')],
  ])('%s', (_, one, other) => {
    expect(one).toBe(other)
  })
})

describe('other work', () => {
  it.each([
    ['a letter', chat('Why is the sky blue?'), chat('Why is the sky blues?')],
    ['white space where there was none', chat('blackboard'), chat('black board')],
    ['a capital', chat('why?'), chat('Why?')],
    ['its parameters', chat('Why?', sampling()), chat('Why?', sampling({ topK: 3 }))],
    ['sampling at all', chat('Why?'), chat('Why?', sampling())],
    ['its limit', chat('Why?'), chat('Why?', { maxTokens: 9 })],
    ['where a text ends', embed('a b', 'c'), embed('a', 'b c')],
    ['the kind', chat('Why?'), embed('Why?')],
    ['a byte of the file', ocr('iVBORw=='), ocr('iVBOSA==')],
  ])('differs by %s', (_, one, other) => {
    expect(one).not.toBe(other)
  })
})

it('of a long picture is its input’s own hash: nothing is hashed again', () => {
  const input = EncodedInput.of({ kind: 'ocr', image: 'iVBORw0KGgo=' })
  expect(workHash(input)).toBe(input.hash)
})
