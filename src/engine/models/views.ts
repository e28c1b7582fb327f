/** The views of models for the screens and `lode`: the types of contract/models.ts are made here and nowhere else. */
import type { CatalogueRow, Download, Fit, ModelRow, ModelVerification, ModelView } from '#shared/contract/models'
import type { ModelState } from '#shared/domain/manifest'
import { hashOrigin, sourceWords, type CatalogueEntry } from '#shared/domain/catalogue'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { ModelTotal } from '../ledger'

/** `builtIn`: the model comes with Lode. */
export function modelView({ manifest, hash }: InstalledModel, state: ModelState, builtIn: boolean): ModelView {
  return { ...manifest, hash, state, builtIn, bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0) }
}

export function modelVerification(view: ModelView, files: ModelVerification['files']): ModelVerification {
  return { ...view, files }
}

/** `earned`: null: the model never had an accepted job. */
export function modelRow(view: ModelView, fit: Fit, earned: ModelTotal | null): ModelRow {
  return {
    ...view,
    fit,
    earned: {
      jobs: earned?.jobs ?? 0,
      creditMacs: String(earned?.creditMacs ?? 0n),
      lastAt: earned?.lastAt ?? null,
    },
  }
}

/** `chosenContext`: the tokens that `fit` is computed with; `download`: undefined: nothing of the model is fetched. */
export function catalogueRow(
  entry: CatalogueEntry,
  about: Pick<CatalogueRow, 'fit' | 'chosenContext' | 'installed'> & { download: Download | undefined },
): CatalogueRow {
  const { id, kind, name, description, licence, card, bytes, context, isDefault, files } = entry
  const largest = files.flatMap(({ sources }) => sources[0] ?? []).toSorted((a, b) => b.bytes - a.bytes)[0]
  return {
    id,
    kind,
    name,
    description,
    licence,
    card,
    bytes,
    context,
    isDefault,
    fit: about.fit,
    chosenContext: about.chosenContext,
    sources: [...new Set(files.flatMap(({ sources }) => sources.map(sourceWords)))],
    hash: hashOrigin(entry),
    sha256: largest?.sha256 ?? null,
    recommended: false,
    installed: about.installed,
    download: about.download ?? null,
  }
}
