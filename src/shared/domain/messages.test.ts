import { describe, expect, it } from 'vitest'
import { failureInEnglish, failureSchema, Failure, messageOf, readFailure } from './errors'
import { formats } from './format'
import {
  foreignWords,
  inEnglish,
  message,
  messageSchema,
  messageTexts,
  readStoredMessage,
  refusalMessage,
  storedMessage,
  type Message,
} from './messages'

const text = (value: Message): string => inEnglish.text(value)

describe('a message', () => {
  it('is a code and its parameters, and becomes a text with what the person can do', () => {
    const threads = message('threads-not-there', { device: 'cpu0', maximum: 8, wanted: 12 })
    expect(threads).toEqual({ code: 'threads-not-there', params: { device: 'cpu0', maximum: 8, wanted: 12 } })
    expect(text(threads)).toBe('cpu0 has 8 threads, not 12')
    expect(inEnglish.action(threads)).toBe('Choose 1 to 8.')
    expect(inEnglish.action(message('device-hangs'))).toBe('')
  })

  it('chooses its words by a count', () => {
    const jobs = (count: number): string => text(message('activity-chat', { jobs: count, model: 'Small' }))
    expect(jobs(1)).toBe('Answering a question with Small')
    expect(jobs(3)).toBe('Answering 3 questions at once with Small')
  })

  it('holds others, whose full stop is left out within a sentence', () => {
    const reason = message('device-server-display')
    expect(text(message('quarantined-because', { reason }))).toBe(
      "Quarantined: A server's display chip, which cannot compute; it will not be used.",
    )
    const devices = [
      { name: 'cpu0', reason: message('device-switched-off') },
      { name: 'gpu0', reason },
    ]
    expect(text(message('no-device-can-mine', { devices }))).toBe(
      "no device can mine (cpu0: switched off; gpu0: A server's display chip, which cannot compute; it will not be used)",
    )
  })

  it('cuts words that are longer than their bound', () => {
    const long = message('worker-stopped', { worker: 'w'.repeat(5000) })
    expect(long.params['worker']).toMatch(/^w+…$/)
    expect(messageSchema.parse(long)).toEqual(long)
  })

  it('is shown in another language by its catalogue, with the figures of the person’s region', () => {
    const german = messageTexts({
      translate: (id, values) => `${id} ${Object.values(values).join()}`,
      formats: formats('de-DE'),
    })
    expect(german.text(message('threads-not-there', { device: 'cpu0', maximum: 1024, wanted: 2048 }))).toBe(
      'threads-not-there cpu0,1.024,2.048',
    )
  })
})

describe('on the wire', () => {
  it('an unknown code and wrong parameters are shown by the code', () => {
    const unknown = messageSchema.parse({ code: 'of-a-later-version', params: { words: 'x' } })
    expect(text(unknown)).toBe('Something that this version has no words for: of-a-later-version.')
    expect(inEnglish.action(unknown)).toBe('')
    const wrong = messageSchema.parse({ code: 'threads-not-there', params: { device: 'cpu0', maximum: 'eight' } })
    expect(text(wrong)).toBe('Something that this version has no words for: threads-not-there.')
    expect(text({ code: 'toString', params: {} })).toContain('toString')
  })

  it.each([
    ['a sentence', 'it hangs'],
    ['nothing', undefined],
    ['a text out of bounds', { code: 'foreign-words', params: { words: 'x'.repeat(10_000) } }],
    [
      'too many parameters',
      { code: 'x', params: Object.fromEntries(Array.from({ length: 13 }, (_one, key) => [`p${key}`, 1])) },
    ],
    ['messages in messages without end', nested(20)],
  ])('%s in place of a message is shown as not understood', (_, value) => {
    expect(text(messageSchema.parse(value))).toBe('Something that this version does not understand.')
  })

  it('a message in others is shown as deep as a message goes', () => {
    expect(text(messageSchema.parse(nested(3)))).toBe('a: a: a: it hangs: it gave no answer in time')
  })

  it('a failure carries its kind and its message', () => {
    const failure = new Failure('device-unavailable', message('device-no-power-limit', { device: 'gpu0' }))
    const read = Failure.from(failureSchema.parse(JSON.parse(JSON.stringify(failure.toValue()))))
    expect(read).toMatchObject({ code: 'device-unavailable', message: 'gpu0 has no power limit that Lode can set' })
    expect(failureInEnglish(read.toValue())).toEqual({
      code: 'device-unavailable',
      message: 'gpu0 has no power limit that Lode can set',
      action: 'Leave it out.',
    })
    expect(failureSchema.parse({ code: 'of-a-later-version', words: 'x' })).toEqual({
      code: 'internal',
      words: message('message-not-read'),
    })
    expect(readFailure('x')).toMatchObject({ code: 'internal', words: message('message-not-read') })
    expect(messageOf(read)).toEqual(failure.words)
    expect(text(messageOf(new Error('undefined is not a function')))).toBe('undefined is not a function')
  })
})

describe('stored', () => {
  it('a failure of an earlier version is shown as it is', () => {
    const former = { code: 'unavailable', message: 'it was not fetched.', action: 'Try again.' }
    expect(readFailure(former)).toMatchObject({ code: 'unavailable', message: 'it was not fetched. Try again.' })
  })

  it('a message is read again, and a sentence of an earlier version is shown as it is', () => {
    const stored = message('job-worker-keeps-stopping', { attempts: 3 })
    expect(readStoredMessage(storedMessage(stored))).toEqual(stored)
    for (const sentence of ['Lode stopped while this job ran.', '{ a brace', '{"code":1}', 'stale-epoch'])
      expect(readStoredMessage(sentence)).toEqual(foreignWords(sentence))
  })
})

it('a refusal is shown by its code, one that is not known as the code', () => {
  expect(text(refusalMessage('stale-epoch'))).toBe('late')
  expect(text(refusalMessage('of-a-later-version'))).toBe('of-a-later-version')
})

function nested(depth: number): Message {
  return depth === 0
    ? message('device-hangs')
    : { code: 'about-device', params: { device: 'a', reason: nested(depth - 1) } }
}
