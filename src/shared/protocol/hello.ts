/** How a rig introduces itself, and what the network answers. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { signedSchema } from './signed'
import type { signedParameters } from './parameters'
import type { signedEpoch } from './epoch'

export const helloBody = z.object({
  protocolVersion: z.number().int(),
  rig: hex64,
  network: z.string(),
  at: utcMilliseconds,
  devices: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      backends: z.array(z.string()),
      macsPerSecond: z.number().nonnegative().optional(),
    }),
  ),
})
export type Hello = z.infer<typeof helloBody>
export const signedHello = signedSchema(helloBody)

export interface Welcome {
  networkKey: string
  parameters: z.infer<typeof signedParameters>
  epoch: z.infer<typeof signedEpoch>
  /** published 60 s before it starts, so that weights can be prepared */
  nextEpoch?: z.infer<typeof signedEpoch>
  /** the coordinator's clock, UTC ms */
  now: number
}
