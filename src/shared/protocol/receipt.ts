/** Receipts: the network's signed acknowledgement of one share or job. */
import { z } from 'zod'
import { decimal, hex64, utcMilliseconds } from '../domain/bytes'
import { epochNumber, networkKey } from './bounds'
import { signedSchema } from './signed'

export const verification = z.enum(['recomputed', 'known-answer', 'unchecked'])
export type Verification = z.infer<typeof verification>

/** Signed by the network: its acknowledgement of one share or job. */
export const receiptBody = z.object({
  network: networkKey,
  rig: hex64,
  epoch: epochNumber,
  kind: z.enum(['share', 'job']),
  /** the id of the signed share, or of the signed job result */
  ref: hex64,
  macs: decimal,
  factorMilli: decimal,
  creditMacs: decimal,
  verification,
  acceptedAt: utcMilliseconds,
})
export type Receipt = z.infer<typeof receiptBody>
export const signedReceipt = signedSchema(receiptBody)
