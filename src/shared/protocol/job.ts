/** Useful jobs: how a rig asks for one, what it is offered, and what it delivers. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { EncodedInput } from '../domain/encoded-input'
import { jobEvidence, jobInput, jobKind, jobOutput } from '../domain/job'
import { epochNumber, MAX_INPUT_CHARACTERS, MAX_OFFERED_MODELS, milliseconds, networkKey } from './bounds'
import { modelFactor } from './parameters'
import { signedSchema } from './signed'

/** As JSON has it. The receiver parses the text and encodes it for itself: kind and hash must be those that are stated. */
const serializedInput = z
  .object({ kind: jobKind, text: z.string().max(MAX_INPUT_CHARACTERS), hash: hex64 })
  .transform(({ kind, text, hash }, context) => {
    const encoded = parsedInput(text)
    if (encoded?.kind === kind && encoded.hash === hash) return encoded
    context.addIssue({ code: 'custom', message: 'not an encoded input' })
    return z.NEVER
  })

function parsedInput(text: string): EncodedInput | undefined {
  try {
    const parsed = jobInput.safeParse(JSON.parse(text))
    return parsed.success ? EncodedInput.tryOf(parsed.data) : undefined
  } catch {
    return undefined // no JSON
  }
}

/** A job's input. Inside one process it passes as it is: it was parsed where it was encoded. */
const encodedInput = z.union([z.custom<EncodedInput>((value) => value instanceof EncodedInput), serializedInput])

/** A job that a rig has leased. */
export const jobOffer = z.object({
  id: z.uuid(),
  kind: jobKind,
  /** SHA-256 of the model manifest's file list: see `modelHash` */
  model: hex64,
  input: encodedInput,
  epoch: epochNumber,
  /** what its work counts by, where that is not what the parameters say */
  factor: modelFactor.optional(),
  leaseExpiresAt: utcMilliseconds,
  /** the first is 1 */
  attempt: z.number().int().min(1).max(1000),
  /** UTC ms by which it must be done; absent: there is time */
  deadline: utcMilliseconds.optional(),
})
export type JobOffer = z.infer<typeof jobOffer>

/** A job that a buyer gives. `id`: the buyer's choice; the same id with the same work again changes nothing. */
export const newJob = z.object({
  id: z.uuid(),
  input: encodedInput,
  /** hash of the model */
  model: hex64,
  /** UTC ms by which it must be done; absent: there is time */
  deadline: utcMilliseconds.optional(),
})
export type NewBuyerJob = z.infer<typeof newJob>

/** Signed by the rig. Output and evidence travel beside it and are bound by their hashes. */
export const jobResultBody = z.object({
  network: networkKey,
  rig: hex64,
  job: z.uuid(),
  kind: jobKind,
  model: hex64,
  inputHash: hex64,
  outputHash: hex64,
  evidenceHash: hex64,
  milliseconds,
})
export type JobResult = z.infer<typeof jobResultBody>
export const signedJobResult = signedSchema(jobResultBody)

export const jobDelivery = z.object({ result: signedJobResult, output: jobOutput, evidence: jobEvidence })
export type JobDelivery = z.infer<typeof jobDelivery>

export const jobRequest = z.object({
  /** hashes of the models that this rig can run now, the preferred first; `usualMilliseconds`: the measured time of a job of the model */
  models: z.array(z.object({ model: hex64, usualMilliseconds: milliseconds.optional() })).max(MAX_OFFERED_MODELS),
  /** whether the rig also takes synthetic jobs, or only jobs that somebody asked for */
  samples: z.boolean(),
})
export type JobRequest = z.infer<typeof jobRequest>
