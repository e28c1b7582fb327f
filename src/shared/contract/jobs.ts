import { z } from 'zod'
import { messageSchema } from '#shared/domain/messages'
import { certainty, decimal, energy, nothing, smallCost } from './common'
import { jobEvidence, jobInput, jobOutput, jobSizes } from '#shared/domain/job'
import { jobState, type JobState } from '#shared/domain/states'
import { verification } from '../protocol/receipt'
import { tierName } from '#shared/domain/tiers'
import { procedure } from './rpc'

/** A row of the Jobs table: a useful job or a proof share. */
export const workKind = z.enum(['chat', 'embed', 'ocr', 'proof'])
export type WorkKind = z.infer<typeof workKind>

export const workRow = z.object({
  id: z.string(),
  at: z.number(),
  kind: workKind,
  /** model name, or the tier of a proof */
  model: z.string(),
  deviceId: z.string().nullable(),
  origin: z.enum(['person', 'sample', 'network']),
  state: jobState,
  /** "1,840 + 710 tokens", numbers only here: in, out; null for proof */
  tokens: z.object({ input: z.number().int(), output: z.number().int() }).nullable(),
  macs: decimal.nullable(),
  creditMacs: decimal.nullable(),
  joules: z.number().nullable(),
  joulesCertainty: certainty.nullable(),
  /** at the price that is set now; null: the energy is not known */
  electricityCost: smallCost.nullable(),
  /** of a job: wall time inside the worker; of a share: the time spent on it */
  milliseconds: z.number().nullable(),
  verification: verification.nullable(),
  /** why it ended so; of refused work the refusal code stands in its words as it is */
  reason: messageSchema.nullable(),
})
export type WorkRow = z.infer<typeof workRow>

export const workFilter = z.object({
  kind: workKind.optional(),
  /** `rejected` is what `refused` was called in version 0.1 */
  state: z.union([jobState, z.literal('rejected').transform((): JobState => 'refused')]).optional(),
  deviceId: z.string().optional(),
  /** beginning of an id, digest or model */
  search: z.string().max(100).optional(),
})
export type WorkFilter = z.infer<typeof workFilter>

export const workDetail = workRow.extend({
  modelId: z.string().nullable(),
  modelHash: z.string().nullable(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  factorMilli: decimal.nullable(),
  sizes: jobSizes.nullable(),
  input: jobInput.nullable(),
  output: jobOutput.nullable(),
  evidence: jobEvidence.nullable(),
  creditId: z.string().nullable(),
  /** share only */
  digest: z.string().nullable(),
  nonce: decimal.nullable(),
  difficulty: decimal.nullable(),
  energy,
  /** when each state began */
  path: z.array(z.object({ state: jobState, at: z.number() })),
})
export type WorkDetail = z.infer<typeof workDetail>

export const jobSubmission = z.object({
  input: jobInput,
  /** model id; the first ready one of the kind when absent */
  model: z.string().optional(),
  /** the job fails unless it is done within this time; absent: no limit */
  withinSeconds: z.number().positive().max(86_400).optional(),
})

export const jobProcedures = {
  /** newest first; `total` counts all rows that the filter keeps */
  'jobs.page': procedure(
    z.object({ filter: workFilter, offset: z.number().int().min(0), limit: z.number().int().min(1).max(500) }),
    z.object({ total: z.number().int(), rows: z.array(workRow) }),
  ),
  'jobs.get': procedure(z.object({ id: z.string().max(100) }), workDetail),
  /** per kind since local midnight */
  'jobs.summary': procedure(
    nothing,
    z.array(
      z.object({
        kind: workKind,
        count: z.number().int(),
        macs: decimal,
        creditMacs: decimal,
        macsPerJoule: z.number().nullable(),
        joulesCertainty: certainty.nullable(),
        /** mean of those whose energy is known; null: of none */
        joulesPerJob: z.number().nullable(),
      }),
    ),
  ),
  /** returns as soon as the job is stored; follow it by `job.changed` and `job.token` */
  'jobs.submit': procedure(jobSubmission, z.object({ id: z.string() })),
  'jobs.cancel': procedure(z.object({ id: z.string().max(100) }), nothing),
}
/** A change of a proof share: it was found and stored, or answered. `code`: why the network refused it. */
export const shareChange = z.object({
  id: z.string(),
  nonce: decimal,
  tier: tierName,
  deviceId: z.string(),
  state: z.enum(['submitted', 'accepted', 'refused']),
  code: z.string().optional(),
})
export type ShareChange = z.infer<typeof shareChange>

export const jobEvents = {
  'share.changed': shareChange,
  'job.changed': workRow,
  'job.token': z.object({ id: z.string(), text: z.string(), index: z.number().int() }),
}
