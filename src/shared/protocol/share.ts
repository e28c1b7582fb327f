/** Shares: nonces whose digest meets the difficulty of their unit. */
import { z } from 'zod'
import { decimal, hex64 } from '../domain/bytes'
import { tierName } from '../domain/tiers'
import { epochNumber, networkKey } from './bounds'
import { signedSchema } from './signed'

/** Signed by the rig. */
export const shareBody = z.object({
  network: networkKey,
  rig: hex64,
  epoch: epochNumber,
  tier: tierName,
  nonce: decimal,
  digest: hex64,
})
export type ShareSubmission = z.infer<typeof shareBody>
export const signedShare = signedSchema(shareBody)
