/** Epochs: the periods over which a network adds up credit. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { epochNumber, networkKey } from './bounds'
import { signedSchema } from './signed'

export const epochBody = z.object({
  network: networkKey,
  number: epochNumber,
  seed: hex64,
  startsAt: utcMilliseconds,
  endsAt: utcMilliseconds,
  /** id of the signed parameters in force */
  parameters: hex64,
})
export type Epoch = z.infer<typeof epochBody>
export const signedEpoch = signedSchema(epochBody)
