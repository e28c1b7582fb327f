/**
 * What binds an epoch to those before it (protocol.md §5): the operator committed to a part of its seed before it knew the
 * other, and to the key that chooses what is checked before there was anything to check. Secrets, keys and ids are 32 bytes,
 * here as hex.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../domain/bytes'
import { sha256Hex } from '../domain/signed'
import { message, type Message } from '../domain/messages'
import type { Epoch } from './epoch'

/** SHA-256 of a secret or key: what an epoch says of it until it is published. */
export function commitmentOf(secret: string): string {
  return sha256Hex(hexToBytes(secret))
}

/** SHA-256("lode/closing/v2\0" ‖ id₁ ‖ … ‖ idₙ) over the ids of an epoch's receipts, to be added in ascending order. */
export function createClosingHash(): { add(receiptId: string): void; digest(): string } {
  const hash = sha256.create().update(utf8ToBytes('lode/closing/v2\0'))
  return {
    add: (receiptId) => void hash.update(hexToBytes(receiptId)),
    digest: () => bytesToHex(hash.digest()),
  }
}

/** SHA-256("lode/seed/v2\0" ‖ reveal ‖ closing). */
export function epochSeed(reveal: string, closing: string): string {
  return sha256Hex(concatBytes(utf8ToBytes('lode/seed/v2\0'), hexToBytes(reveal), hexToBytes(closing)))
}

/** What somebody knows of a network's epochs. Those of version 1 committed to nothing and are not among them. */
export interface KnownEpochs {
  /** the one with the highest number; null: none is known */
  readonly newest: Epoch | null
  /** null: that one is not known */
  numbered(number: number): Epoch | null
}

/**
 * What is wrong with an epoch, by those that are known; null: nothing. It completes "the network sent an epoch …". Both
 * parts of its seed, and every key that it publishes, are held to what was committed to where that is known. Who knows no
 * earlier epoch cannot tell whether one without a reveal is really the first.
 */
export function epochFault(epoch: Epoch, known: KnownEpochs): Message | null {
  return seedFault(epoch, known.newest) ?? checkKeysFault(epoch, known)
}

function seedFault({ number, seed, reveal, closing }: Epoch, newest: Epoch | null): Message | null {
  if (reveal !== undefined && seed !== epochSeed(reveal, closing)) return message('network-epoch-seed-wrong')
  if (newest === null) return null
  if (number <= newest.number) return message('network-epoch-number-used')
  if (reveal === undefined) return message('network-epoch-unbound')
  if (number === newest.number + 1 && commitmentOf(reveal) !== newest.commitment)
    return message('network-epoch-other-secret')
  return null
}

function checkKeysFault({ startsAt, checkKeys }: Epoch, known: KnownEpochs): Message | null {
  for (const { epoch, key } of checkKeys) {
    const earlier = known.numbered(epoch)
    if (earlier === null) continue
    if (commitmentOf(key) !== earlier.checkCommitment)
      return message('network-epoch-other-check-key', { epoch: String(epoch) })
    if (startsAt <= earlier.endsAt) return message('network-epoch-check-key-early', { epoch: String(epoch) })
  }
  return null
}
