/** Expected failures: values with a code from a closed list, and a message that says what is the case. Bugs are thrown as they are. */
import { z } from 'zod'
import { foreignWords, inEnglish, message, messageSchema, type Message } from './messages'

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

/**
 * On the wire and in files: the kind of the failure, and the message. A kind that this version does not know is `internal`.
 * Earlier versions wrote sentences, which are shown as they are.
 */
export const failureSchema = z.preprocess(
  withWords,
  z.object({ code: failureCode.catch('internal'), words: messageSchema }),
)
const sentences = z.object({ message: z.string(), action: z.string() })
function withWords(value: unknown): unknown {
  const former = sentences.safeParse(value)
  if (!former.success) return value
  const { message: what, action } = former.data
  const said = [what.replace(/\.$/, ''), action].filter((part) => part !== '').join('. ')
  return { ...(value as object), words: foreignWords(said) }
}
export type FailureValue = z.infer<typeof failureSchema>

/** An expected failure, thrown to the caller. `code`: its kind; `words`: what is the case, and what the person can do. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly words: Message

  constructor(code: FailureCode, words: Message) {
    super(inEnglish.text(words))
    this.name = 'Failure'
    this.code = code
    this.words = words
  }

  /** What the person can do, in English; empty: nothing. */
  get action(): string {
    return inEnglish.action(this.words)
  }

  toValue(): FailureValue {
    return { code: this.code, words: this.words }
  }

  static from(value: FailureValue): Failure {
    return new Failure(value.code, value.words)
  }
}

/** A failure that another process sent, whatever it sent. */
export function readFailure(value: unknown): Failure {
  const read = failureSchema.safeParse(value)
  return Failure.from(read.success ? read.data : { code: 'internal', words: message('message-not-read') })
}

/** The failure value for anything thrown: the failure itself, or "internal" for a bug. */
export function toFailureValue(error: unknown): FailureValue {
  if (error instanceof Failure) return error.toValue()
  return {
    code: 'internal',
    words: message('internal-error', { words: error instanceof Error ? error.message : String(error) }),
  }
}

/** What was thrown, as a message: the failure's own, or the error's words. */
export function messageOf(error: unknown): Message {
  if (error instanceof Failure) return error.words
  return foreignWords(error instanceof Error ? error.message : String(error))
}

/** A failure as the command prints it with `--json`. */
export function failureInEnglish({ code, words }: FailureValue): {
  code: FailureCode
  message: string
  action: string
} {
  return { code, message: inEnglish.text(words), action: inEnglish.action(words) }
}

/** One line from a zod error: the first problem with its path. */
export function describeParseError(error: z.ZodError): string {
  const issue = error.issues[0]
  if (!issue) return 'not understood'
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message
}
