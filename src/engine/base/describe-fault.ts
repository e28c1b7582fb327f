import { Failure } from '#shared/domain/errors'

/** For the log: an expected failure's sentence, anything else with its stack. */
export function describeFault(error: unknown): string {
  return error instanceof Failure
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)
}
