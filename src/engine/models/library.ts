/** The model library for the person: list, choose, fetch and clean up models, with the store and the downloads. */
import { availableParallelism } from 'node:os'
import type { CatalogueRow, Download, FetchPlan, ModelRow, ModelView } from '#shared/contract/models'
import type { Catalogue, CatalogueEntry } from '#shared/domain/catalogue'
import { isOutdated } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ModelTotal } from '../ledger'
import type { Log } from '../base'
import { entryOf } from './catalogue'
import type { Downloads } from './downloads'
import { fitOfEntry, fitOfInstalled, measureCapacity, memoryCapacity, type Capacity } from './fit'
import type { ModelStore } from './store'
import { catalogueRow, modelRow } from './views'

/** A recommended model leaves most memory to other programs, and answers fast enough: each token reads all weights. */
const RECOMMENDED_SHARE = 0.25
const RECOMMENDED_BYTES_PER_PROCESSOR = 1e9

export interface LibraryOptions {
  store: ModelStore
  downloads: Downloads
  catalogue: Catalogue
  /** where models lie */
  folder: string
  log: Log
  /** by content hash */
  earnings: (hash: string) => ModelTotal | null
  /** whether the person and the environment let mining fetch models by itself */
  mayFetch: () => boolean
  /** ids of default models that the person removed or cancelled: mining does not fetch them again */
  declined: { read(): readonly string[]; write(ids: readonly string[]): void }
  /** models that run now or that a waiting job needs, by id */
  inUse: () => ReadonlySet<string>
}

export interface ModelLibrary {
  installed(): Promise<ModelRow[]>
  /** The models of the catalogue with their fit at a context in tokens (null: the usual one), and the plan of mining. */
  available(context: number | null): Promise<{ models: CatalogueRow[]; plan: FetchPlan }>
  /** The default models that mining would fetch by itself, and whether it may. */
  plan(): FetchPlan
  /** Throws a Failure: `not-found`, or `conflict` if the model does not fit (`anyway`: only the disk counts). */
  get(id: string, anyway: boolean): Promise<Download>
  /** Cancels a download; mining does not fetch the model again by itself. */
  cancel(id: string): Promise<void>
  /** Removes an installed model; mining does not fetch it again by itself. Rejects as the store's `remove`. */
  remove(id: string): Promise<void>
  /** Fetches the default models that mining lacks; paused downloads stay so. Never rejects. */
  fetchDefaults(): Promise<void>
  /** Cancels downloads of default models. */
  stopDefaults(): Promise<void>
  /** Removes least recently earning models until the rest is within the quota. */
  collect(
    quotaBytes: number,
    dryRun: boolean,
  ): Promise<{ removed: { id: string; bytes: number }[]; freedBytes: number; bytes: number }>
  /** Whether this computer has the memory that an installed model takes. */
  fitsMemory(id: string): boolean
}

export function createLibrary(options: LibraryOptions): ModelLibrary {
  const { store, downloads, catalogue } = options
  const missingDefaults = (): CatalogueEntry[] => {
    const kinds = new Set(store.usable().map(({ manifest }) => manifest.kind))
    const declined = options.declined.read()
    return catalogue.models.filter((entry) => entry.isDefault && !kinds.has(entry.kind) && !declined.includes(entry.id))
  }
  const plan = (): FetchPlan => {
    const models = missingDefaults().map(({ id, name, kind, bytes }) => ({ id, name, kind, bytes }))
    return { allowed: options.mayFetch(), models, bytes: models.reduce((sum, { bytes }) => sum + bytes, 0) }
  }
  const decline = (id: string): void => {
    if (!catalogue.models.some((entry) => entry.id === id && entry.isDefault)) return
    options.declined.write([...new Set([...options.declined.read(), id])])
  }
  const collectable = (): ModelView[] => {
    const inUse = options.inUse()
    const lastAt = (model: ModelView): number => options.earnings(model.hash)?.lastAt ?? 0
    return store
      .list()
      .filter((model) => !model.builtIn && !inUse.has(model.id))
      .toSorted((a, b) => lastAt(a) - lastAt(b) || (a.id < b.id ? -1 : 1))
  }

  return {
    installed: async () => {
      const capacity = await measureCapacity(options.folder)
      return store
        .list()
        .map((view) => modelRow(view, fitOfInstalled(store.locate(view.id), capacity), options.earnings(view.hash)))
    },
    available: async (context) => {
      const capacity = await measureCapacity(options.folder)
      const present = new Set(store.list().map(({ id }) => id))
      const under = new Map(downloads.list().map((download) => [download.id, download]))
      const rows = catalogue.models.map((entry) => {
        const download = under.get(entry.id)
        const fitted = fitOfEntry(entry, context, capacity, download?.bytesDone ?? 0)
        return catalogueRow(entry, { ...fitted, installed: present.has(entry.id), download })
      })
      const best = recommendedRow(rows, catalogue, capacity)
      return { models: rows.map((row) => ({ ...row, recommended: row.id === best?.id })), plan: plan() }
    },
    plan,
    get: async (id, anyway) => {
      const entry = entryOf(catalogue, id)
      const under = downloads.list().find((download) => download.id === id)
      const installed = store.list().find((model) => model.id === id)
      if (installed?.state === 'ready' && !isOutdated(installed))
        throw new Failure('conflict', message('download-installed-already', { model: entry.name }))
      const { fit } = fitOfEntry(entry, null, await measureCapacity(options.folder), under?.bytesDone ?? 0)
      if (fit.disk === 'no' || (fit.memory === 'no' && !anyway))
        throw new Failure(
          'conflict',
          message(fit.disk === 'no' ? 'download-no-disk' : 'download-no-memory', { model: entry.name, fit: fit.words }),
        )
      options.declined.write(options.declined.read().filter((one) => one !== id))
      return downloads.get(id)
    },
    cancel: async (id) => {
      if (downloads.list().some((download) => download.id === id)) decline(id)
      await downloads.cancel(id)
    },
    remove: async (id) => {
      await store.remove(id)
      decline(id)
    },
    fetchDefaults: async () => {
      if (!options.mayFetch()) return
      const under = new Map(downloads.list().map((download) => [download.id, download.state]))
      for (const { id } of missingDefaults()) {
        if (under.get(id) === 'paused') continue
        await downloads
          .get(id)
          .catch((error: unknown) =>
            options.log.warn('a model could not be asked for', { model: id, error: String(error) }),
          )
      }
    },
    stopDefaults: async () => {
      const defaults = new Set(catalogue.models.filter(({ isDefault }) => isDefault).map(({ id }) => id))
      for (const { id, state } of downloads.list())
        if (defaults.has(id) && state !== 'installing') await downloads.cancel(id)
    },
    collect: async (quotaBytes, dryRun) => {
      let bytes = store.list().reduce((sum, model) => sum + (model.builtIn ? 0 : model.bytes), 0)
      const removed: { id: string; bytes: number }[] = []
      for (const model of collectable()) {
        if (bytes <= quotaBytes) break
        // Read again for each model: a job may have begun meanwhile.
        if (!dryRun && options.inUse().has(model.id)) continue
        if (!dryRun) {
          await store.remove(model.id)
          decline(model.id)
        }
        bytes -= model.bytes
        removed.push({ id: model.id, bytes: model.bytes })
      }
      return { removed, freedBytes: removed.reduce((sum, one) => sum + one.bytes, 0), bytes }
    },
    fitsMemory: (id) => fitOfInstalled(store.locate(id), memoryCapacity()).memory !== 'no',
  }
}

/** The largest chat model that fits well. */
function recommendedRow(
  rows: readonly CatalogueRow[],
  catalogue: Catalogue,
  capacity: Capacity,
): CatalogueRow | undefined {
  return rows
    .filter(({ kind, fit }) => kind === 'chat' && fit.memory === 'fits' && fit.disk === 'fits')
    .filter(({ fit }) => fit.memoryBytes <= capacity.memoryBytes * RECOMMENDED_SHARE)
    .filter(
      ({ id }) =>
        entryOf(catalogue, id).memory.weightsBytes <= availableParallelism() * RECOMMENDED_BYTES_PER_PROCESSOR,
    )
    .toSorted((a, b) => b.fit.memoryBytes - a.fit.memoryBytes)[0]
}
