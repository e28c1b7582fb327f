/** Why a source did not give a file. */

/**
 * `absent`: the source does not exist on this computer. `passing`: it may work later. `refused`: it works and has
 * something else, so asking again cannot help.
 */
export type TroubleKind = 'absent' | 'passing' | 'refused'

/** Trouble with one source of a file; the next one is tried. Its message is a clause without a full stop. */
export class SourceTrouble extends Error {
  readonly kind: TroubleKind
  /** the server asked for this much patience */
  readonly retryAfterMilliseconds: number | null

  constructor(kind: TroubleKind, message: string, retryAfterMilliseconds: number | null = null) {
    super(message)
    this.name = 'SourceTrouble'
    this.kind = kind
    this.retryAfterMilliseconds = retryAfterMilliseconds
  }
}

/** The whole file came, and is not the one that was expected. It is thrown away. */
export class WrongHash extends SourceTrouble {
  constructor() {
    super('refused', 'its SHA-256 is not the one that was expected; it was thrown away')
  }
}
