/** What a message can carry: each kind of parameter has its bound, and the way in which it is shown in a person's language. */
import { z } from 'zod'
import { NO_BREAK_SPACE, type formats } from '../format'

/** What the engine says: a code of the table and its parameters. A language's catalogue makes a text of it. */
export interface Message {
  readonly code: string
  readonly params: Readonly<Record<string, ParameterValue>>
}
/** A message about one of several things: "cpu0: it hangs". */
export interface NamedMessage {
  readonly name: string
  readonly reason: Message
}
export type ParameterValue = string | number | Message | readonly string[] | readonly NamedMessage[]

const MAX_CODE = 80
const MAX_NAME = 200
const MAX_TEXT = 2000
const MAX_PATH = 4096
const MAX_LISTED = 64
const MAX_PARAMETERS = 12
/** a message in a message in a message: deeper ones are not said */
const MAX_DEPTH = 3

/** A message in its form alone, with its bounds: whether its code is known is seen when it is shown. */
function formOf(depth: number): z.ZodType<Message> {
  const flat = [z.string().max(MAX_PATH), z.number(), z.array(z.string().max(MAX_NAME)).max(MAX_LISTED)] as const
  const inner = depth === 0 ? z.never() : formOf(depth - 1)
  const named = z.object({ name: z.string().max(MAX_NAME), reason: inner })
  const value = z.union([...flat, inner, z.array(named).max(MAX_LISTED)])
  return z.object({
    code: z.string().max(MAX_CODE),
    params: z
      .record(z.string().max(MAX_CODE), value)
      .refine((params) => Object.keys(params).length <= MAX_PARAMETERS, 'too many parameters'),
  })
}
export const messageForm = formOf(MAX_DEPTH)

/** Where a parameter is shown. */
export interface Shown {
  formats: Pick<ReturnType<typeof formats>, 'bytes' | 'count' | 'duration' | 'watts'>
  text(message: Message): string
  action(message: Message): string
}

/** A kind of parameter. */
export interface Parameter<T extends ParameterValue> {
  readonly schema: z.ZodType<T>
  /** in words, for the documents */
  readonly kind: string
  /** Brings a value within the bounds: what is too long is cut, and says so. */
  bound(value: T): T
  /** A number stays one where a text chooses its words by it. */
  show(value: T, shown: Shown): string | number
}

function texts(kind: string, most: number): Parameter<string> {
  return {
    kind,
    schema: z.string().max(most),
    bound: (value) => (value.length <= most ? value : `${value.slice(0, most - 1)}…`),
    show: (value) => value,
  }
}
function numbers(kind: string, show: Parameter<number>['show']): Parameter<number> {
  return { kind, schema: z.number(), bound: (value) => value, show }
}

/** A short name or identifier: of a device, a model, a file without its folder. */
export const name = texts('name', MAX_NAME)
/** Words that Lode did not make: a system's, a driver's, a network's. They are shown as they are. */
export const foreign = texts('foreign words', MAX_TEXT)
/** The path of a file or folder. */
export const path = texts('path', MAX_PATH)
/** A number in a person's digits. */
export const number = numbers('number', (value, { formats }) => formats.count(value))
/** How many there are of something: the text may choose its words by it. */
export const count = numbers('count', (value) => value)
/** A size in bytes: "4.70 GB". */
export const bytes = numbers('bytes', (value, { formats }) => formats.bytes(value, NO_BREAK_SPACE))
/** A length of time: "840 ms", "3.21 s", "2 min". */
export const milliseconds = numbers('milliseconds', (value, { formats }) => formats.duration(value))
/** Power, without the unit. */
export const watts = numbers('watts', (value, { formats }) => formats.watts(value))

/** One of a closed list: the text has words for each. */
export function oneOf<const T extends string>(
  ...values: readonly T[]
): Parameter<T> & { readonly values: readonly T[] } {
  return {
    kind: `one of ${values.join(', ')}`,
    values,
    schema: z.enum(values as readonly [T, ...T[]]) as unknown as z.ZodType<T>,
    bound: (value) => value,
    show: (value) => value,
  }
}

/** Names in a row: "a, b, c". */
export const names: Parameter<readonly string[]> = {
  kind: 'names',
  schema: z.array(z.string().max(MAX_NAME)).max(MAX_LISTED),
  bound: (value) => value.slice(0, MAX_LISTED).map((one) => name.bound(one)),
  show: (value) => value.join(', '),
}

/** A sentence within another one. */
const clause = (sentence: string): string => sentence.replace(/\.$/, '')

/** Another message. */
export const reason: Parameter<Message> = {
  kind: 'message',
  schema: messageForm,
  bound: (value) => value,
  show: (value, { text }) => clause(text(value)),
}

/** What the person can do about another message. */
export const advice: Parameter<Message> = { ...reason, kind: 'message', show: (value, { action }) => action(value) }

/** Messages of several things: "cpu0: it hangs; gpu0: switched off". One without a name says itself what it is about. */
export const reasons: Parameter<readonly NamedMessage[]> = {
  kind: 'messages',
  schema: z.array(z.object({ name: z.string().max(MAX_NAME), reason: messageForm })).max(MAX_LISTED),
  bound: (value) => value.slice(0, MAX_LISTED).map((one) => ({ ...one, name: name.bound(one.name) })),
  show: (value, { text }) =>
    value.map((one) => `${one.name === '' ? '' : `${one.name}: `}${clause(text(one.reason))}`).join('; '),
}
