/** Epochs: the periods over which a network adds up credit. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { epochNumber, MAX_CHECK_KEYS, networkKey } from './bounds'
import { signedSchema } from './signed'

export const epochBody = z.object({
  network: networkKey,
  number: epochNumber,
  /** `epochSeed` of reveal and closing (epoch-chain.ts); drawn where there is no reveal */
  seed: hex64,
  startsAt: utcMilliseconds,
  endsAt: utcMilliseconds,
  /** id of the signed parameters in force */
  parameters: hex64,
  /** of the secret that the next epoch reveals */
  commitment: hex64,
  /** the secret that the epoch before committed to; absent in the first one, which follows no commitment */
  reveal: hex64.optional(),
  /** over the receipts of the epoch before: see `createClosingHash` */
  closing: hex64,
  /** of the key that chooses which results of this epoch are checked */
  checkCommitment: hex64,
  /** such keys of earlier epochs, once these and their grace were over when this one was announced */
  checkKeys: z.array(z.object({ epoch: epochNumber, key: hex64 })).max(MAX_CHECK_KEYS),
})
export type Epoch = z.infer<typeof epochBody>
export const signedEpoch = signedSchema(epochBody)
