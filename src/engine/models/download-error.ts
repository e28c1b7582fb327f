/** Why a source did not give a file. */

/**
 * `absent`: the source does not exist on this computer. `passing`: it may work later. `refused`: it works and has
 * something else, so asking again cannot help.
 */
export type SourceErrorKind = 'absent' | 'passing' | 'refused'

/** What is wrong with one source of a file; the next source is tried. Its message is a clause without a full stop. */
export class SourceError extends Error {
  readonly kind: SourceErrorKind
  /** the server asked for this much patience */
  readonly retryAfterMilliseconds: number | null

  constructor(kind: SourceErrorKind, message: string, retryAfterMilliseconds: number | null = null) {
    super(message)
    this.name = 'SourceError'
    this.kind = kind
    this.retryAfterMilliseconds = retryAfterMilliseconds
  }
}

/** The whole file came, and is not the one that was expected. It is thrown away. */
export class WrongHashError extends SourceError {
  constructor() {
    super('refused', 'its SHA-256 is not the one that was expected; it was thrown away')
  }
}
