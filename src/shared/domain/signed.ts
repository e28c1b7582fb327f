/** Signed objects (protocol.md §5): RFC 8785 canonical JSON, Ed25519 over "lode/<type>/v1\0" ‖ bytes, id = SHA-256 of those bytes. */
import { sha256 } from '@noble/hashes/sha2.js'
import canonicalize from 'canonicalize'
import { bytesToHex, concatBytes, utf8ToBytes } from './bytes'

export type SignedType =
  | 'parameters'
  | 'listing'
  | 'epoch'
  | 'unit'
  | 'share'
  | 'job-result'
  | 'receipt'
  | 'hello'
  | 'address'
  | 'benchmark'

/** Ed25519, injected: Node's and WebCrypto's implementations fit. Keys and signatures are lower-case hex. */
export interface SignatureVerifier {
  verify(publicKeyHex: string, message: Uint8Array, signatureHex: string): boolean
}
export interface Signer {
  readonly publicKeyHex: string
  sign(message: Uint8Array): string
}

export interface Signed<T> {
  readonly body: T
  /** SHA-256 of the canonical bytes, hex */
  readonly id: string
  /** who signed, hex public key */
  readonly key: string
  readonly signature: string
}

/** RFC 8785 form of a JSON value. Throws for values that JSON does not have (bigint, undefined at the root) and for strings that are not Unicode. */
export function canonicalText(body: unknown): string {
  const text = canonicalize(body)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}

/** UTF-8 bytes of the RFC 8785 form; throws as `canonicalText`. */
export function canonicalBytes(body: unknown): Uint8Array {
  return utf8ToBytes(canonicalText(body))
}

/** SHA-256 of bytes, hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes))
}

/** The id of an object: SHA-256 of its canonical bytes, hex. Throws as `canonicalText`. */
export function objectId(body: unknown): string {
  return sha256Hex(canonicalBytes(body))
}

function message(type: SignedType, bytes: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`lode/${type}/v1\0`), bytes)
}

/** Signs a body. Throws as `canonicalText`. */
export function signObject<T>(type: SignedType, body: T, signer: Signer): Signed<T> {
  const bytes = canonicalBytes(body)
  return { body, id: sha256Hex(bytes), key: signer.publicKeyHex, signature: signer.sign(message(type, bytes)) }
}

/** Whether id, key and signature all belong to the body. `key`: who must have signed, if known. */
export function isGenuine(
  type: SignedType,
  signed: Signed<unknown>,
  verifier: SignatureVerifier,
  key?: string,
): boolean {
  if (key !== undefined && signed.key !== key) return false
  const bytes = canonicalBytes(signed.body)
  return sha256Hex(bytes) === signed.id && verifier.verify(signed.key, message(type, bytes), signed.signature)
}
