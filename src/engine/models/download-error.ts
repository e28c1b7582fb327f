/** Why a source did not give a file. */

/**
 * `absent`: the source does not exist on this computer. `passing`: it may work later. `refused`: it works and does
 * not have the file, so asking again cannot help.
 */
export type SourceErrorKind = 'absent' | 'passing' | 'refused'

/** An error of one source of a file; the next source is tried. Its message is a clause without a full stop. */
export class SourceError extends Error {
  readonly kind: SourceErrorKind
  /** the wait that the server asked for; null: none */
  readonly retryAfterMilliseconds: number | null

  constructor(kind: SourceErrorKind, message: string, retryAfterMilliseconds: number | null = null) {
    super(message)
    this.name = 'SourceError'
    this.kind = kind
    this.retryAfterMilliseconds = retryAfterMilliseconds
  }
}

/** The complete file has another hash than expected. It is removed. */
export class WrongHashError extends SourceError {
  constructor() {
    super('refused', 'its SHA-256 is not the one that was expected; it was thrown away')
  }
}
