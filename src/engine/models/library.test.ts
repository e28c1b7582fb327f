/** What a person sees before a model is fetched or loaded, what mining fetches by itself, and what a quota removes. */
import { readFileSync } from 'node:fs'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Download } from '#shared/contract/models'
import { catalogue, hashOrigin, type Catalogue } from '#shared/domain/catalogue'
import { inEnglish } from '#shared/domain/messages'
import type { ModelTotal } from '../ledger'
import { readCatalogue } from './catalogue'
import { fitOf, memoryNeeded, type Capacity } from './fit'
import { createModelStore } from './store'
import { createLibrary } from './library'
import { folderOf, noConversion, smallModel, temporaryFolder } from './model-folder.test.support'

const shipped = join(import.meta.dirname, '../../../resources/catalogue.json')
const GB = 1e9
const capacity = (memory: number, available = memory, disk = 100 * GB): Capacity => ({
  memoryBytes: memory,
  availableMemoryBytes: available,
  diskFreeBytes: disk,
})

describe('the catalogue that comes with Lode', () => {
  const { models } = readCatalogue(shipped)

  test('pins every file, and offers models of half a billion to eight billion parameters with permissive licences', () => {
    expect(models.map(hashOrigin)).toEqual(models.map(() => 'pinned'))
    expect(new Set(models.map(({ licence }) => licence.name))).toEqual(new Set(['Apache-2.0']))
    expect(models.filter(({ isDefault }) => isDefault).map(({ kind }) => kind)).toEqual(['chat', 'embed', 'ocr'])
    expect(models.filter(({ kind }) => kind === 'chat').length).toBeGreaterThan(5)
    for (const { files } of models)
      for (const { sources } of files)
        for (const source of sources)
          if (source.kind === 'https') expect(source.address).toContain(`/resolve/${source.revision}/`)
  })

  test('fetches about 190 MB by itself, and says that the smallest is small', () => {
    const defaults = models.filter(({ isDefault, kind }) => isDefault && kind !== 'ocr')
    expect(defaults.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(98_362_432 + 91_335_940)
    expect(defaults[0]?.description).toMatch(/^Small: quick, not clever/)
  })

  const raw = JSON.parse(readFileSync(shipped, 'utf8')) as { models: Record<string, unknown>[] }
  const changed = (change: (entry: Record<string, unknown>) => unknown): unknown => {
    const copy = structuredClone(raw)
    change(copy.models[0] ?? {})
    return copy
  }
  type Source = { sha256: string | null; address?: string; kind: string }
  const sources = (entry: Record<string, unknown>): Source[] =>
    (entry['files'] as { sources: Source[] }[])[0]?.sources ?? []
  test.each<[string, (entry: Record<string, unknown>) => unknown, RegExp]>([
    ['two hashes of one file', (entry) => (sources(entry)[0]!.sha256 = '0'.repeat(64)), /same size and hash/],
    ['a wrong sum', (entry) => (entry['bytes'] = 5), /sum of its files/],
    [
      'an address without encryption',
      (entry) => (sources(entry).find(({ kind }) => kind === 'https')!.address = 'http://x.org/a'),
      /address/,
    ],
    [
      'a path that leaves its folder',
      (entry) => ((entry['files'] as { path: string }[])[0]!.path = '../a.gguf'),
      /must stay inside/,
    ],
    ['no hash where no hub is', (entry) => sources(entry).forEach((source) => (source.sha256 = null)), /hub/],
  ])('with %s is refused', (_what, change, words) => {
    const parsed = catalogue.safeParse(changed(change))
    expect(parsed.success).toBe(false)
    expect(JSON.stringify(parsed.error?.issues)).toMatch(words)
  })

  test('that cannot be read is refused by its name', () => {
    expect(() => readCatalogue('/no/such/file')).toThrow(/catalogue \/no\/such\/file cannot be read/)
    expect(() => readCatalogue(join(folderOf({ 'c.json': '{' }), 'c.json'))).toThrow(/is not JSON/)
    expect(() => readCatalogue(join(folderOf({ 'c.json': '{"version":2,"models":[]}' }), 'c.json'))).toThrow(/version/)
  })
})

describe('the fit', () => {
  test('counts weights, the cache at the context, and the runtime', () => {
    // Qwen3 8B: 36 layers, 8 key-value heads of 128, float32, keys and values
    expect(memoryNeeded({ weightsBytes: 9 * GB, cacheBytesPerToken: 2 * 36 * 8 * 128 * 4 }, 4096)).toBe(
      9 * GB + 294_912 * 4096 + 250_000_000,
    )
  })

  test.each<[string, Capacity, number, number, object]>([
    [
      'fits',
      capacity(16 * GB),
      2 * GB,
      1 * GB,
      { memory: 'fits', disk: 'fits', words: 'fits: 2.00 GB of 16.0 GB memory, 1.00 GB of disk' },
    ],
    [
      'is tight where others need the memory',
      capacity(16 * GB, 1 * GB),
      2 * GB,
      0,
      { memory: 'tight', words: 'tight: 2.00 GB of 16.0 GB memory' },
    ],
    ['is tight above six tenths', capacity(16 * GB), 10 * GB, 0, { memory: 'tight' }],
    [
      'does not fit above nine tenths',
      capacity(16 * GB),
      15 * GB,
      0,
      { memory: 'no', words: 'does not fit: 15.0 GB of 16.0 GB memory' },
    ],
    [
      'does not fit the disk',
      capacity(16 * GB, 16 * GB, GB),
      GB,
      2 * GB,
      {
        memory: 'fits',
        disk: 'no',
        words: 'fits: 1.00 GB of 16.0 GB memory, does not fit: 2.00 GB of disk where 1.00 GB are free',
      },
    ],
    ['leaves too little disk', capacity(16 * GB, 16 * GB, 3 * GB), GB, 2 * GB, { disk: 'tight' }],
  ])('%s', (_what, at, memory, disk, expected) => {
    const { words, ...fit } = fitOf(memory, disk, at)
    expect({ ...fit, words: inEnglish.text(words).replaceAll('\u00a0', ' ') }).toMatchObject(expected)
  })
})

/** A library over a real store; downloads are only noted. */
async function libraryOf(options: { mayFetch?: boolean; inUse?: string[]; earned?: Record<string, number> } = {}) {
  const folder = temporaryFolder()
  const store = await createModelStore({
    folder,
    builtIn: [],
    convert: noConversion,
    probe: () => Promise.resolve({ macFormula: { kind: 'embed', perToken: 1, perPair: 1 }, context: 8 }),
  })
  const asked: string[] = []
  const under = new Map<string, Download['state']>()
  let declined: readonly string[] = []
  const models: Catalogue = readCatalogue(shipped)
  const describeDownload = (id: string): Download => ({
    id,
    name: id,
    state: under.get(id) ?? 'waiting',
    bytesDone: 0,
    bytes: 1,
    bytesPerSecond: null,
    secondsLeft: null,
    source: null,
    beginsAnew: false,
    failure: null,
  })
  const library = createLibrary({
    store,
    downloads: {
      get: async (id) => (asked.push(id), describeDownload(id)),
      pause: async (id) => describeDownload(id),
      cancel: async (id) => void under.delete(id),
      list: () => [...under.keys()].map(describeDownload),
      open: async () => undefined,
      resume: () => undefined,
      stop: async () => undefined,
    },
    catalogue: models,
    folder,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    earnings: (hash): ModelTotal | null => {
      const id = store.list().find((model) => model.hash === hash)?.id ?? ''
      const lastAt = options.earned?.[id]
      return lastAt === undefined ? null : { jobs: 1, creditMacs: 5n, lastAt }
    },
    mayFetch: () => options.mayFetch ?? true,
    declined: { read: () => declined, write: (ids) => (declined = ids) },
    inUse: () => new Set(options.inUse),
  })
  return { library, store, asked, under }
}

describe('mining', () => {
  test('fetches what it needs and lacks: not a kind that is there, nor what was paused, cancelled or removed', async () => {
    const { library, store, asked, under } = await libraryOf()
    expect(library.plan().models.map(({ kind }) => kind)).toEqual(['chat', 'embed', 'ocr'])
    await store.add(folderOf(smallModel()))
    under.set('smollm2-135m-instruct', 'paused')
    await library.fetchDefaults()
    expect(asked).toEqual(['pp-ocrv4'])
    await library.cancel('smollm2-135m-instruct')
    expect(library.plan().models.map(({ id }) => id)).toEqual(['pp-ocrv4'])
    // Asked for by hand it counts again.
    await library.get('smollm2-135m-instruct', false)
    expect(library.plan().models.map(({ kind }) => kind)).toEqual(['chat', 'ocr'])
  })

  test('fetches nothing where it may not', async () => {
    const { library, asked } = await libraryOf({ mayFetch: false })
    await library.fetchDefaults()
    expect(asked).toEqual([])
    expect(library.plan().allowed).toBe(false)
  })
})

describe('a quota', () => {
  test('removes what earned longest ago, and never what is in use', async () => {
    const { library, store } = await libraryOf({ inUse: ['busy'], earned: { recent: 300, old: 100, busy: 1 } })
    for (const name of ['recent', 'old', 'busy', 'never'])
      await store.add(folderOf({ ...smallModel(), 'config.json': JSON.stringify({ name }) }, name))
    const each = store.list()[0]?.bytes ?? 0
    const plan = await library.collect(2.5 * each, true)
    expect(plan.removed.map(({ id }) => id)).toEqual(['never', 'old'])
    expect(store.list()).toHaveLength(4)
    const done = await library.collect(0, false)
    expect(done.removed.map(({ id }) => id)).toEqual(['never', 'old', 'recent'])
    expect(store.list().map(({ id }) => id)).toEqual(['busy'])
    expect(done.bytes).toBe(store.list()[0]?.bytes)
  })
})

test('the catalogue says what fits at the context that is asked for, and recommends the largest chat that leaves room', async () => {
  const { library } = await libraryOf()
  const { models } = await library.available(null)
  const chats = models.filter(({ kind }) => kind === 'chat')
  const recommended = models.filter((model) => model.recommended)
  const suits = ({ fit }: (typeof models)[number]): boolean =>
    fit.memory === 'fits' && fit.disk === 'fits' && fit.memoryBytes <= totalmem() / 4
  for (const model of recommended) expect(model).toSatisfy(suits)
  const weightsOf = new Map(readCatalogue(shipped).models.map((one) => [one.id, one.memory.weightsBytes]))
  const [largest] = chats
    .filter((model) => suits(model) && (weightsOf.get(model.id) ?? 0) <= availableParallelism() * GB)
    .toSorted((one, other) => other.fit.memoryBytes - one.fit.memoryBytes)
  expect(recommended.map((model) => model.id)).toEqual(largest ? [largest.id] : [])
  // On the smallest computer that Lode is tried on there is a better one than the smallest.
  if (availableParallelism() >= 2 && totalmem() > 12 * GB && freemem() > 4 * GB)
    expect(recommended[0]?.id).not.toBe('smollm2-135m-instruct')

  const longer = (await library.available(32_768)).models
  const needs = (list: typeof models, id: string): number => list.find((one) => one.id === id)?.fit.memoryBytes ?? 0
  const { memory, context, id } = readCatalogue(shipped).models.find(
    (one) => one.kind === 'chat' && one.context > 4096,
  )!
  expect(needs(longer, id) - needs(models, id)).toBe(
    memory.cacheBytesPerToken * (Math.min(context, 32_768) - Math.min(context, 4096)),
  )
})

test('what is installed is shown with its fit and what it earned, and is not fetched again', async () => {
  const { library, store, asked } = await libraryOf({ earned: { 'my-model': 42 } })
  await store.add(folderOf(smallModel()))
  expect(await library.installed()).toEqual([
    expect.objectContaining({
      id: 'my-model',
      fit: expect.objectContaining({ memory: 'fits', diskBytes: 0 }) as object,
      earned: { jobs: 1, creditMacs: '5', lastAt: 42 },
    }),
  ])
  await expect(library.get('unheard-of', false)).rejects.toMatchObject({ code: 'not-found' })
  await store.add(folderOf(smallModel(), 'smollm2-135m-instruct'))
  await expect(library.get('smollm2-135m-instruct', false)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/ is installed already$/) as string,
  })
  expect(asked).toEqual([])
})
