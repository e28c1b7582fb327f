/** The failures of models that are refused, not replaced or not used: with the file and what to do. */
import { Failure } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'

/** `file` is relative to the folder that was given. */
export function refused(file: string, problem: string, action: string): Failure {
  return new Failure('model-refused', `${file} ${problem}`, action)
}

export const GET_AGAIN = 'Get the model again from where it came from, then add its folder again.'

/** A model is not replaced while it has jobs. */
export function hasJobsFailure({ manifest }: InstalledModel): Failure {
  return new Failure(
    'conflict',
    `${manifest.name} was to be made anew, but has jobs now`,
    'Wait until they are done, or pause mining, then add it again.',
  )
}

/** Why no model can take a job of a kind. */
export function noModelFailure(
  kind: JobKind,
  candidates: readonly InstalledModel[],
  ofKind: readonly InstalledModel[],
  id: string | undefined,
): Failure {
  const [damaged] = ofKind
  if (damaged)
    return new Failure(
      'not-found',
      `the files of ${damaged.manifest.name} are damaged or missing`,
      'Add its folder again.',
    )
  const [other] = candidates
  if (id !== undefined && other) {
    return new Failure(
      'invalid-input',
      `${other.manifest.name} is a model for ${other.manifest.kind}, not for ${kind}`,
      `Choose a model for ${kind}.`,
    )
  }
  return new Failure('not-found', `there is no model for ${kind}`, 'Add a model folder first: models add DIR.')
}
