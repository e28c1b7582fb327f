/** What rig and network say to each other (protocol.md §§1 to 3, 5, 6). Every object is parsed with these schemas where it arrives. */
import { z } from 'zod'
import { decimal, hex128, hex64, utcMilliseconds } from './bytes'
import { macFormula } from './card'
import { jobEvidence, jobInput, jobKind, jobOutput, jobSizes } from './job'
import { tierName } from './tiers'

export const PROTOCOL_VERSION = 1

/** A signed object around a body schema. */
export function signedSchema<T extends z.ZodType>(body: T) {
  return z.object({ body, id: hex64, key: hex64, signature: hex128 })
}

const factorMilli = z.number().int().min(0).max(1_000_000_000)
/** Prompt and generated work may count differently; embeddings and recognition use `prompt` only. */
export const modelFactor = z.object({ prompt: factorMilli, generated: factorMilli })
export type ModelFactor = z.infer<typeof modelFactor>

/** Announced before the epoch, signed by the network. */
export const networkParameters = z.object({
  network: z.string().min(1).max(64),
  protocolVersion: z.literal(PROTOCOL_VERSION),
  epochSeconds: z.number().int().min(10).max(86_400),
  shareIntervalSeconds: z.number().positive(),
  /** after an epoch's end, how long its shares are still taken */
  graceSeconds: z.number().int().nonnegative(),
  tierFactorsMilli: z.record(tierName, factorMilli),
  /** for models that `modelFactorsMilli` does not name */
  kindFactorsMilli: z.record(jobKind, modelFactor),
  /** by model hash */
  modelFactorsMilli: z.record(hex64, modelFactor),
})
export type NetworkParameters = z.infer<typeof networkParameters>
export const signedParameters = signedSchema(networkParameters)

export const epochBody = z.object({
  network: z.string(),
  number: z.number().int().nonnegative(),
  seed: hex64,
  startsAt: utcMilliseconds,
  endsAt: utcMilliseconds,
  /** id of the signed parameters in force */
  parameters: hex64,
})
export type Epoch = z.infer<typeof epochBody>
export const signedEpoch = signedSchema(epochBody)

export const unitBody = z.object({
  network: z.string(),
  unit: z.number().int().min(0).max(0xffff_ffff),
  rig: hex64,
  epoch: z.number().int().nonnegative(),
  tier: tierName,
  difficulty: decimal,
  issuedAt: utcMilliseconds,
  expiresAt: utcMilliseconds,
})
export type Unit = z.infer<typeof unitBody>
export const signedUnit = signedSchema(unitBody)

/** Signed by the rig. */
export const shareBody = z.object({
  network: z.string(),
  rig: hex64,
  epoch: z.number().int().nonnegative(),
  tier: tierName,
  nonce: decimal,
  digest: hex64,
})
export type ShareSubmission = z.infer<typeof shareBody>
export const signedShare = signedSchema(shareBody)

export const jobOffer = z.object({
  id: z.uuid(),
  kind: jobKind,
  /** SHA-256 of the model card's file list: see `modelHash` */
  model: hex64,
  input: jobInput,
  epoch: z.number().int().nonnegative(),
  leaseExpiresAt: utcMilliseconds,
  attempt: z.number().int().min(1),
  /** by when it must be done; absent: there is time */
  deadline: utcMilliseconds.optional(),
})
export type JobOffer = z.infer<typeof jobOffer>

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

export const verification = z.enum(['recomputed', 'known-answer', 'unchecked'])
export type Verification = z.infer<typeof verification>

/** Signed by the network: its acknowledgement of one share or job. */
export const receiptBody = z.object({
  network: z.string(),
  rig: hex64,
  epoch: z.number().int().nonnegative(),
  kind: z.enum(['share', 'job']),
  /** the id of the signed share, or of the signed job result */
  ref: hex64,
  macs: decimal,
  factorMilli: decimal,
  creditMacs: decimal,
  verification,
  acceptedAt: utcMilliseconds,
})
export type Receipt = z.infer<typeof receiptBody>
export const signedReceipt = signedSchema(receiptBody)

/** Why a network refuses. A share's or result's credit row keeps the code as its reason. */
export const refusalCode = z.enum([
  'malformed',
  'wrong-key', // signature or rig key does not belong to the sender
  'foreign-unit', // no live unit of this rig has that nonce
  'expired-unit',
  'wrong-tier',
  'stale-epoch',
  'above-target',
  'wrong-digest', // recomputing gave another digest
  'replayed-nonce',
  'unknown-job',
  'lease-lost',
  'wrong-result', // a known answer was missed, or sizes or hashes do not fit
  'already-credited', // identical work was credited in this epoch
  'no-work',
  'unsupported-version',
])
export type RefusalCode = z.infer<typeof refusalCode>

export const refusal = z.object({ code: refusalCode, message: z.string() })
export type Refusal = z.infer<typeof refusal>

/** The answer to a share or a job: a receipt (`repeated` when it was given before), or a refusal. */
export type Acknowledgement =
  | { ok: true; receipt: z.infer<typeof signedReceipt>; repeated: boolean }
  | { ok: false; refusal: Refusal }

export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }

export const helloBody = z.object({
  protocolVersion: z.number().int(),
  rig: hex64,
  network: z.string(),
  at: utcMilliseconds,
  devices: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      engines: z.array(z.string()),
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

export const unitRequest = z.object({
  rig: hex64,
  /** the rig's own name of the device, so that each device climbs its own ramp */
  device: z.string().max(80),
  tier: tierName,
  /** measured on this tier */
  macsPerSecond: z.number().positive(),
})
export type UnitRequest = z.infer<typeof unitRequest>

export const jobRequest = z.object({
  rig: hex64,
  /** what this rig can run now, what it prefers first; `usualMilliseconds`: what a job of the model takes it, as measured */
  models: z.array(
    z.object({ kind: jobKind, model: hex64, macFormula, usualMilliseconds: z.number().nonnegative().optional() }),
  ),
  /** whether generated samples are welcome, or only jobs that somebody asked for */
  samples: z.boolean(),
})
export type JobRequest = z.infer<typeof jobRequest>

/** A network as the rig sees it (protocol.md §6): practice, a pool and others implement this one interface. */
export interface Network {
  readonly name: string
  hello(hello: z.infer<typeof signedHello>): Promise<Answer<Welcome>>
  /** The present epoch, parameters, and the next epoch once it is published. Cheap; polled. */
  current(): Promise<Welcome>
  leaseUnit(request: UnitRequest): Promise<Answer<z.infer<typeof signedUnit>>>
  submitShare(share: z.infer<typeof signedShare>): Promise<Acknowledgement>
  leaseJob(request: JobRequest): Promise<Answer<JobOffer>>
  /** Keeps a lease for another 30 s. */
  renewJob(rig: string, job: string): Promise<Answer<{ leaseExpiresAt: number }>>
  /** Gives a job back unfinished. `failed` with a reason when no rig could do it. */
  returnJob(rig: string, job: string, reason: { retry: boolean; message: string }): Promise<Answer<null>>
  submitJob(delivery: JobDelivery): Promise<Acknowledgement>
}

/** The model's name on the network: SHA-256 over its files' paths, sizes and hashes (canonical JSON), independent of the folder. */
export { modelHash } from './model-hash'
