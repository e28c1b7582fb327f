/** The network's signed parameters: periods, and the factors of credit. */
import { z } from 'zod'
import { hex64 } from '../domain/bytes'
import { jobKind } from '../domain/job'
import { tierName } from '../domain/tiers'
import { MAX_LISTED_MODELS, networkKey, networkName } from './bounds'
import { signedSchema } from './signed'

const factorMilli = z.number().int().min(0).max(1_000_000_000)
export const PROTOCOL_VERSION = 2

/** Prompt and generated work may count differently; embeddings and recognition use `prompt` only. */
export const modelFactor = z.object({ prompt: factorMilli, generated: factorMilli })
export type ModelFactor = z.infer<typeof modelFactor>

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
  /** for models that `modelFactorsMilli` does not name */
  kindFactorsMilli: z.record(jobKind, modelFactor),
  /** by model hash */
  modelFactorsMilli: z
    .record(hex64, modelFactor)
    .refine((factors) => Object.keys(factors).length <= MAX_LISTED_MODELS, 'too many models')
    .meta({ maxProperties: MAX_LISTED_MODELS }),
})
export type NetworkParameters = z.infer<typeof networkParameters>
export const signedParameters = signedSchema(networkParameters)
