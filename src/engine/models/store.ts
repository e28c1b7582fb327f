/** The model store: models a person added, each a folder with its manifest, and those that come with Lode. */
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ModelVerification, ModelView } from '#shared/contract/models'
import { modelManifest, type MacFormula, type ModelManifest } from '#shared/domain/manifest'
import type { CatalogueEntry } from '#shared/domain/catalogue'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { JobKind } from '#shared/domain/job'
import { modelHash } from '#shared/domain/model-hash'
import { installedModelOf, type InstalledModel, type ModelConversion } from '#shared/domain/model-stages'
import { describeModel } from './describe'
import type { FetchedFile } from './download-file'
import { scanFolder } from './folder-scan'
import { givenByDownload, givenByPath, type GivenGraph, type GivenModel, type GivenWeights } from './given-model'
import {
  copyFiles,
  diskFailure,
  moveFiles,
  moveIntoPlace,
  removeUnfinished,
  takeAway,
  UNFINISHED,
  writeDurably,
} from './install'
import { isSame, madeOf, readAdded, stateOf, verifyFiles } from './installed-model'
import { hasJobsFailure, noModelFailure } from './refusal'
import { selectFiles } from './selection'
import { modelVerification, modelView } from './views'

export interface ModelStoreOptions {
  /** absolute; created when absent */
  folder: string
  /** models that come with Lode; they are listed first and cannot be removed */
  builtIn: readonly InstalledModel[]
  /** manifests of models that Lode knows by their hashes (`readKnownManifests`) */
  knownManifests?: readonly ModelManifest[]
  /** runs the model once in a worker; rejects with a Failure when it does not run */
  probe(model: InstalledModel): Promise<{ macFormula: MacFormula; context: number }>
  /** makes the graph of GGUF or safetensors; rejects with a Failure when it cannot be done */
  convert(conversion: ModelConversion): Promise<{ name: string; licence: string }>
  /** models that run now or that a waiting job needs, by id: none of them is replaced */
  inUse?(): ReadonlySet<string>
  /** after every change, with the new list */
  onChange?(models: ModelView[]): void
}

export interface ModelStore {
  /** Built-in models first. Presence and sizes of files are read at each call; hashes are those of the last `verify`. */
  list(): ModelView[]
  /**
   * Checks a folder, or a GGUF, safetensors or ONNX file, and puts its model into the store. Rejects with a Failure (`model-refused`
   * naming the file, `not-found`, `conflict`, `data-folder`) and leaves nothing behind. A model that is installed already is returned.
   */
  add(path: string): Promise<ModelView>
  /** As `add`, for files that a download fetched into `folder`; the files of a graph are moved out of it. */
  install(entry: CatalogueEntry, folder: string, files: readonly FetchedFile[]): Promise<ModelView>
  /** Removes a model. Rejects with Failure `not-found`, or `conflict` for a built-in model. */
  remove(id: string): Promise<void>
  /** Reads every file of every model again. A wrong one makes its model unusable until it is added again. */
  verify(): Promise<ModelVerification[]>
  /** All models that can run jobs now. */
  usable(): InstalledModel[]
  /** The installed model, by id or content hash. Throws Failure `not-found`. */
  locate(idOrHash: string): InstalledModel
  /** The model for a job: by id or by content hash, else the first usable one of the kind. Throws a Failure. */
  resolve(kind: JobKind, idOrHash?: string): InstalledModel
}

/** Opens the store and removes unfinished folders of an interrupted addition. Rejects with `data-folder` when the folder cannot be used. */
export async function createModelStore(options: ModelStoreOptions): Promise<ModelStore> {
  const store = resolve(options.folder)
  /** ids of models with a file of another hash, as the last `verify` found, until the model changes */
  const wrongHashes = new Set<string>()
  try {
    await mkdir(store, { recursive: true })
    await removeUnfinished(store)
  } catch (error) {
    throw diskFailure(error, store)
  }

  let added = readAdded(store)
  const isBuiltIn = (model: InstalledModel): boolean => options.builtIn.includes(model)
  const models = (): InstalledModel[] => [...options.builtIn, ...added]
  const isReady = (model: InstalledModel): boolean => stateOf(model, wrongHashes) === 'ready'
  const view = (model: InstalledModel): ModelView => modelView(model, stateOf(model, wrongHashes), isBuiltIn(model))
  const find = (idOrHash: string): InstalledModel => {
    const found = models().find(({ manifest, hash }) => manifest.id === idOrHash || hash === idOrHash)
    if (!found) throw new Failure('not-found', message('model-not-found', { model: idOrHash }))
    return found
  }

  // Changes run one after another: two additions of one folder must not overlap.
  let changes: Promise<unknown> = Promise.resolve()
  const change = <T>(work: () => Promise<T>): Promise<T> => {
    const result = changes.then(work).then(
      (value) => {
        added = readAdded(store)
        options.onChange?.(models().map(view))
        return value
      },
      (error: unknown) => {
        throw diskFailure(error, store)
      },
    )
    changes = result.catch(() => undefined)
    return result
  }

  const add = (given: GivenModel): Promise<ModelView> => (given.form === 'onnx' ? place(given) : convert(given))

  const convert = async ({ form, path, provenance }: GivenWeights): Promise<ModelView> => {
    const { origin } = provenance
    if (origin.hash === 'computed') {
      const made = await madeOf(origin.files, added, wrongHashes)
      if (made) return view(made)
    }
    const folder = join(store, `${UNFINISHED}converted`)
    await rm(folder, { recursive: true, force: true })
    try {
      const inFile = await options.convert({ form, path, folder })
      return await place({
        form: 'onnx',
        files: await scanFolder(folder),
        isOwn: true,
        provenance: { ...inFile, ...provenance, origin: { ...origin, converter: CONVERTER_SHA256 } },
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const place = async (given: GivenGraph): Promise<ModelView> => {
    const selection = await selectFiles(given.files, given.graph)
    const unfinished = join(store, `${UNFINISHED}added`)
    try {
      const files = await (given.isOwn ? moveFiles : copyFiles)(selection.files, unfinished)
      const manifest = describeModel(files, selection, given.provenance, options.knownManifests ?? [])
      const hash = modelHash(manifest)
      const present = models().find((model) => model.manifest.id === manifest.id)
      if (present && (await isSame(present, manifest, isBuiltIn(present), wrongHashes))) return view(present)
      const refuseReplacing = (): void => {
        if (present && present.hash !== hash && options.inUse?.().has(manifest.id)) throw hasJobsFailure(present)
      }
      refuseReplacing()
      const probed = await options.probe({ manifest, folder: unfinished, hash })
      const complete = modelManifest.parse({ ...manifest, macFormula: probed.macFormula, context: probed.context })
      await writeDurably(join(unfinished, 'card.json'), `${JSON.stringify(complete, null, 2)}\n`)
      refuseReplacing()
      await moveIntoPlace(unfinished, join(store, manifest.id), store)
      wrongHashes.delete(manifest.id)
      return view(installedModelOf(complete, join(store, manifest.id)))
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  }

  return {
    list: () => models().map(view),
    add: (path) => change(async () => add(await givenByPath(path))),
    install: (entry, folder, files) => change(async () => add(await givenByDownload(entry, folder, files))),
    remove: (id) =>
      change(async () => {
        const found = find(id)
        if (isBuiltIn(found)) {
          throw new Failure('conflict', message('model-built-in', { model: found.manifest.name }))
        }
        await takeAway(found.folder, store)
        wrongHashes.delete(found.manifest.id)
      }),
    verify: () =>
      change(async () => {
        const verified: ModelVerification[] = []
        for (const model of models()) {
          const files = await verifyFiles(model)
          if (files.every((file) => file.ok)) wrongHashes.delete(model.manifest.id)
          else wrongHashes.add(model.manifest.id)
          verified.push(modelVerification(view(model), files))
        }
        return verified
      }),
    locate: find,
    usable: () => models().filter(isReady),
    resolve: (kind, idOrHash) => {
      const candidates = idOrHash === undefined ? models() : [find(idOrHash)]
      const ofKind = candidates.filter(({ manifest }) => manifest.kind === kind)
      const usable = ofKind.find(isReady)
      if (!usable) throw noModelFailure(kind, candidates, ofKind, idOrHash)
      return usable
    },
  }
}
