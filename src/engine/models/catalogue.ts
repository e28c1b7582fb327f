/** The catalogue that comes with Lode, or the one that LODE_CATALOGUE names. */
import { readFileSync } from 'node:fs'
import { catalogue, type Catalogue, type CatalogueEntry } from '#shared/domain/catalogue'
import { describeParseError, Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

/** Throws a Failure `invalid-input` that names the file and what is wrong with it. */
export function readCatalogue(file: string): Catalogue {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Failure(
      'invalid-input',
      message(error instanceof SyntaxError ? 'catalogue-not-json' : 'catalogue-not-read', { file }),
    )
  }
  const parsed = catalogue.safeParse(value)
  if (!parsed.success)
    throw new Failure('invalid-input', message('catalogue-wrong', { file, fault: describeParseError(parsed.error) }))
  return parsed.data
}

/** Throws a Failure `not-found` for an id that the catalogue does not have. */
export function entryOf({ models }: Catalogue, id: string): CatalogueEntry {
  const entry = models.find((one) => one.id === id)
  if (!entry) throw new Failure('not-found', message('model-not-in-catalogue', { model: id }))
  return entry
}
