/** The model store: models a person added, each a folder with its card, and those that come with Lode. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Model, VerifiedModel } from '#shared/contract/models'
import { modelCard, type MacFormula, type ModelCard, type ModelFile, type ModelState } from '#shared/domain/card'
import { Failure } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import { modelHash } from '#shared/domain/model-hash'
import type { ModelLocation } from '#shared/domain/worker-protocol'
import { ggufFile, scanFolder } from './folder-scan'
import {
  copyFiles,
  diskFailure,
  hashFile,
  moveIntoPlace,
  removeUnfinished,
  takeAway,
  UNFINISHED,
  writeDurably,
} from './install'
import { recognize } from './known-cards'
import { refused } from './refusal'
import { selectFiles, type Selection } from './selection'

export { builtInModels, readKnownCards } from './known-cards'

export interface ModelStoreOptions {
  /** absolute; made when it is not there */
  folder: string
  /** models that come with Lode; they are listed first and cannot be removed */
  builtIn: readonly ModelLocation[]
  /** cards of models that Lode knows by their hashes (`readKnownCards`) */
  knownCards?: readonly ModelCard[]
  /** runs the model once in a worker; rejects with a Failure when it does not run */
  probe(location: ModelLocation): Promise<{ macFormula: MacFormula; context: number }>
  /** makes a model folder from a GGUF file; rejects with a Failure when it cannot be done */
  convert(file: string, folder: string): Promise<{ name: string; licence: string }>
  /** after every change, with the new list */
  onChange?(models: Model[]): void
}

export interface ModelStore {
  /** Built-in models first. Presence and sizes are looked up anew, hashes are those of the last `verify`. */
  list(): Model[]
  /**
   * Checks a folder, or a GGUF file, and puts its model into the store. Rejects with a Failure (`model-refused` naming the file,
   * `not-found`, `conflict`, `data-folder`) and leaves nothing behind. A model that is there already is given back.
   */
  add(path: string): Promise<Model>
  /** Rejects with `not-found`, or `conflict` for a built-in model. */
  remove(id: string): Promise<void>
  /** Reads every file of every model again. A wrong one makes its model unusable until it is added again. */
  verify(): Promise<VerifiedModel[]>
  /** Every model that can run jobs now, with its content hash. */
  usable(): (ModelLocation & { hash: string })[]
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
  const describe = (location: PlacedModel): Model => ({
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

  const addPath = async (path: string): Promise<Model> => {
    if (!/\.gguf$/i.test(path)) return add(path, { folderName: basename(resolve(path)) })
    const file = await ggufFile(path)
    const folder = join(store, `${UNFINISHED}converted`)
    await rm(folder, { recursive: true, force: true })
    try {
      const { name, licence } = await options.convert(file, folder)
      const folderName = basename(file).replace(/\.gguf$/i, '')
      return await add(folder, { folderName, name, licence, source: `made from ${basename(file)}` })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const add = async (folder: string, origin: Origin): Promise<Model> => {
    const selection = await selectFiles(await scanFolder(resolve(folder)))
    const unfinished = join(store, `${UNFINISHED}added`)
    try {
      const files = await copyFiles(selection.files, unfinished)
      const card = describeModel(files, selection, origin, options.knownCards ?? [])
      const present = locations().find((location) => location.card.id === card.id)
      if (present && (await isSame(present, card, wrongHashes))) return describe(present)
      const probed = await options.probe({ card, folder: unfinished })
      const complete = modelCard.parse({ ...card, macFormula: probed.macFormula, context: probed.context })
      await writeDurably(join(unfinished, 'card.json'), `${JSON.stringify(complete, null, 2)}\n`)
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
        const verified: VerifiedModel[] = []
        for (const location of locations()) {
          const files = await verifyFiles(location)
          if (files.every((file) => file.ok)) wrongHashes.delete(location.card.id)
          else wrongHashes.add(location.card.id)
          verified.push({ ...describe(location), files })
        }
        return verified
      }),
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

/** What is known of a model besides its files. */
interface Origin {
  folderName: string
  name?: string
  licence?: string
  source?: string
}

interface PlacedModel extends ModelLocation {
  builtIn: boolean
}

/** The added models by id. A folder whose card cannot be read is no model. */
function readAdded(store: string): PlacedModel[] {
  const folders = readdirSync(store, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  )
  const found = folders.flatMap((entry) => readLocation(join(store, entry.name)) ?? [])
  return found.map((location) => ({ ...location, builtIn: false })).toSorted(byId)
}

function hashed({ card, folder }: ModelLocation): ModelLocation & { hash: string } {
  return { card, folder, hash: modelHash(card) }
}

function byId(a: ModelLocation, b: ModelLocation): number {
  return a.card.id < b.card.id ? -1 : 1
}

function readLocation(folder: string): ModelLocation | undefined {
  try {
    const card = modelCard.parse(JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8')))
    return card.id === basename(folder) ? { card, folder } : undefined
  } catch {
    return undefined
  }
}

/** Presence and size of every file, and what `verify` found about its hashes. */
function stateOf({ card, folder }: ModelLocation, wrongHashes: ReadonlySet<string>): ModelState {
  const sizes = card.files.map((file) => statSync(join(folder, file.path), { throwIfNoEntry: false })?.size)
  if (sizes.includes(undefined)) return 'missing-file'
  const changed = card.files.some((file, index) => sizes[index] !== file.bytes)
  return changed || wrongHashes.has(card.id) ? 'wrong-hash' : 'ready'
}

async function verifyFiles({ card, folder }: ModelLocation): Promise<VerifiedModel['files']> {
  const files: VerifiedModel['files'] = []
  for (const file of card.files) files.push({ ...file, ok: (await hashFile(join(folder, file.path))) === file.sha256 })
  return files
}

/** Whether that very model is installed and whole. Throws `conflict` when another one has its name. */
async function isSame(present: PlacedModel, card: ModelCard, wrongHashes: ReadonlySet<string>): Promise<boolean> {
  if (modelHash(present.card) !== modelHash(card)) {
    throw new Failure(
      'conflict',
      `there is another model named ${card.id}`,
      present.builtIn ? 'Rename the folder, then add it again.' : 'Remove that one first, or rename the folder.',
    )
  }
  return present.builtIn || (!wrongHashes.has(card.id) && (await verifyFiles(present)).every((file) => file.ok))
}

/** The card of copied files, still without what only running the model tells. Throws a Failure for a wrong hash. */
function describeModel(
  files: ModelFile[],
  selection: Selection,
  origin: Origin,
  known: readonly ModelCard[],
): ModelCard {
  for (const graph of selection.graphs) {
    const copied = files.find((file) => file.path === graph.path)
    if (copied?.sha256 !== graph.sha256)
      throw refused(graph.path, 'changed while it was copied', 'Add the folder again when nothing writes to it.')
  }
  const { card } = selection
  if (card) {
    const wrong = files.find((file) => card.files.find((listed) => listed.path === file.path)?.sha256 !== file.sha256)
    if (wrong)
      throw refused(
        wrong.path,
        'does not have the SHA-256 that card.json says',
        'Get the model again, then add its folder again.',
      )
    return card
  }
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return (
    recognize(sorted, origin.folderName, known) ?? {
      id: idFrom(origin.folderName),
      kind: selection.kind,
      name: (origin.name ?? origin.folderName).slice(0, 120),
      files: sorted,
      licence: origin.licence ?? 'unknown',
      source: origin.source ?? 'added from a folder',
      context: 0,
      macFormula:
        selection.kind === 'chat'
          ? { kind: 'chat', perToken: 0, perLogits: 0, perPair: 0 }
          : { kind: 'embed', perToken: 0, perPair: 0 },
    }
  )
}

function idFrom(folderName: string): string {
  const id = folderName
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 80)
  return id === '' ? 'model' : id
}

function noModel(
  kind: JobKind,
  candidates: readonly ModelLocation[],
  ofKind: readonly ModelLocation[],
  id: string | undefined,
): Failure {
  const [damaged] = ofKind
  if (damaged)
    return new Failure('not-found', `the files of ${damaged.card.name} are damaged or missing`, 'Add its folder again.')
  const [other] = candidates
  if (id !== undefined && other) {
    return new Failure(
      'invalid-input',
      `${other.card.name} is a model for ${other.card.kind}, not for ${kind}`,
      `Choose a model for ${kind}.`,
    )
  }
  return new Failure('not-found', `there is no model for ${kind}`, 'Add a model folder first: models add DIR.')
}
