import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeSessionTransport } from '../../../test/support/session-suite'
import { serializedTransport, textChannelPair } from '../../../test/support/sessions'
import { auditProtocol } from './audit'
import { buyerProtocol } from './buyer-session'
import { rigProtocol } from './rig-session'
import type { SessionProtocol, SessionService } from './session'
import { directTransport, openSession, textTransport } from './session-client'
import { createSessionService, serveTexts } from './session-server'

describeSessionTransport('a direct session', directTransport)
describeSessionTransport('a serialized session', serializedTransport)

const echoProtocol = {
  procedures: {
    echo: {
      what: 'text',
      request: z.object({ text: z.string().max(1000) }),
      answer: z.object({ text: z.string().max(2000) }),
    },
  },
  events: {},
} as const satisfies SessionProtocol
const echo: SessionService = createSessionService(
  echoProtocol,
  { echo: async ({ text }) => ({ text: text === 'much' ? 'x'.repeat(1500) : text }) },
  () => () => undefined,
)

describe('a serialized session', () => {
  it.each([
    ['no JSON', '{'],
    ['another message', '{"id":1,"question":"what"}'],
    ['an id that is none', '{"id":"one","method":"echo","request":{}}'],
    ['more than a message', JSON.stringify({ id: 1, method: 'echo', request: { text: 'x'.repeat(1000) } })],
  ])('is ended by a client that sends %s', async (_, text) => {
    const [client, server] = textChannelPair()
    serveTexts(echo, server, { maximumCharacters: 1000 })
    const answers: string[] = []
    client.onText((answer) => answers.push(answer))
    const closed = new Promise<void>((resolve) => client.onClose(resolve))
    client.send(text)
    await closed
    expect(answers).toEqual([])
  })

  it.each([
    ['no JSON', '{'],
    ['another message', '{"id":1}'],
    ['a failure of no known code', '{"id":1,"failure":"else"}'],
  ])('is ended by a coordinator that sends %s; open requests reject', async (_, text) => {
    const [client, server] = textChannelPair()
    server.onText(() => server.send(text))
    const session = openSession(echoProtocol, textTransport(client))
    await expect(session.echo({ text: 'hello' })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('takes no message that is too long: neither its own nor the network’s', async () => {
    const [client, server] = textChannelPair()
    serveTexts(echo, server)
    const session = openSession(echoProtocol, textTransport(client, { maximumCharacters: 500 }))
    await expect(session.echo({ text: 'x'.repeat(500) })).rejects.toMatchObject({ code: 'invalid-input' })
    expect(await session.echo({ text: 'hello' })).toEqual({ text: 'hello' })
    await expect(session.echo({ text: 'much' })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('answers unread what its service does not admit, and ends where such a text does not begin with its id', async () => {
    const [client, server] = textChannelPair()
    const admitted: number[] = []
    const refusal = { code: 'over-budget' as const, message: 'Later.' }
    const admit = (characters: number) => (admitted.push(characters) > 1 ? { ok: false as const, refusal } : undefined)
    const handled: string[] = []
    serveTexts({ ...echo, admit, handle: async (method) => handled.push(method) }, server)
    const answers: unknown[] = []
    const closed = new Promise<void>((resolve) => client.onClose(resolve))
    const texts = ['{"id":1,"method":"echo","request":{}}', '{"id":2,"method":[[[[', '{"method":"echo","id":3}']
    client.onText((answer) => {
      answers.push(JSON.parse(answer))
      if (answers.length === 2) client.send(texts[2] ?? '')
    })
    for (const text of texts.slice(0, 2)) client.send(text)
    await closed
    expect(admitted).toEqual(texts.map((text) => text.length))
    expect(handled).toEqual(['echo'])
    expect(answers).toContainEqual({ id: 2, answer: { ok: false, refusal } })
  })

  it('ignores answers that nobody waits for', async () => {
    const [client, server] = textChannelPair()
    serveTexts(echo, server)
    const session = openSession(echoProtocol, textTransport(client))
    server.send('{"id":7,"answer":{"text":"unasked"}}')
    expect(await session.echo({ text: 'hello' })).toEqual({ text: 'hello' })
  })
})

describe('every message', () => {
  const schemas = Object.entries({ rig: rigProtocol, buyer: buyerProtocol, audit: auditProtocol }).flatMap(
    ([who, { procedures, events }]: [string, SessionProtocol]): [string, z.ZodType][] => [
      ...Object.entries(procedures).flatMap(([method, { request, answer }]): [string, z.ZodType][] => [
        [`${who} ${method}, request`, request],
        [`${who} ${method}, answer`, answer],
      ]),
      ...Object.entries(events).map(([event, schema]): [string, z.ZodType] => [`${who} ${event}, event`, schema]),
    ],
  )

  it.each(schemas)('has bounds: %s', (_, schema) => {
    expect(unbounded(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)).toEqual([])
  })
})

it('sees an array, a string, a number and a record without a bound', () => {
  const schema = z.object({
    list: z.array(z.string()),
    rate: z.number().min(0),
    names: z.record(z.string(), z.literal(1)),
    either: z.union([z.string().max(1), z.array(z.boolean())]),
  })
  expect(unbounded(z.toJSONSchema(schema) as JsonSchema)).toEqual(['/list', '/list/[]', '/rate', '/names', '/either/1'])
})

interface JsonSchema {
  type?: string
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  prefixItems?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  additionalProperties?: JsonSchema | boolean
  [keyword: string]: unknown
}

/** Paths of arrays, strings, numbers and records without a bound. */
function unbounded(schema: JsonSchema, path = ''): string[] {
  const has = (...keywords: string[]): boolean => keywords.some((keyword) => schema[keyword] !== undefined)
  const isBounded =
    schema.type === 'string'
      ? has('maxLength', 'pattern', 'enum', 'const')
      : schema.type === 'array'
        ? has('maxItems', 'prefixItems')
        : schema.type === 'number' || schema.type === 'integer'
          ? has('const') || (has('maximum', 'exclusiveMaximum') && has('minimum', 'exclusiveMinimum'))
          : typeof schema.additionalProperties !== 'object' || has('maxProperties') || hasKeysOfAnEnum(schema)
  const parts: [string, JsonSchema][] = [
    ...Object.entries(schema.properties ?? {}),
    ...(schema.items === undefined ? [] : [['[]', schema.items] as [string, JsonSchema]]),
    ...(typeof schema.additionalProperties === 'object'
      ? [['{}', schema.additionalProperties] as [string, JsonSchema]]
      : []),
    ...[schema.prefixItems, schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) =>
      (list ?? []).map((part, index): [string, JsonSchema] => [`${index}`, part]),
    ),
  ]
  return [...(isBounded ? [] : [path]), ...parts.flatMap(([name, part]) => unbounded(part, `${path}/${name}`))]
}

function hasKeysOfAnEnum({ propertyNames }: JsonSchema): boolean {
  return (propertyNames as JsonSchema | undefined)?.['enum'] !== undefined
}
