/** Signed objects as version 0.1.0 made them: over "lode/<type>/v1\0", with the network's name in their bodies. */
import { concatBytes, utf8ToBytes } from '#shared/domain/bytes'
import { canonicalBytes, objectId, type Signed, type SignedType, type Signer } from '#shared/domain/signed'

export function signFirstVersion<T>(type: SignedType, body: T, signer: Signer): Signed<T> {
  const message = concatBytes(utf8ToBytes(`lode/${type}/v1\0`), canonicalBytes(body))
  return { body, id: objectId(body), key: signer.publicKeyHex, signature: signer.sign(message) }
}
