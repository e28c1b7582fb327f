/** A job's input together with its one encoding: made where the input enters the engine, then stored, hashed and sent as it is. */
import { utf8ToBytes } from './bytes'
import { jobInput, type JobInput, type JobKind } from './job'
import { canonicalText, sha256Hex } from './signed'

/** Immutable. An input may have 32 MiB: whoever needs its text or its hash takes them from here. */
export class EncodedInput {
  readonly kind: JobKind
  /** JSON: the canonical form (RFC 8785), or the text that an earlier version stored */
  readonly text: string
  /** SHA-256 of the canonical form, hex */
  readonly hash: string
  #value: JobInput | undefined

  private constructor(kind: JobKind, text: string, hash: string, value?: JobInput) {
    this.kind = kind
    this.text = text
    this.hash = hash
    this.#value = value
  }

  /** Encodes an input that was parsed. Throws for a text that is not Unicode (half of a surrogate pair): it has no canonical form. */
  static of(value: JobInput): EncodedInput {
    const text = canonicalText(value)
    return new EncodedInput(value.kind, text, sha256Hex(utf8ToBytes(text)), value)
  }

  /** As `of`; undefined where it throws. */
  static tryOf(value: JobInput): EncodedInput | undefined {
    try {
      return EncodedInput.of(value)
    } catch {
      return undefined
    }
  }

  /** An input as a database keeps it. `hash`: what `of` computed when it was stored. */
  static stored({ kind, text, hash }: { kind: JobKind; text: string; hash: string }): EncodedInput {
    return new EncodedInput(kind, text, hash)
  }

  /** The input itself. A stored one is parsed the first time; throws when the text is no input. */
  get value(): JobInput {
    this.#value ??= jobInput.parse(JSON.parse(this.text))
    return this.#value
  }
}
