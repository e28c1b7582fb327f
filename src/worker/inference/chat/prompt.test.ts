import { Template } from '@huggingface/jinja'
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '#shared/domain/job'
import type { TextTokenizer } from '../tokenizer'
import { renderPrompt } from './prompt'

const tokenizer = { config: { bos_token: '<s>', eos_token: { content: '</s>' } } } as TextTokenizer
const messages: ChatMessage[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hello' },
]
const rendered = (text: string, limitMilliseconds?: number): string =>
  renderPrompt({ template: new Template(text), tokenizer }, messages, limitMilliseconds)

describe('a chat template', () => {
  test('has the messages and the special tokens', () => {
    const text = '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ eos_token }}'
    expect(rendered(text)).toBe('<s>[system]Be kind.[user]Hello</s>')
  })

  test('that refuses says why', () => {
    expect(() => rendered("{{ raise_exception('no system message, please') }}")).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        message: "the model's chat template does not take these messages: no system message, please",
      }) as Error,
    )
  })

  test('that does not come to an end is ended', () => {
    const endless = '{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}'
    const begun = performance.now()
    expect(() => rendered(endless, 200)).toThrow(
      expect.objectContaining({
        code: 'model-refused',
        message: "the model's chat template did not end within 0.2 s",
      }) as Error,
    )
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(rendered('{{ messages[1].content }}')).toBe('Hello')
  })

  test('that asks for a list of a thousand million numbers is ended too', () => {
    expect(() => rendered('{{ range(1000000000) | length }}', 200)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/model-refused|invalid-input/) as string }) as Error,
    )
  })
})
