/** How a rig introduces itself, and what the network answers. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { deviceName, macsPerSecond, MAX_BACKENDS, MAX_DEVICES, MAX_NEW_LISTINGS, networkKey } from './bounds'
import { signedEpoch } from './epoch'
import { signedListing, signedParameters } from './parameters'
import { signedSchema } from './signed'

export const helloBody = z.object({
  protocolVersion: z.number().int().min(0).max(0xffff),
  rig: hex64,
  network: networkKey,
  at: utcMilliseconds,
  devices: z
    .array(
      z.object({
        id: deviceName,
        kind: z.string().max(40),
        backends: z.array(z.string().max(40)).max(MAX_BACKENDS),
        macsPerSecond: macsPerSecond.optional(),
      }),
    )
    .max(MAX_DEVICES),
})
export type Hello = z.infer<typeof helloBody>
export const signedHello = signedSchema(helloBody)

export const welcome = z.object({
  networkKey,
  parameters: signedParameters,
  /** models listed since the parameters were signed */
  listings: z.array(signedListing).max(MAX_NEW_LISTINGS),
  epoch: signedEpoch,
  /** published 60 s before it starts, so that weights can be prepared */
  nextEpoch: signedEpoch.optional(),
  /** the coordinator's clock, UTC ms */
  now: utcMilliseconds,
})
export type Welcome = z.infer<typeof welcome>
