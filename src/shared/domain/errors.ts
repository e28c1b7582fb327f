/** Expected failures: values with a code from a closed list, a sentence, and what to do about it. Bugs are thrown as they are. */
import { z } from 'zod'

export const failureCodes = [
  'wrong-usage', // options or arguments that cannot be understood; the command exits with 2
  'invalid-input', // a file, text or parameter that a job or setting cannot take
  'not-found',
  'conflict', // the state does not allow it now
  'cancelled',
  'unauthorized',
  'unavailable', // a worker, engine or network that does not answer
  'already-running',
  'not-running',
  'data-folder', // cannot be read or written
  'ledger-damaged',
  'ledger-newer',
  'model-refused',
  'address-refused',
  'device-unavailable',
  'driver-fault', // a vendor's driver, or a graphics driver, crashed, hung or computed wrongly: its devices are quarantined
  'out-of-memory', // the memory of a device ran out in the middle of a job
  'network-refused',
  'unsupported-node',
  'internal',
] as const
export const failureCode = z.enum(failureCodes)
export type FailureCode = z.infer<typeof failureCode>

export const failureSchema = z.object({ code: failureCode, message: z.string(), action: z.string() })
export type FailureValue = z.infer<typeof failureSchema>

/** An expected failure, thrown to the caller. `action` says what the person can do. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly action: string

  constructor(code: FailureCode, message: string, action = '') {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.action = action
  }

  toValue(): FailureValue {
    return { code: this.code, message: this.message, action: this.action }
  }

  static from(value: FailureValue): Failure {
    return new Failure(value.code, value.message, value.action)
  }
}

/** The failure value for anything thrown: the failure itself, or "internal" for a bug. */
export function toFailureValue(error: unknown): FailureValue {
  if (error instanceof Failure) return error.toValue()
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'internal', message, action: 'This is a fault in Lode. Its log has the details.' }
}

/** One line from a zod error: the first problem with its path. */
export function describeParseError(error: z.ZodError): string {
  const issue = error.issues[0]
  if (!issue) return 'not understood'
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message
}
