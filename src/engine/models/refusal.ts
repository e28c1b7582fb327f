/** Refusals of a model folder: always with the file at fault and what to do about it. */
import { Failure } from '#shared/domain/errors'

/** `file` is relative to the folder that was given. */
export function refused(file: string, problem: string, action: string): Failure {
  return new Failure('model-refused', `${file} ${problem}`, action)
}

export const GET_AGAIN = 'Get the model again from where it came from, then add its folder again.'
