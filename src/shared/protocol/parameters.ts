/** The network's signed parameters: periods, the models that it pays for, and the factors of credit. */
import { z } from 'zod'
import { hex64, utcMilliseconds } from '../domain/bytes'
import { jobKind } from '../domain/job'
import { macFormula } from '../domain/manifest'
import { tierName } from '../domain/tiers'
import { MAX_LISTED_MODELS, networkKey, networkName } from './bounds'
import { signedSchema } from './signed'

const factorMilli = z.number().int().min(0).max(1_000_000_000)
export const PROTOCOL_VERSION = 2

/** Prompt and generated work may count differently; embeddings and recognition use `prompt` only. */
export const modelFactor = z.object({ prompt: factorMilli, generated: factorMilli })
export type ModelFactor = z.infer<typeof modelFactor>

/**
 * How results of a model can be checked (protocol.md §3): `exact` models give the same bits on every chip, `calibrated` ones
 * are compared by thresholds that were measured, `unchecked` ones by nothing but known answers.
 */
export const verificationClass = z.enum(['exact', 'calibrated', 'unchecked'])
export type VerificationClass = z.infer<typeof verificationClass>

/** A model that the network pays for. Everything that decides the credit of a job on it stands here, and nothing of it comes from a rig. */
export const listedModel = z
  .object({
    /** of its files: see `modelHash` */
    hash: hex64,
    kind: jobKind,
    /** for people */
    name: z.string().min(1).max(120),
    /** tokens; 0 where it does not apply */
    context: z.number().int().min(0).max(1_000_000_000),
    macFormula,
    factorMilli: modelFactor,
    verification: verificationClass,
  })
  .refine(({ kind, macFormula: formula }) => kind === formula.kind, 'counts its work as another kind')
export type ListedModel = z.infer<typeof listedModel>

/** Announced before the epoch, signed by the network. */
export const networkParameters = z.object({
  network: networkKey,
  /** for people */
  name: networkName,
  protocolVersion: z.literal(PROTOCOL_VERSION),
  epochSeconds: z.number().int().min(10).max(86_400),
  shareIntervalSeconds: z.number().positive().max(86_400),
  /** after an epoch's end, how long its shares are still taken */
  graceSeconds: z.number().int().min(0).max(86_400),
  tierFactorsMilli: z.record(tierName, factorMilli),
  models: z.array(listedModel).max(MAX_LISTED_MODELS),
})
export type NetworkParameters = z.infer<typeof networkParameters>
export const signedParameters = signedSchema(networkParameters)

/** A model listed since the present parameters were signed; the next ones list it. What they list already, it does not change. */
export const modelListing = z.object({ network: networkKey, listedAt: utcMilliseconds, model: listedModel })
export type ModelListing = z.infer<typeof modelListing>
export const signedListing = signedSchema(modelListing)
