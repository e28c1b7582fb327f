/** Models as they lie in the store: which there are, and whether their files are as their cards say. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ModelVerification } from '#shared/contract/models'
import { modelCard, type ModelCard, type ModelFile, type ModelState } from '#shared/domain/card'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import { modelHash } from '#shared/domain/model-hash'
import type { ModelLocation } from '#shared/ipc/worker'
import { hashFile } from './install'

export interface PlacedModel extends ModelLocation {
  builtIn: boolean
}

/** The added models by id. A folder whose card cannot be read is no model. */
export function readAdded(store: string): PlacedModel[] {
  const folders = readdirSync(store, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  )
  const found = folders.flatMap((entry) => readLocation(join(store, entry.name)) ?? [])
  return found.map((location) => ({ ...location, builtIn: false })).toSorted(byId)
}

export function hashed({ card, folder }: ModelLocation): ModelLocation & { hash: string } {
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
export function stateOf({ card, folder }: ModelLocation, wrongHashes: ReadonlySet<string>): ModelState {
  const sizes = card.files.map((file) => statSync(join(folder, file.path), { throwIfNoEntry: false })?.size)
  if (sizes.includes(undefined)) return 'missing-file'
  const changed = card.files.some((file, index) => sizes[index] !== file.bytes)
  return changed || wrongHashes.has(card.id) ? 'wrong-hash' : 'ready'
}

export async function verifyFiles({ card, folder }: ModelLocation): Promise<ModelVerification['files']> {
  const files: ModelVerification['files'] = []
  for (const file of card.files) files.push({ ...file, ok: (await hashFile(join(folder, file.path))) === file.sha256 })
  return files
}

/** The model that today's converter made of these very files, whatever their names, if there is one and it is whole. */
export async function madeOf(
  files: readonly ModelFile[],
  models: readonly PlacedModel[],
  wrongHashes: ReadonlySet<string>,
): Promise<PlacedModel | undefined> {
  const wanted = hashesOf(files)
  for (const model of models) {
    const { origin } = model.card
    if (origin?.converter !== CONVERTER_SHA256 || hashesOf(origin.files) !== wanted) continue
    if (await isWhole(model, wrongHashes)) return model
  }
  return undefined
}

/**
 * Whether that very model is installed and whole. Throws `conflict` when another one has its name; not where it is the same
 * model as another converter, or an earlier catalogue, had it: that one is to be replaced.
 */
export async function isSame(
  present: PlacedModel,
  card: ModelCard,
  wrongHashes: ReadonlySet<string>,
): Promise<boolean> {
  if (modelHash(present.card) !== modelHash(card)) {
    if (isRemade(present, card)) return false
    throw new Failure(
      'conflict',
      `there is another model named ${card.id}`,
      present.builtIn ? 'Rename the folder, then add it again.' : 'Remove that one first, or rename the folder.',
    )
  }
  return present.builtIn || isWhole(present, wrongHashes)
}

function isRemade(present: PlacedModel, { origin }: ModelCard): boolean {
  const before = present.card.origin
  if (present.builtIn || before === undefined || origin === undefined) return false
  if (origin.hash === 'computed' || before.hash === 'computed') return hashesOf(before.files) === hashesOf(origin.files)
  return true
}

async function isWhole(model: PlacedModel, wrongHashes: ReadonlySet<string>): Promise<boolean> {
  return !wrongHashes.has(model.card.id) && (await verifyFiles(model)).every((file) => file.ok)
}

/** Content counts, not names. */
function hashesOf(files: readonly ModelFile[]): string {
  return files
    .map(({ sha256 }) => sha256)
    .toSorted()
    .join(' ')
}

/** Why a model is not replaced now. */
export function isAtWork({ card }: PlacedModel): Failure {
  return new Failure(
    'conflict',
    `${card.name} was to be made anew, but has jobs now`,
    'Wait until they are done, or pause mining, then add it again.',
  )
}

/** Why no model can take a job of a kind. */
export function noModel(
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
