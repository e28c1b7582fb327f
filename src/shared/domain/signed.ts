/** Signed objects (protocol.md §5): RFC 8785 canonical JSON, Ed25519 over "lode/<type>/v2\0" ‖ bytes, id = SHA-256 of those bytes. */
import { sha256 } from '@noble/hashes/sha2.js'
import canonicalize from 'canonicalize'
import { bytesToHex, concatBytes, hex64, utf8ToBytes } from './bytes'

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

/** What is signed now, and what the first version signed. */
type SignedVersion = 'v2' | 'v1'

function message(type: SignedType, version: SignedVersion, bytes: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`lode/${type}/${version}\0`), bytes)
}

/** Signs a body. Throws as `canonicalText`. */
export function signObject<T>(type: SignedType, body: T, signer: Signer): Signed<T> {
  const bytes = canonicalBytes(body)
  return { body, id: sha256Hex(bytes), key: signer.publicKeyHex, signature: signer.sign(message(type, 'v2', bytes)) }
}

/**
 * Whether id, key and signature all belong to the body, signed as this version signs: for what comes over a wire. `key`:
 * who must have signed, if known. Throws as `canonicalText`.
 */
export function isGenuine(
  type: SignedType,
  signed: Signed<unknown>,
  verifier: SignatureVerifier,
  key?: string,
): boolean {
  return isSignedAs(['v2'], type, signed, verifier, key)
}

/**
 * As `isGenuine`, for what a file keeps: objects of the first version are genuine for ever. The body says which version
 * must have signed it. The first one named the network by its name (there was one: "practice"), the present one names it
 * by its key. A body that names no network (benchmarks, addresses) is the same in both, and either may have signed it.
 */
export function isGenuineStored(
  type: SignedType,
  signed: Signed<unknown>,
  verifier: SignatureVerifier,
  key?: string,
): boolean {
  return isSignedAs(versionsOf(signed.body), type, signed, verifier, key)
}

/** Whether a network is named by its key, as this version does, and not by its name, as the first one did. */
export function isNetworkKey(network: unknown): boolean {
  return hex64.safeParse(network).success
}

function versionsOf(body: unknown): readonly SignedVersion[] {
  if (typeof body !== 'object' || body === null || !('network' in body)) return ['v2', 'v1']
  return isNetworkKey(body.network) ? ['v2'] : ['v1']
}

function isSignedAs(
  versions: readonly SignedVersion[],
  type: SignedType,
  signed: Signed<unknown>,
  verifier: SignatureVerifier,
  key: string | undefined,
): boolean {
  if (key !== undefined && signed.key !== key) return false
  const bytes = canonicalBytes(signed.body)
  if (sha256Hex(bytes) !== signed.id) return false
  return versions.some((version) => verifier.verify(signed.key, message(type, version, bytes), signed.signature))
}
