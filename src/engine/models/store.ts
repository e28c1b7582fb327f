/** The model store: models a person added, each a folder with its card, and those that come with Lode. */
import { mkdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ModelView, ModelVerification } from '#shared/contract/models'
import { modelCard, type MacFormula, type ModelCard } from '#shared/domain/card'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import type { CatalogueEntry } from '#shared/domain/catalogue'
import type { JobKind } from '#shared/domain/job'
import { modelHash } from '#shared/domain/model-hash'
import type { ModelLocation } from '#shared/ipc/worker'
import type { FetchedFile } from './download-file'
import { scanFolder, type FolderFile } from './folder-scan'
import { whatIs } from './import'
import {
  copyFiles,
  diskFailure,
  hashFiles,
  moveIntoPlace,
  removeUnfinished,
  takeAway,
  takeFiles,
  UNFINISHED,
  writeDurably,
} from './install'
import { describeModel, type Origin } from './describe'
import { hashed, isAtWork, isSame, madeOf, noModel, readAdded, stateOf, verifyFiles, type PlacedModel } from './placed'
import { selectFiles } from './selection'

export { readCatalogue } from './catalogue'
export { createDownloads } from './downloads'
export { builtInModels, readKnownCards } from './known-cards'
export { createLibrary, type ModelLibrary } from './library'

export interface ModelStoreOptions {
  /** absolute; made when it is not there */
  folder: string
  /** models that come with Lode; they are listed first and cannot be removed */
  builtIn: readonly ModelLocation[]
  /** cards of models that Lode knows by their hashes (`readKnownCards`) */
  knownCards?: readonly ModelCard[]
  /** runs the model once in a worker; rejects with a Failure when it does not run */
  probe(location: ModelLocation): Promise<{ macFormula: MacFormula; context: number }>
  /** makes a model folder from a GGUF or safetensors file; rejects with a Failure when it cannot be done */
  convert(file: string, folder: string): Promise<{ name: string; licence: string }>
  /** models that run now or that a waiting job needs, by id: none of them is replaced */
  inUse?(): ReadonlySet<string>
  /** after every change, with the new list */
  onChange?(models: ModelView[]): void
}

export interface ModelStore {
  /** Built-in models first. Presence and sizes are looked up anew, hashes are those of the last `verify`. */
  list(): ModelView[]
  /**
   * Checks a folder, or a GGUF, safetensors or ONNX file, and puts its model into the store. Rejects with a Failure (`model-refused`
   * naming the file, `not-found`, `conflict`, `data-folder`) and leaves nothing behind. A model that is there already is given back.
   */
  add(path: string): Promise<ModelView>
  /** The same for files that were fetched into `folder`; a graph's are moved out of it. */
  install(entry: CatalogueEntry, folder: string, files: readonly FetchedFile[]): Promise<ModelView>
  /** Rejects with `not-found`, or `conflict` for a built-in model. */
  remove(id: string): Promise<void>
  /** Reads every file of every model again. A wrong one makes its model unusable until it is added again. */
  verify(): Promise<ModelVerification[]>
  /** Every model that can run jobs now, with its content hash. */
  usable(): (ModelLocation & { hash: string })[]
  /** Where a model lies, by id or content hash. Throws `not-found`. */
  locate(idOrHash: string): ModelLocation
  /** The model for a job: by id or by content hash, else the first usable one of the kind. Throws a Failure. */
  resolve(kind: JobKind, idOrHash?: string): ModelLocation & { hash: string }
}

/** Opens the store and removes what an interrupted addition left. Rejects with `data-folder` when the folder cannot be used. */
export async function createModelStore(options: ModelStoreOptions): Promise<ModelStore> {
  const store = resolve(options.folder)
  /** what verify found, until the model changes */
  const wrongHashes = new Set<string>()
  try {
    await mkdir(store, { recursive: true })
    await removeUnfinished(store)
  } catch (error) {
    throw diskFailure(error, store)
  }

  let added = readAdded(store)
  const locations = (): PlacedModel[] => [
    ...options.builtIn.map((location) => ({ ...location, builtIn: true })),
    ...added,
  ]
  const describe = (location: PlacedModel): ModelView => ({
    ...location.card,
    hash: modelHash(location.card),
    state: stateOf(location, wrongHashes),
    builtIn: location.builtIn,
    bytes: location.card.files.reduce((sum, file) => sum + file.bytes, 0),
  })
  const find = (id: string): PlacedModel => {
    const found = locations().find(({ card }) => card.id === id || modelHash(card) === id)
    if (!found)
      throw new Failure('not-found', `there is no model ${id}`, 'See the list of models for the names there are.')
    return found
  }

  // One change at a time: two additions of one folder must not meet.
  let changes: Promise<unknown> = Promise.resolve()
  const change = <T>(work: () => Promise<T>): Promise<T> => {
    const result = changes.then(work).then(
      (value) => {
        added = readAdded(store)
        options.onChange?.(locations().map(describe))
        return value
      },
      (error: unknown) => {
        throw diskFailure(error, store)
      },
    )
    changes = result.catch(() => undefined)
    return result
  }

  const addPath = async (path: string): Promise<ModelView> => {
    const given = await whatIs(path)
    if (given.kind === 'folder') return add(given.files, { folderName: given.folderName }, copyFiles, given.graph)
    const files = await hashFiles(given.folder, given.sources)
    const made = await madeOf(files, added, wrongHashes)
    if (made) return describe(made)
    return addMade(given.from, {
      folderName: given.folderName,
      source: `made from ${basename(given.from)}`,
      origin: { files, hash: 'computed' },
    })
  }
  const addFetched = async (
    entry: CatalogueEntry,
    folder: string,
    files: readonly FetchedFile[],
  ): Promise<ModelView> => {
    const origin = {
      folderName: entry.id,
      name: entry.name,
      licence: entry.licence.name,
      source: `${entry.name} from ${[...new Set(files.map(({ source }) => source))].join(', ')}`,
      origin: {
        files: files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
        hash: files.some(({ hash }) => hash === 'hub') ? ('hub' as const) : ('pinned' as const),
      },
      ...(entry.agreement === undefined ? {} : { agreement: entry.agreement }),
    }
    if (entry.form === 'onnx') return add(await scanFolder(folder), origin, takeFiles)
    return addMade(join(folder, entry.files[0]?.path ?? ''), origin)
  }
  const addMade = async (file: string, about: Origin & Required<Pick<Origin, 'origin'>>): Promise<ModelView> => {
    const origin = { ...about, origin: { ...about.origin, converter: CONVERTER_SHA256 } }
    const folder = join(store, `${UNFINISHED}converted`)
    await rm(folder, { recursive: true, force: true })
    try {
      const { name, licence } = await options.convert(file, folder)
      return await add(await scanFolder(folder), { name, licence, ...origin }, takeFiles)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const add = async (
    scanned: ReadonlyMap<string, FolderFile>,
    origin: Origin,
    place: typeof copyFiles,
    graph?: string,
  ): Promise<ModelView> => {
    const selection = await selectFiles(scanned, graph)
    const unfinished = join(store, `${UNFINISHED}added`)
    try {
      const files = await place(selection.files, unfinished)
      const card = describeModel(files, selection, origin, options.knownCards ?? [])
      const present = locations().find((location) => location.card.id === card.id)
      if (present && (await isSame(present, card, wrongHashes))) return describe(present)
      const refuseReplacing = (): void => {
        if (present && modelHash(present.card) !== modelHash(card) && options.inUse?.().has(card.id))
          throw isAtWork(present)
      }
      refuseReplacing()
      const probed = await options.probe({ card, folder: unfinished })
      const complete = modelCard.parse({ ...card, macFormula: probed.macFormula, context: probed.context })
      await writeDurably(join(unfinished, 'card.json'), `${JSON.stringify(complete, null, 2)}\n`)
      refuseReplacing()
      await moveIntoPlace(unfinished, join(store, card.id), store)
      wrongHashes.delete(card.id)
      return describe({ card: complete, folder: join(store, card.id), builtIn: false })
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  }

  return {
    list: () => locations().map(describe),
    add: (path) => change(() => addPath(path)),
    install: (entry, folder, files) => change(() => addFetched(entry, folder, files)),
    remove: (id) =>
      change(async () => {
        const found = find(id)
        if (found.builtIn) {
          throw new Failure(
            'conflict',
            `${found.card.name} comes with Lode and cannot be removed`,
            'Remove only models that were added.',
          )
        }
        await takeAway(found.folder, store)
        wrongHashes.delete(found.card.id)
      }),
    verify: () =>
      change(async () => {
        const verified: ModelVerification[] = []
        for (const location of locations()) {
          const files = await verifyFiles(location)
          if (files.every((file) => file.ok)) wrongHashes.delete(location.card.id)
          else wrongHashes.add(location.card.id)
          verified.push({ ...describe(location), files })
        }
        return verified
      }),
    locate: find,
    usable: () =>
      locations().flatMap((location) => (stateOf(location, wrongHashes) === 'ready' ? [hashed(location)] : [])),
    resolve: (kind, idOrHash) => {
      const candidates = idOrHash === undefined ? locations() : [find(idOrHash)]
      const ofKind = candidates.filter(({ card }) => card.kind === kind)
      const usable = ofKind.find((location) => stateOf(location, wrongHashes) === 'ready')
      if (!usable) throw noModel(kind, candidates, ofKind, idOrHash)
      return hashed(usable)
    },
  }
}
