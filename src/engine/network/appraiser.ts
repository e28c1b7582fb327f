/** The appraiser of an embedded coordinator: the verifier process, with the models that are installed on this computer. */
import type { Appraiser } from '#coordinator/coordinator'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { VerifierClient } from '../workers'

/** `installedModel`: the model of that hash, where its files are here and whole. */
export function createAppraiser(
  verifier: Pick<VerifierClient, 'appraise'>,
  installedModel: (hash: string) => InstalledModel | undefined,
): Appraiser {
  return {
    appraise: async ({ model: hash, input, output, evidence }) => {
      const model = installedModel(hash)
      if (!model) {
        const message = `The files of model ${hash.slice(0, 12)} are not on the computer that checks results.`
        return { state: 'unavailable', message }
      }
      return verifier.appraise({ model, input: input.text, output, evidence })
    },
  }
}
