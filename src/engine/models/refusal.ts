/** The failures of models that are refused, not replaced or not used: with the file and what to do. */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { JobKind } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'

/** The message names the file, relative to the folder that was given. */
export function refused(words: Message): Failure {
  return new Failure('model-refused', words)
}

/** A model is not replaced while it has jobs. */
export function hasJobsFailure({ manifest }: InstalledModel): Failure {
  return new Failure('conflict', message('model-has-jobs', { model: manifest.name }))
}

/** Why no model can take a job of a kind. */
export function noModelFailure(
  kind: JobKind,
  candidates: readonly InstalledModel[],
  ofKind: readonly InstalledModel[],
  id: string | undefined,
): Failure {
  const [damaged] = ofKind
  if (damaged) return new Failure('not-found', message('model-files-damaged', { model: damaged.manifest.name }))
  const [other] = candidates
  if (id !== undefined && other) {
    return new Failure(
      'invalid-input',
      message('job-model-kind', { model: other.manifest.name, kind: other.manifest.kind, wanted: kind }),
    )
  }
  return new Failure('not-found', message('model-none-for-kind', { kind }))
}
