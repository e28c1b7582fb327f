/** Units: ranges of nonces that the network leases to one rig. */
import { z } from 'zod'
import { decimal, hex64, utcMilliseconds } from '../domain/bytes'
import { tierName } from '../domain/tiers'
import { deviceName, epochNumber, macsPerSecond, networkKey } from './bounds'
import { signedSchema } from './signed'

export const unitBody = z.object({
  network: networkKey,
  unit: z.number().int().min(0).max(0xffff_ffff),
  rig: hex64,
  epoch: epochNumber,
  tier: tierName,
  difficulty: decimal,
  issuedAt: utcMilliseconds,
  expiresAt: utcMilliseconds,
})
export type Unit = z.infer<typeof unitBody>
export const signedUnit = signedSchema(unitBody)

export const unitRequest = z.object({
  /** the rig's own name of the device, so that each device climbs its own ramp */
  device: deviceName,
  tier: tierName,
  /** measured on this tier */
  macsPerSecond: macsPerSecond.gt(0),
})
export type UnitRequest = z.infer<typeof unitRequest>
