/** Refusals: expected answers of the network, a code from the closed list with a sentence. */
import { sentenceOf } from '#shared/protocol/bounds'
import type { Refusal, RefusalCode } from '#shared/protocol/refusal'
import { isGenuine, objectId, type Signed, type SignatureVerifier, type SignedType } from '#shared/domain/signed'

export interface Refused {
  ok: false
  refusal: Refusal
}

/** A refusal with its code and sentence. */
export function refuse(code: RefusalCode, message: string): Refused {
  return { ok: false, refusal: { code, message: sentenceOf(message) } }
}

/** As `isGenuine`; false for an object without a canonical form (strings that are not Unicode). */
export function isSignedBy(
  type: SignedType,
  signed: Signed<unknown>,
  verifier: SignatureVerifier,
  key: string,
): boolean {
  try {
    return isGenuine(type, signed, verifier, key)
  } catch {
    return false
  }
}

/** SHA-256 of the canonical form; undefined for a value without one. */
export function hashOf(value: unknown): string | undefined {
  try {
    return objectId(value)
  } catch {
    return undefined
  }
}
