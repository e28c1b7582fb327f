/** Puts the engine's models together: the store, the downloads and the library over both. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ModelView } from '#shared/contract/models'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { RigContext, SettingsStore } from '../base'
import type { VerifierClient } from '../workers'
import { readCatalogue } from './catalogue'
import { createModelConverter } from './converter'
import { createDownloads } from './downloads'
import { builtInModels, readKnownManifests } from './known-manifests'
import { createLibrary, type ModelLibrary } from './library'
import { createModelStore, type ModelStore } from './store'
import { createUsableModels, type UsableModels } from './usable-models'

export interface ModelSupportOptions {
  resourcesFolder: string
  /** settings of the environment: LODE_CATALOGUE, LODE_MODELS_FOLDER and LODE_FETCH_MODELS */
  environment: ModelEnvironment
  settings: SettingsStore
  verifier: VerifierClient
  isMining: () => boolean
}

export interface ModelEnvironment {
  /** another catalogue than the one that comes with Lode */
  catalogueFile?: string
  /** a folder with model files, which catalogues name as a source */
  modelsFolder?: string
  /** false: mining fetches nothing by itself, whatever the settings say */
  fetchByItself: boolean
}

/** The models as the handlers use them. */
export interface ModelAccess {
  models: ModelStore
  usable: UsableModels
  library: ModelLibrary
  downloads: ReturnType<typeof createDownloads>
  /** Adds the uploaded files to the store and removes the upload. */
  addUpload(id: string): Promise<ModelView>
}

export interface ModelSupport {
  access: ModelAccess
  /** the folder for uploads of the page, with a subfolder for each set of files */
  uploadsFolder: string
  stop(): Promise<void>
}

const RESUME_MILLISECONDS = 1500
const ASK_AGAIN_MILLISECONDS = 10 * 60_000
const DECLINED = 'models-declined'
const declinedSchema = z.array(z.string())

/** Throws a Failure: `data-folder`, or `invalid-input` for a catalogue that cannot be read. */
export async function createModelSupport(rig: RigContext, options: ModelSupportOptions): Promise<ModelSupport> {
  const { ledger, log, clock, events } = rig
  const { settings, environment } = options
  const folder = join(rig.dataDir, 'models')
  const uploadsFolder = join(folder, '.uploads')
  const knownManifests = readKnownManifests(join(options.resourcesFolder, 'cards'))
  const catalogue = readCatalogue(environment.catalogueFile ?? join(options.resourcesFolder, 'catalogue.json'))
  const inUse = (): ReadonlySet<string> => new Set(ledger.openJobs().map(({ modelId }) => modelId))
  const converter = createModelConverter(rig)
  const models = await createModelStore({
    folder,
    builtIn: builtInModels(knownManifests),
    knownManifests,
    probe: (model) => options.verifier.probe(model),
    convert: converter.convert,
    inUse,
    onChange: (list) => events.emit('models.changed', list),
  })
  await rm(uploadsFolder, { recursive: true, force: true })
  const downloads = createDownloads(rig, {
    folder,
    catalogue,
    modelsFolder: environment.modelsFolder ?? null,
    install: async (entry, from, files) => void (await models.install(entry, from, files)),
    onChange: (download) => {
      events.emit('models.download', download)
      if (download.state === 'failed') askAgain()
    },
  })
  /** After a failure, mining asks again for its default models; downloads that the person paused or cancelled stay so. */
  let again: { cancel(): void } | null = null
  const askAgain = (): void => {
    again ??= clock.setTimeout(() => {
      again = null
      if (options.isMining()) void library.fetchDefaults()
    }, ASK_AGAIN_MILLISECONDS)
  }
  const library: ModelLibrary = createLibrary({
    store: models,
    downloads,
    catalogue,
    folder,
    log,
    earnings: (hash) => ledger.modelTotal(hash),
    mayFetch: () => environment.fetchByItself && settings.current.fetchModels,
    declined: {
      read: () => ledger.setting(DECLINED, declinedSchema) ?? [],
      write: (ids) => ledger.saveSetting(DECLINED, ids),
    },
    inUse,
  })
  await downloads.open()
  // A `lode` command that ends within a moment continues no download.
  const resuming = clock.setTimeout(() => downloads.resume(), RESUME_MILLISECONDS)
  const addUpload = async (id: string): Promise<ModelView> => {
    const set = join(uploadsFolder, id)
    try {
      const names = await readdir(set).catch(() => [])
      const [only] = names
      if (only === undefined) throw new Failure('not-found', message('upload-not-found'))
      return await models.add(names.length === 1 ? join(set, only) : set)
    } finally {
      await rm(set, { recursive: true, force: true })
    }
  }
  return {
    access: { models, usable: createUsableModels(models, library), library, downloads, addUpload },
    uploadsFolder,
    stop: async () => {
      resuming.cancel()
      again?.cancel()
      const ended = downloads.stop()
      converter.stop()
      await ended
    },
  }
}
