/** Installed models: which ones the store has, and whether their files match their manifests. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ModelVerification } from '#shared/contract/models'
import { modelManifest, type ModelManifest, type ModelFile, type ModelState } from '#shared/domain/manifest'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { modelHash } from '#shared/domain/model-hash'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { hashFile } from './install'

/** The added models by id. A folder whose manifest cannot be read is no model. */
export function readAdded(store: string): InstalledModel[] {
  const folders = readdirSync(store, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  )
  const found = folders.flatMap((entry) => readInstalled(join(store, entry.name)) ?? [])
  return found.toSorted((a, b) => (a.manifest.id < b.manifest.id ? -1 : 1))
}

function readInstalled(folder: string): InstalledModel | undefined {
  try {
    const manifest = modelManifest.parse(JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8')))
    return manifest.id === basename(folder) ? installedModelOf(manifest, folder) : undefined
  } catch {
    return undefined
  }
}

/** The state of a model: presence and size of every file, and the hashes that `verify` found wrong. */
export function stateOf({ manifest, folder }: InstalledModel, wrongHashes: ReadonlySet<string>): ModelState {
  const sizes = manifest.files.map((file) => statSync(join(folder, file.path), { throwIfNoEntry: false })?.size)
  if (sizes.includes(undefined)) return 'missing-file'
  const changed = manifest.files.some((file, index) => sizes[index] !== file.bytes)
  return changed || wrongHashes.has(manifest.id) ? 'wrong-hash' : 'ready'
}

export async function verifyFiles({ manifest, folder }: InstalledModel): Promise<ModelVerification['files']> {
  const files: ModelVerification['files'] = []
  for (const file of manifest.files)
    files.push({ ...file, ok: (await hashFile(join(folder, file.path))) === file.sha256 })
  return files
}

/** The undamaged model that this version's converter made from files with these hashes, whatever their names; undefined where there is none. */
export async function madeOf(
  files: readonly ModelFile[],
  models: readonly InstalledModel[],
  wrongHashes: ReadonlySet<string>,
): Promise<InstalledModel | undefined> {
  const wanted = hashesOf(files)
  for (const model of models) {
    const { origin } = model.manifest
    if (origin?.converter !== CONVERTER_SHA256 || hashesOf(origin.files) !== wanted) continue
    if (await isWhole(model, wrongHashes)) return model
  }
  return undefined
}

/**
 * Whether the model of `manifest` is `present` and undamaged. Throws `conflict` when another model has its name; returns false for
 * the same model from another converter or an earlier catalogue, which is then replaced.
 */
export async function isSame(
  present: InstalledModel,
  manifest: ModelManifest,
  isBuiltIn: boolean,
  wrongHashes: ReadonlySet<string>,
): Promise<boolean> {
  if (present.hash !== modelHash(manifest)) {
    if (!isBuiltIn && isRemade(present.manifest, manifest)) return false
    throw new Failure(
      'conflict',
      message(isBuiltIn ? 'model-named-as-built-in' : 'model-named-already', { model: manifest.id }),
    )
  }
  return isBuiltIn || isWhole(present, wrongHashes)
}

function isRemade({ origin: before }: ModelManifest, { origin }: ModelManifest): boolean {
  if (before === undefined || origin === undefined) return false
  if (origin.hash === 'computed' || before.hash === 'computed') return hashesOf(before.files) === hashesOf(origin.files)
  return true
}

async function isWhole(model: InstalledModel, wrongHashes: ReadonlySet<string>): Promise<boolean> {
  return !wrongHashes.has(model.manifest.id) && (await verifyFiles(model)).every((file) => file.ok)
}

/** The hashes of the files, without their names, for comparing contents. */
function hashesOf(files: readonly ModelFile[]): string {
  return files
    .map(({ sha256 }) => sha256)
    .toSorted()
    .join(' ')
}
