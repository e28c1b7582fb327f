import { canonicalBytes, sha256Hex } from '#shared/domain/signed'

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
  state: 'submitted' | 'accepted' | 'confirmed' | 'paid' | 'rejected'
  reason: string | null
  receipt: string | null
  seal: string
}

/**
 * SHA-256 over all other columns of a credit. The receipt's signature covers only the network's figures; the seal also
 * covers time, device and id, so that a changed bit anywhere in the row is found.
 */
export function sealOf(credit: Omit<CreditRecord, 'seal'>): string {
  const { seq, id, at, network, rig, epoch, device, work, kind, work_kind, ref } = credit
  const { macs, factor_milli, credit_macs, state, reason, receipt } = credit
  const numbers = [seq, at, epoch, work, macs, factor_milli, credit_macs].map(String)
  return sha256Hex(canonicalBytes([...numbers, id, network, rig, device, kind, work_kind, ref, state, reason, receipt]))
}
