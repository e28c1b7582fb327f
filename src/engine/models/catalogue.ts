/** The catalogue that comes with Lode, or the one that LODE_CATALOGUE names. */
import { readFileSync } from 'node:fs'
import { catalogue, type Catalogue, type CatalogueEntry } from '#shared/domain/catalogue'
import { describeParseError, Failure } from '#shared/domain/errors'

/** Throws a Failure `invalid-input` that names the file and what is wrong with it. */
export function readCatalogue(file: string): Catalogue {
  const fix = 'Correct the file, or leave LODE_CATALOGUE out to use the catalogue that comes with Lode.'
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    throw new Failure('invalid-input', `the catalogue ${file} ${what}`, fix)
  }
  const parsed = catalogue.safeParse(value)
  if (!parsed.success)
    throw new Failure('invalid-input', `the catalogue ${file} is wrong: ${describeParseError(parsed.error)}`, fix)
  return parsed.data
}

/** Throws a Failure `not-found` for an id that the catalogue does not have. */
export function entryOf({ models }: Catalogue, id: string): CatalogueEntry {
  const entry = models.find((one) => one.id === id)
  if (!entry)
    throw new Failure(
      'not-found',
      `there is no model ${id} in the catalogue`,
      'See the catalogue for what there is: models catalogue.',
    )
  return entry
}
