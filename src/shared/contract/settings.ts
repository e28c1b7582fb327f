import { z } from 'zod'
import { messageSchema } from '#shared/domain/messages'
import { microMoney, nothing } from './common'
import { procedure } from './rpc'
import { throttle } from './throttle'

export const settings = z.object({
  rigName: z.string().trim().min(1).max(60),
  theme: z.enum(['system', 'light', 'dark']),
  /** millionths of `currency` a kilowatt hour; null: not known; an assumed price is used, and shown as assumed */
  pricePerKilowattHourMicros: microMoney.nullable(),
  currency: z.enum(['USD', 'EUR', 'GBP', 'CHF', 'CAD', 'AUD', 'JPY']),
  /** practice goes on beyond its hour */
  practiceKeepGoing: z.boolean(),
  /** synthetic jobs, at most a fifth of the time */
  samples: z.boolean(),
  /** whether mining fetches the default models of kinds that have no model; false: it mines without downloads */
  fetchModels: z.boolean(),
  /** the share of each device that mining may take, by the use of the computer */
  throttle,
})
export type Settings = z.infer<typeof settings>
export const settingsPatch = settings.partial()

export const addressType = z.enum(['evm', 'bitcoin', 'cosmos'])
export const addressCheck = z.object({
  ok: z.boolean(),
  type: addressType.nullable(),
  /** each check, in order; the first one that is not ok says what is wrong */
  checks: z.array(z.object({ ok: z.boolean(), words: messageSchema })),
  /** the address as it will be stored (EIP-55 capitals, lower-case bech32) */
  normalized: z.string().nullable(),
})
export type AddressCheck = z.infer<typeof addressCheck>
export const payoutAddress = z.object({
  address: z.string(),
  type: addressType,
  /** ISO 8601, UTC */
  effectiveAt: z.string(),
})
export type PayoutAddress = z.infer<typeof payoutAddress>
export const addressHistoryRow = payoutAddress.extend({ setAt: z.string(), replacedAt: z.string().nullable() })
export type AddressHistoryRow = z.infer<typeof addressHistoryRow>

export const trustItem = z.object({
  name: z.string(),
  kind: z.enum(['program', 'library', 'driver', 'model']),
  version: z.string(),
  sha256: z.string().nullable(),
  origin: z.string(),
  licence: z.string(),
})
export type TrustItem = z.infer<typeof trustItem>
export const about = z.object({
  version: z.string(),
  dataDir: z.string(),
  logFile: z.string().nullable(),
  nodeVersion: z.string(),
  platform: z.string(),
  /** plain sentences: what leaves this computer */
  sendsOut: z.array(z.string()),
  trust: z.array(trustItem),
})
export type About = z.infer<typeof about>

export const settingsProcedures = {
  'settings.get': procedure(nothing, settings),
  'settings.set': procedure(settingsPatch, settings),
  'address.check': procedure(z.object({ address: z.string().max(200) }), addressCheck),
  'address.show': procedure(nothing, payoutAddress.nullable()),
  /** `confirm`: the address's last six characters, capitals count */
  'address.set': procedure(z.object({ address: z.string().max(200), confirm: z.string().max(20) }), payoutAddress),
  'address.history': procedure(nothing, z.array(addressHistoryRow)),
  'about.get': procedure(nothing, about),
}
export const settingsEvents = { 'settings.changed': settings }
