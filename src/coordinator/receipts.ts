/** The network's acknowledgement of work (protocol.md §1): the work, its credit, and how it was checked. */
import { creditMacs } from '#shared/domain/credit'
import type { Receipt, Verification } from '#shared/protocol/receipt'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'

/** The most that one receipt may credit: stores keep credit as signed 64-bit integers, with room to spare. */
export const MAX_CREDIT_MACS = 1n << 62n

export interface Work {
  network: string
  rig: string
  epoch: number
  kind: Receipt['kind']
  /** id of the signed share or job result */
  ref: string
  macs: bigint
  factorMilli: bigint
  verification: Verification
  acceptedAt: number
}

/** A signed receipt with creditMacs = ⌊macs × factorMilli / 1000⌋. */
export function signReceipt(work: Work, signer: Signer): Signed<Receipt> {
  const { macs, factorMilli, ...rest } = work
  const body: Receipt = {
    ...rest,
    macs: macs.toString(),
    factorMilli: factorMilli.toString(),
    creditMacs: creditMacs(macs, factorMilli).toString(),
  }
  return signObject('receipt', body, signer)
}

/** Whether stores can hold this much work. */
export function fitsStore(macs: bigint, factorMilli: bigint): boolean {
  return macs <= MAX_CREDIT_MACS && creditMacs(macs, factorMilli) <= MAX_CREDIT_MACS
}
