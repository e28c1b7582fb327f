/** Why a source did not give a file. */
import { inEnglish, message, type Message } from '#shared/domain/messages'

/**
 * `absent`: the source does not exist on this computer. `passing`: it may work later. `refused`: it works and does
 * not have the file, so asking again cannot help.
 */
export type SourceErrorKind = 'absent' | 'passing' | 'refused'

/** An error of one source of a file; the next source is tried. */
export class SourceError extends Error {
  readonly kind: SourceErrorKind
  readonly words: Message
  /** the wait that the server asked for; null: none */
  readonly retryAfterMilliseconds: number | null

  constructor(kind: SourceErrorKind, words: Message, retryAfterMilliseconds: number | null = null) {
    super(inEnglish.text(words))
    this.name = 'SourceError'
    this.kind = kind
    this.words = words
    this.retryAfterMilliseconds = retryAfterMilliseconds
  }
}

/** The complete file has another hash than expected. It is removed. */
export class WrongHashError extends SourceError {
  constructor() {
    super('refused', message('source-wrong-hash'))
  }
}
