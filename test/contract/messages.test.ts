/** Every message has a text, the text has the parameters, translators and the documents know it; and no part says sentences of its own. */
import { compileMessage } from '@lingui/message-utils/compileMessage'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { refusalMessage } from '#shared/domain/messages'
import { definitions, tables } from '#shared/domain/messages/tables'
import { ACTION_SUFFIX } from '#shared/domain/messages/definition'
import { refusalCode } from '#shared/protocol/refusal'
import { messagesDocument, subjectOf } from '../../scripts/messages-document.mjs'
import { root } from '../support/lode'
import { sentencesIn } from '../support/sentences.mjs'

const SOURCES = join(root, 'src')

type Token = string | [string, string?, Record<string, unknown>?]

/** Names in braces of an ICU text, with the cases of each that chooses words. */
function placeholders(text: string): { name: string; type: string | undefined; cases: string[] }[] {
  const tokens = compileMessage(text) as string | Token[]
  if (typeof tokens === 'string') return []
  const found: ReturnType<typeof placeholders> = []
  const walk = (token: unknown): void => {
    if (!Array.isArray(token)) return
    const [name, type, cases] = token as [string, string?, Record<string, unknown>?]
    found.push({ name, type, cases: Object.keys(cases ?? {}).filter((key) => key !== 'offset') })
    for (const inner of Object.values(cases ?? {})) if (Array.isArray(inner)) inner.forEach(walk)
  }
  tokens.forEach(walk)
  return found
}

/** Texts of the screens' catalogue, by id. */
function catalogue(): Map<string, string> {
  const entries = readFileSync(join(root, 'src/renderer/locales/en.po'), 'utf8').split('\n\n')
  const unquoted = (lines: string): string =>
    [...lines.matchAll(/^(?:msgid |msgstr )?(".*")$/gm)]
      .map(([, part]) => JSON.parse(part as string) as string)
      .join('')
  return new Map(
    entries
      .filter((entry) => !entry.includes('#~'))
      .map((entry) => {
        const [id = '', text = ''] = entry.split(/^(?=msgstr )/m)
        return [unquoted(id), unquoted(text)]
      }),
  )
}

describe('every message', () => {
  it('has a code of its own', () => {
    const codes = Object.values(tables).flatMap((table) => Object.keys(table))
    expect(codes.toSorted()).toEqual(Object.keys(definitions).toSorted())
    for (const code of codes) expect(code).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
  })

  it.each(Object.entries(definitions))('%s has a text with its parameters, and no others', (_code, definition) => {
    const { text, action, params } = definition
    expect(text).not.toBe('')
    const used = [...placeholders(text), ...(action === '' ? [] : placeholders(action))]
    expect([...new Set(used.map(({ name }) => name))].toSorted()).toEqual(Object.keys(params).toSorted())
    for (const { name, type, cases } of used) {
      const kind = params[name]?.kind
      // Words are chosen by a count or by a name of a closed list, and a count is shown as a number that way alone.
      if (type === 'plural') expect([kind, cases]).toEqual(['count', ['one', 'other']])
      if (type === 'select') expect(cases).toContain('other')
      if (type === undefined) expect(kind).not.toMatch(/^one of/)
    }
  })

  it('is in the catalogue of the screens: after a change, npm run messages', () => {
    const texts = catalogue()
    for (const [code, { text, action }] of Object.entries(definitions)) {
      expect([code, texts.get(code)]).toEqual([code, text])
      if (action !== '') expect([code, texts.get(`${code}${ACTION_SUFFIX}`)]).toEqual([code, action])
    }
  })

  it('is in docs/messages.md: after a change, npm run messages', () => {
    const subjects = Object.fromEntries(
      Object.keys(tables).map((part) => [
        part,
        subjectOf(readFileSync(join(SOURCES, 'shared/domain/messages', `${part}.ts`), 'utf8')),
      ]),
    )
    for (const subject of Object.values(subjects)) expect(subject).toMatch(/\.$/)
    expect(readFileSync(join(root, 'docs/messages.md'), 'utf8')).toBe(messagesDocument(tables, subjects))
  })

  it('is there for each refusal of a network', () => {
    for (const code of refusalCode.options) expect(refusalMessage(code).code).toBe(`refusal-${code}`)
  })
})

test('a sentence in a failure is found', () => {
  expect(sentencesIn("throw new Failure('conflict', `${name} is mining`)")).toHaveLength(1)
  expect(sentencesIn("throw new Failure('conflict', a ? 'no' : words)")).toHaveLength(1)
  expect(sentencesIn("throw new Failure('conflict', words, 'Stop mining.')")).toHaveLength(1)
  expect(sentencesIn("const words = foreignWords('it lies')")).toHaveLength(1)
  expect(sentencesIn("throw new Failure('conflict', message('worker-stopped', { worker: 'a' }))")).toEqual([])
})

test('no part of Lode says a sentence of its own in a failure', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.|\.d\.ts$/.test(file))
  expect(files.length).toBeGreaterThan(100)
  const found = files.flatMap((file) =>
    sentencesIn(readFileSync(join(SOURCES, file), 'utf8')).map((place) => `src/${file} ${place}`),
  )
  expect(found).toEqual([])
})
