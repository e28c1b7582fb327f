/** Model manifests: what a model is, where its files come from, and how many MACs a job on it has. */
import { z } from 'zod'
import { hex64 } from './bytes'
import { jobKind, type JobSizes } from './job'

const macCount = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** How a job's nominal MACs follow from its sizes. Counted from the graph's own matrix shapes; see `jobMacs`. */
export const macFormula = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('chat'),
    /** all projections of all layers, one token */
    perToken: macCount,
    /** the output head, one generated token */
    perLogits: macCount,
    /** attention, one (query, key) pair over all layers and heads */
    perPair: macCount,
  }),
  z.object({ kind: z.literal('embed'), perToken: macCount, perPair: macCount }),
  z.object({
    kind: z.literal('ocr'),
    /** detection, one 32 × 32 block of its padded input */
    perDetectionBlock: macCount,
    /** recognition, eight columns at 48 px height */
    perRecognitionStep: macCount,
  }),
])
export type MacFormula = z.infer<typeof macFormula>

/** A file name inside the model folder: relative, forward slashes, no way out of it. */
export const relativePath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[\w.@+-]+(\/[\w.@+-]+)*$/, 'must stay inside the model folder')

export const modelFile = z.object({
  path: relativePath,
  bytes: z.number().int().nonnegative(),
  sha256: hex64,
})
export type ModelFile = z.infer<typeof modelFile>

/** How near a graph that Lode makes comes to the float32 model of the same numbers: `npm run bench -- agreement`. */
export const modelAgreement = z.object({
  /** of a text, each with everything before it */
  positions: z.number().int().positive(),
  /** share of them with the same best next token */
  topAgreement: z.number().min(0).max(1),
  /** mean absolute difference of log-probability of the float32 model's five best tokens */
  meanLogProbabilityDifference: z.number().nonnegative(),
})
export type ModelAgreement = z.infer<typeof modelAgreement>

export const modelManifest = z.object({
  /** short name a person types, unique in the store: "smollm2-135m-instruct-int4" */
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}$/),
  kind: jobKind,
  name: z.string().min(1).max(120),
  files: z.array(modelFile).min(1),
  licence: z.string(),
  /** the origin of the model, in words or as an address */
  source: z.string(),
  /** tokens (chat, embed); 0 where it does not apply */
  context: z.number().int().nonnegative(),
  macFormula,
  /** the files that the model's own were made from, or that were fetched */
  origin: z
    .object({
      /** with their original names; the files may be deleted since */
      files: z.array(modelFile.extend({ path: z.string().min(1).max(1000) })),
      /** the converter that made the graph from them (converter.ts); absent: they are the model's own files */
      converter: hex64.optional(),
      /** the source of their hashes: Lode's catalogue, the hub, or this computer (`computed`) */
      hash: z.enum(['pinned', 'hub', 'computed']),
    })
    .optional(),
  /** measured by Lode's makers on this very file; absent: not measured */
  agreement: modelAgreement.optional(),
})
export type ModelManifest = z.infer<typeof modelManifest>

export const modelState = z.enum(['ready', 'missing-file', 'wrong-hash'])
export type ModelState = z.infer<typeof modelState>

/** Nominal MACs of a part of a chat: the positions `from` to `to` (exclusive) pass through the layers, and `heads` rows of logits are made. */
export function chatMacs(
  formula: Extract<MacFormula, { kind: 'chat' }>,
  { from, to, heads }: { from: number; to: number; heads: number },
): number {
  const layers = (n: number): number => n * formula.perToken + ((n * (n + 1)) / 2) * formula.perPair
  return layers(to) - layers(from) + heads * formula.perLogits
}

/**
 * Nominal MACs of a job, split into the parts that carry their own factor. Integers.
 * chat: the n = prompt + generated − 1 positions that pass through the layers, n(n+1)/2 attention pairs, one output
 * head per generated token; what the prompt alone would cost is the prompt part, the rest is generated.
 * embed: per text n tokens and n² pairs. ocr: blocks of 32 × 32 pixels, and steps of eight columns, rounded up.
 * Throws RangeError when formula and sizes are of different kinds.
 */
export function jobMacs(formula: MacFormula, sizes: JobSizes): { prompt: bigint; generated: bigint } {
  if (formula.kind === 'chat' && sizes.kind === 'chat') {
    const layers = (n: bigint): bigint => n * BigInt(formula.perToken) + ((n * (n + 1n)) / 2n) * BigInt(formula.perPair)
    const prompt = layers(BigInt(sizes.promptTokens))
    const positions = sizes.promptTokens + Math.max(0, sizes.generatedTokens - 1)
    const heads = BigInt(sizes.generatedTokens) * BigInt(formula.perLogits)
    return { prompt, generated: layers(BigInt(positions)) - prompt + heads }
  }
  if (formula.kind === 'embed' && sizes.kind === 'embed') {
    const prompt = sizes.tokensPerText.reduce((sum, tokens) => {
      const n = BigInt(tokens)
      return sum + n * BigInt(formula.perToken) + n * n * BigInt(formula.perPair)
    }, 0n)
    return { prompt, generated: 0n }
  }
  if (formula.kind === 'ocr' && sizes.kind === 'ocr') {
    const blocks = BigInt(Math.ceil(sizes.detectionPixels / 1024))
    const steps = BigInt(Math.ceil(sizes.recognitionColumns / 8))
    return {
      prompt: blocks * BigInt(formula.perDetectionBlock) + steps * BigInt(formula.perRecognitionStep),
      generated: 0n,
    }
  }
  throw new RangeError(`a ${formula.kind} model has no MACs for ${sizes.kind} sizes`)
}
