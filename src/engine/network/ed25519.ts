/** Ed25519 with Node's own crypto: keys and signatures as lower-case hex (protocol.md §5). */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import type { SignatureVerifier, Signer } from '#shared/domain/signed'

/** DER before the 32 bytes of a private seed (RFC 8410, PKCS #8), and before those of a public key (SPKI). */
const PRIVATE_PREFIX = hexToBytes('302e020100300506032b657004220420')
const PUBLIC_PREFIX = hexToBytes('302a300506032b6570032100')

/** A new private key: its 32-byte seed, hex. */
export function generateKeySeed(random: (bytes: number) => Uint8Array): string {
  return bytesToHex(Uint8Array.from(random(32)))
}

/** Throws for anything but 64 hexadecimal digits. */
export function createSigner(privateKeySeedHex: string): Signer {
  const seed = hexToBytes(privateKeySeedHex)
  if (seed.length !== 32) throw new RangeError('a private key seed has 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKeyHex = spki.subarray(PUBLIC_PREFIX.length).toString('hex')
  return { publicKeyHex, sign: (message) => sign(null, message, key).toString('hex') }
}

/** False for a wrong signature and for a key or signature that is none. */
export const signatureVerifier: SignatureVerifier = {
  verify: (publicKeyHex, message, signatureHex) => {
    if (!/^[0-9a-f]{64}$/.test(publicKeyHex) || !/^[0-9a-f]{128}$/.test(signatureHex)) return false
    let key: KeyObject
    try {
      key = createPublicKey({
        key: Buffer.concat([PUBLIC_PREFIX, hexToBytes(publicKeyHex)]),
        format: 'der',
        type: 'spki',
      })
    } catch {
      return false // not a point of the curve
    }
    return verify(null, message, key, hexToBytes(signatureHex))
  },
}
