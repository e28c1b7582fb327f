/** Drivers that a person added: libraries of others, which run only after approval and only in processes of their own. */
import { z } from 'zod'
import { hex64 } from '#shared/domain/bytes'
import { driverManifest } from '#shared/domain/driver'
import { driverChecks } from '#shared/domain/driver-checks'
import { messageSchema } from '#shared/domain/messages'
import { nothing } from './common'
import { deviceKind } from './devices'
import { procedure } from './rpc'

export const driverState = z.enum(['checking', 'ready', 'quarantined', 'changed', 'unsupported'])

export const driverRow = driverManifest
  .pick({ name: true, vendor: true, version: true, licence: true, sha256: true, platforms: true })
  .extend({
    state: driverState,
    /** why it does not work; absent: it is ready */
    reason: messageSchema.optional(),
    devices: z.array(z.object({ id: z.string(), name: z.string(), kind: deviceKind })),
  })
export type DriverRow = z.infer<typeof driverRow>

/** The latest conformance check of a driver. */
export const keptDriverCheck = z.object({
  name: z.string(),
  /** of the library that was checked */
  sha256: hex64,
  /** UTC ms */
  at: z.number(),
  ok: z.boolean(),
  checks: z.array(z.object({ id: z.enum(driverChecks), ok: z.boolean(), detail: z.string() })),
  macsPerSecond: z.number().nullable(),
})
export type KeptDriverCheck = z.infer<typeof keptDriverCheck>

const driverName = z.object({ name: z.string().max(40) })
const driverPath = z.object({ path: z.string().min(1).max(4096) })

export const driverProcedures = {
  'drivers.list': procedure(nothing, z.array(driverRow)),
  /** what a folder's manifest says, with the library's hash compared; nothing of the driver runs */
  'drivers.inspect': procedure(driverPath, driverManifest),
  /** copies it into the store and tries it; `sha256` is the hash of the library that the person approved */
  'drivers.add': procedure(driverPath.extend({ sha256: hex64 }), driverRow),
  'drivers.remove': procedure(driverName, nothing),
  /** ends a quarantine: the driver is tried again */
  'drivers.retry': procedure(driverName, driverRow),
  /** the conformance kit, in processes of its own; takes some minutes */
  'drivers.check': procedure(driverName, keptDriverCheck),
  'drivers.checks': procedure(nothing, z.array(keptDriverCheck)),
}
export const driverEvents = { 'drivers.changed': z.array(driverRow) }
