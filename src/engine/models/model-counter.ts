/** Counts installed models for the practice network: nothing that decides credit is taken from a manifest. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { MacFormula } from '#shared/domain/manifest'
import type { VerifierClient } from '../workers'
import { verifyFiles } from './installed-model'
import type { ModelStore } from './store'

export interface CountedModel {
  kind: MacFormula['kind']
  name: string
  /** tokens; 0 where it does not apply */
  context: number
  macFormula: MacFormula
}

/**
 * Reads the files of an installed model again, and has its graph counted by the verifier. Undefined: no such model is ready.
 * Rejects with Failure `model-refused` for files that are not those of the hash, and as the verifier does.
 */
export function createModelCounter(
  models: Pick<ModelStore, 'usable'>,
  verifier: Pick<VerifierClient, 'probe'>,
): (hash: string) => Promise<CountedModel | undefined> {
  return async (hash) => {
    const model = models.usable().find((usable) => usable.hash === hash)
    if (!model) return undefined
    const changed = (await verifyFiles(model)).find(({ ok }) => !ok)
    if (changed) {
      const { name } = model.manifest
      throw new Failure('model-refused', message('model-file-changed', { file: changed.path, model: name }))
    }
    const { macFormula, context } = await verifier.probe(model)
    return { kind: macFormula.kind, name: model.manifest.name, context, macFormula }
  }
}
