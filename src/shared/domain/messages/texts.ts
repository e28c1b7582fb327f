/** A message as a text: a language's catalogue has the words, the formats of a person the figures. */
import { definitions } from './tables'
import { ACTION_SUFFIX, type Definition } from './definition'
import type { Message, Shown } from './parameters'

/** What differs from language to language. */
export interface Language {
  /** The text of a catalogue's entry with its values put in. */
  translate(id: string, values: Readonly<Record<string, string | number>>): string
  formats: Shown['formats']
}

export interface MessageTexts {
  /** What is the case. A message that this version does not know is shown by its code. */
  text(message: Message): string
  /** What the person can do; empty: nothing that Lode knows. */
  action(message: Message): string
}

/** A message in a message in a message, and no deeper. */
const MOST_NESTED = 4

export function messageTexts({ translate, formats }: Language): MessageTexts {
  const said = (message: Message, part: 'text' | 'action', depth: number): string => {
    const known: Definition | undefined = Object.hasOwn(definitions, message.code)
      ? definitions[message.code]
      : undefined
    if (known === undefined) return part === 'text' ? translate('message-not-known', { code: message.code }) : ''
    if (known[part] === '') return ''
    const shown: Shown = {
      formats,
      text: (inner) => (depth >= MOST_NESTED ? inner.code : said(inner, 'text', depth + 1)),
      action: (inner) => (depth >= MOST_NESTED ? '' : said(inner, 'action', depth + 1)),
    }
    const values: Record<string, string | number> = {}
    for (const [name, parameter] of Object.entries(known.params)) {
      const value = parameter.schema.safeParse(message.params[name])
      if (!value.success) return part === 'text' ? translate('message-not-known', { code: message.code }) : ''
      values[name] = parameter.show(value.data, shown)
    }
    return translate(part === 'text' ? message.code : `${message.code}${ACTION_SUFFIX}`, values)
  }
  return {
    text: (message) => said(message, 'text', 0),
    action: (message) => said(message, 'action', 0),
  }
}
