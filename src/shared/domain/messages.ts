/**
 * What Lode says to people, as codes with parameters: the engine, workers and the wire carry no sentences. The screens make
 * texts of them in the person's language, the command and the logs in English.
 */
import { z } from 'zod'
import type { ValuesOf } from './messages/definition'
import { messageForm, type Message, type ParameterValue } from './messages/parameters'
import { definitions, type TypedDefinitions } from './messages/tables'

export { inEnglish } from './messages/english'
export type { Message, NamedMessage } from './messages/parameters'
export { messageTexts, type MessageTexts } from './messages/texts'

export type MessageCode = keyof TypedDefinitions
export type MessageParameters<C extends MessageCode> = ValuesOf<TypedDefinitions[C]['params']>

/** A message of the table. Words that are longer than their bound are cut. */
export function message<C extends MessageCode>(
  code: C,
  ...[params]: [keyof MessageParameters<C>] extends [never] ? [] : [params: MessageParameters<C>]
): Message {
  const bounded: Record<string, ParameterValue> = {}
  for (const [name, parameter] of Object.entries(definitions[code]?.params ?? {}))
    bounded[name] = parameter.bound((params as Record<string, ParameterValue> | undefined)?.[name] ?? '')
  return { code, params: bounded }
}

/** Words that nobody translates: of a system, of a driver, of an earlier version of Lode. */
export function foreignWords(words: string): Message {
  return message('foreign-words', { words })
}

/** A network's refusal by its code: one that this version does not know is shown as the code. */
export function refusalMessage(code: string): Message {
  const known = `refusal-${code}`
  return Object.hasOwn(definitions, known) ? { code: known, params: {} } : foreignWords(code)
}

/** On the wire. What has another form becomes a message that says so: it is never dropped. */
export const messageSchema: z.ZodType<Message> = messageForm.catch(() => message('message-not-read'))

/** A message as text for a database or a settings file. */
export function storedMessage(value: Message): string {
  return JSON.stringify(value)
}

/** Reads what `storedMessage` wrote. Earlier versions wrote sentences: these are shown as they are. */
export function readStoredMessage(text: string): Message {
  if (text.startsWith('{')) {
    try {
      const read = messageForm.safeParse(JSON.parse(text))
      if (read.success) return read.data
    } catch {
      // A sentence that begins with a brace.
    }
  }
  return foreignWords(text)
}
