/** Seals of credits: a changed bit anywhere in a row is found. They find bit rot; whoever owns the file can seal what he likes. */
import { canonicalBytes, sha256Hex } from '#shared/domain/signed'
import type { CreditState } from '#shared/domain/states'

/** `rejected` is the former word for `refused`: migration 6 leaves it in rows that were damaged, and a ledger before it has it. */
export type StoredCreditState = CreditState | 'rejected'

/** A credits row as it is stored. */
export interface CreditRecord {
  seq: bigint
  id: string
  at: bigint
  network: string
  rig: string
  epoch: bigint
  device: string
  work: bigint
  kind: 'share' | 'job'
  work_kind: 'proof' | 'chat' | 'embed' | 'ocr'
  ref: string
  macs: bigint
  factor_milli: bigint
  credit_macs: bigint
  state: StoredCreditState
  reason: string | null
  receipt: string | null
  seal: string
  /** of the seal's form; absent in a ledger before version 6: 1 */
  seal_version?: bigint
}

/** The form of the seals that are written now. */
export const SEAL_VERSION = 2n

/**
 * SHA-256 over all other columns of a credit, in the form that its seal's version says. The receipt's signature covers only
 * the network's figures; the seal also covers time, device and id. Version 1 covers the values in a fixed order; version 2
 * names each, its own version included. Empty for a version that this program does not know: no seal is.
 */
export function sealOf(credit: Omit<CreditRecord, 'seal'>): string {
  const { seq, id, at, network, rig, epoch, device, work, kind, work_kind, ref } = credit
  const { macs, factor_milli, credit_macs, state, reason, receipt, seal_version = 1n } = credit
  if (seal_version === 1n) {
    const numbers = [seq, at, epoch, work, macs, factor_milli, credit_macs].map(String)
    return sha256Hex(
      canonicalBytes([...numbers, id, network, rig, device, kind, work_kind, ref, state, reason, receipt]),
    )
  }
  if (seal_version !== 2n) return ''
  return sha256Hex(
    canonicalBytes({
      seal_version: '2',
      seq: String(seq),
      id,
      at: String(at),
      network,
      rig,
      epoch: String(epoch),
      device,
      work: String(work),
      kind,
      work_kind,
      ref,
      macs: String(macs),
      factor_milli: String(factor_milli),
      credit_macs: String(credit_macs),
      state,
      reason,
      receipt,
    }),
  )
}

/** Whether the row is as it was when it was sealed. */
export function isSealed(credit: CreditRecord): boolean {
  return sealOf(credit) === credit.seal
}

/** The state in the word of today. */
export function creditStateOf({ state }: Pick<CreditRecord, 'state'>): CreditState {
  return state === 'rejected' ? 'refused' : state
}
