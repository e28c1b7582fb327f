import { z } from 'zod'
import { certainty, decimal, energy, money, nothing } from './common'
import { jobKind } from '#shared/domain/job'
import { verification } from '../protocol/receipt'
import { creditState } from '#shared/domain/states'
import { procedure } from './rpc'

export const earningsPeriod = z.enum(['today', '7d', '30d', 'all'])
export type EarningsPeriod = z.infer<typeof earningsPeriod>

/** A line of `lode ledger export`, exactly. */
export const creditLine = z.object({
  id: z.string(),
  /** ISO 8601, UTC */
  at: z.string(),
  network: z.string(),
  rig: z.string(),
  device: z.string(),
  kind: z.enum(['share', 'job']),
  /** id of the signed share or job result */
  ref: z.string(),
  macs: decimal,
  factorMilli: decimal,
  creditMacs: decimal,
  state: creditState,
  reason: z.string().optional(),
  /** id of the receipt */
  receipt: z.string().nullable(),
  /** the model of a job, the tier of a share */
  model: z.string(),
  /** joules that the work took; null: not known */
  joules: z.number().nullable(),
  joulesCertainty: certainty.nullable(),
  milliseconds: z.number().nullable(),
  /** of a chat or of embeddings: read and generated */
  tokensIn: z.number().int().nullable(),
  tokensOut: z.number().int().nullable(),
})
export type CreditLine = z.infer<typeof creditLine>

const lostCredits = z.object({
  count: z.number().int(),
  reasons: z.array(z.object({ reason: z.string(), count: z.number().int() })),
})

export const funnel = z.object({
  period: earningsPeriod,
  /** all credits of the period, in any state */
  estimated: z.object({ creditMacs: decimal, count: z.number().int() }),
  submitted: z.object({ creditMacs: decimal, count: z.number().int() }),
  /** until the network has checked it */
  held: z.object({ creditMacs: decimal, count: z.number().int() }),
  accepted: z.object({ creditMacs: decimal, count: z.number().int() }),
  refused: lostCredits,
  forfeited: lostCredits,
})
export type Funnel = z.infer<typeof funnel>

export const dayRow = z.object({
  /** local date, YYYY-MM-DD */
  day: z.string(),
  creditMacs: decimal,
  proofMacs: decimal,
  jobMacs: z.record(jobKind, decimal),
  energy,
  electricityCost: money.nullable(),
})
export type DayRow = z.infer<typeof dayRow>

export const creditRow = creditLine.extend({
  verification: verification.nullable(),
  deviceName: z.string(),
  /** the amount that was announced for the epoch, if the receipt has another one; null: the receipt has the announced amount */
  disputed: z.object({ factorMilli: decimal, creditMacs: decimal }).nullable(),
})
export type CreditRow = z.infer<typeof creditRow>

export const verifyReport = z.object({
  ok: z.boolean(),
  credits: z.number().int(),
  receipts: z.number().int(),
  creditMacs: decimal,
  problems: z.array(z.string()),
})
export type VerifyReport = z.infer<typeof verifyReport>

export const earningsProcedures = {
  'earnings.funnel': procedure(z.object({ period: earningsPeriod }), funnel),
  'earnings.days': procedure(z.object({ period: earningsPeriod }), z.array(dayRow)),
  'earnings.credits': procedure(
    z.object({ offset: z.number().int().min(0), limit: z.number().int().min(1).max(500) }),
    z.object({ total: z.number().int(), rows: z.array(creditRow) }),
  ),
  /** UTC ms bounds, `to` exclusive. Whole export as text; the command line streams instead. */
  'earnings.export': procedure(
    z.object({ format: z.enum(['json', 'csv']), from: z.number().optional(), to: z.number().optional() }),
    z.object({ fileName: z.string(), text: z.string() }),
  ),
  'ledger.verify': procedure(nothing, verifyReport),
}
export const earningsEvents = { 'credit.changed': creditRow }
