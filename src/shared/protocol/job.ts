/** Useful jobs: how a rig asks for one, what it is offered, and what it delivers. */
import { z } from 'zod'
import { hex64 } from '../domain/bytes'
import { macFormula } from '../domain/manifest'
import type { EncodedInput } from '../domain/encoded-input'
import { jobEvidence, jobKind, jobOutput, jobSizes, type JobKind } from '../domain/job'
import { signedSchema } from './signed'

/** A job that a rig has leased. */
export interface JobOffer {
  id: string
  kind: JobKind
  /** SHA-256 of the model manifest's file list: see `modelHash` */
  model: string
  input: EncodedInput
  epoch: number
  /** UTC ms */
  leaseExpiresAt: number
  /** the first is 1 */
  attempt: number
  /** UTC ms by which it must be done; absent: no deadline */
  deadline?: number
}

/** Signed by the rig. Output and evidence travel beside it and are bound by their hashes. */
export const jobResultBody = z.object({
  network: z.string(),
  rig: hex64,
  job: z.uuid(),
  kind: jobKind,
  model: hex64,
  inputHash: hex64,
  outputHash: hex64,
  evidenceHash: hex64,
  sizes: jobSizes,
  milliseconds: z.number().nonnegative(),
})
export type JobResult = z.infer<typeof jobResultBody>
export const signedJobResult = signedSchema(jobResultBody)

export const jobDelivery = z.object({ result: signedJobResult, output: jobOutput, evidence: jobEvidence })
export type JobDelivery = z.infer<typeof jobDelivery>

export const jobRequest = z.object({
  rig: hex64,
  /** the models that this rig can run now, the preferred first; `usualMilliseconds`: the measured time of a job of the model */
  models: z.array(
    z.object({ kind: jobKind, model: hex64, macFormula, usualMilliseconds: z.number().nonnegative().optional() }),
  ),
  /** whether the rig also takes synthetic jobs, or only jobs that somebody asked for */
  samples: z.boolean(),
})
export type JobRequest = z.infer<typeof jobRequest>
