import { Failure } from '#shared/domain/errors'

/** The text of an error for the log: the sentence of an expected failure, the stack of any other error. */
export function describeFault(error: unknown): string {
  return error instanceof Failure
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)
}
