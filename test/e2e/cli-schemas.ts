/** What the `lode` command answers with `--json`, field by field: a name too many or too few is as wrong as a wrong value. */
import { z } from 'zod'
import { driverRow } from '#shared/contract/drivers'
import { decimal, hex64 } from '#shared/domain/bytes'
import { failureCode } from '#shared/domain/errors'
import { tierName } from '#shared/domain/tiers'
import type { Finished } from '../support/lode'

const uuid = z.uuid()
const isoMoment = z.iso.datetime()
const deviceFields = {
  id: z.string().min(1),
  kind: z.enum(['cpu', 'gpu', 'npu', 'asic', 'fpga', 'other']),
  name: z.string().min(1),
  backends: z.array(z.string()),
  memoryBytes: z.number().int().positive(),
  canMine: z.boolean(),
  reason: z.string().optional(),
}

const watts = z.number().positive()
export const devicesAnswer = z
  .array(
    z.strictObject({
      ...deviceFields,
      watts: z.number().nonnegative().nullable(),
      wattsCertainty: z.enum(['measured', 'estimated']).nullable(),
      wattsSource: z.string().min(1),
      energyFrom: z.enum(['counter', 'power']).nullable(),
      temperatureCelsius: z.number().positive().nullable(),
      powerLimit: z
        .strictObject({
          minimumWatts: watts,
          maximumWatts: watts,
          defaultWatts: watts,
          currentWatts: watts,
          wantedWatts: watts.nullable(),
        })
        .optional(),
    }),
  )
  .min(1)

export const digestAnswer = z.strictObject({
  digest: hex64,
  backend: z.enum([
    'native',
    'webgpu',
    'onnx-cuda',
    'onnx-directml',
    'onnx-coreml',
    'onnx-webgpu',
    'onnx-cpu',
    'reference',
  ]),
  tier: tierName,
  macs: decimal,
  milliseconds: z.number().positive(),
})

export const benchAnswer = z.strictObject({
  id: uuid,
  device: z.string(),
  at: isoMoment,
  mode: z.enum(['benchmark', 'stress']),
  backend: z.string(),
  tier: tierName,
  noncesPerSecond: z.number().nonnegative(),
  macsPerSecond: z.number().nonnegative(),
  spread: z.number().nonnegative().optional(),
  samples: z.number().int().nonnegative(),
  milliseconds: z.number().nonnegative(),
  watts: z.number().positive().optional(),
  wattsCertainty: z.enum(['measured', 'estimated', 'mixed']).optional(),
  wattsSource: z.string().min(1),
  macsPerJoule: z.number().positive().optional(),
  temperatureCelsius: z.number().optional(),
  clockHertz: z.number().positive().optional(),
  powerLimitWatts: z.number().positive().optional(),
  threads: z.number().int().positive().optional(),
  driver: z.string().optional(),
  lodeVersion: z.string(),
  checksum: z.enum(['ok', 'mismatch']),
  checksumSha256: hex64,
  noncesChecked: z.number().int().positive(),
  ended: z.enum(['time', 'too-hot', 'wrong-digest']),
  wrongNonce: decimal.optional(),
})

export const benchVerifyAnswer = z.strictObject({
  ok: z.boolean(),
  rig: hex64,
  device: z.string(),
  backend: z.string(),
  tier: tierName,
  at: isoMoment,
  lodeVersion: z.string(),
  macsPerSecond: z.number().positive(),
  digests: z.number().int().positive(),
  recomputed: z.number().int().nonnegative(),
  recomputedWith: z.string().nullable(),
  problems: z.array(z.string()),
})

export const statusAnswer = z.strictObject({
  mining: z.boolean(),
  pausedBecause: z.array(z.string()),
  network: z.literal('practice'),
  devices: z
    .array(
      z.strictObject({
        ...deviceFields,
        backend: z.string().nullable(),
        state: z.string(),
        activity: z.string(),
        macsPerSecond: z.number().nullable(),
        watts: z.number().nullable(),
        wattsCertainty: z.enum(['measured', 'estimated', 'mixed']).nullable(),
        wattsSource: z.string(),
        macsPerJoule: z.number().nullable(),
        loadedModels: z.array(z.strictObject({ hash: hex64, name: z.string(), bytes: z.number() })),
      }),
    )
    .min(1),
  jobsToday: z.array(
    z.strictObject({
      kind: z.enum(['chat', 'embed', 'ocr']),
      count: z.number().int().positive(),
      creditMacs: decimal,
      joulesPerJob: z.number().nonnegative().nullable(),
      joulesCertainty: z.enum(['measured', 'estimated', 'mixed']).nullable(),
    }),
  ),
  creditMacs: z.strictObject({ epoch: decimal, today: decimal, total: decimal, held: decimal }),
  credits: z.number().int().nonnegative(),
  dataDir: z.string(),
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  pid: z.number().int().positive().optional(),
})

/** As docs/cli.md lists them; practice ends at `accepted`. */
const creditState = z.enum(['submitted', 'held', 'accepted', 'refused', 'forfeited'])
const verification = z.enum(['recomputed', 'known-answer', 'unchecked'])
const happening = <E extends string, T extends z.core.$ZodLooseShape>(event: E, fields: T) =>
  z.strictObject({ event: z.literal(event), at: isoMoment, ...fields })
export const mineEvent = z.discriminatedUnion('event', [
  happening('started', {
    rig: hex64,
    network: z.literal('practice'),
    dataDir: z.string(),
    dashboard: z
      .string()
      .regex(/^http:\/\/127\.0\.0\.1:\d+\/#/)
      .nullable(),
  }),
  happening('device', { id: z.string(), state: z.string(), macsPerSecond: z.number().nullable() }),
  happening('share', {
    nonce: decimal,
    tier: tierName,
    state: z.enum(['submitted', 'accepted', 'refused']),
    code: z.string().optional(),
  }),
  happening('job', {
    id: uuid,
    kind: z.enum(['chat', 'embed', 'ocr']),
    state: z.string(),
    joules: z.number().nonnegative().optional(),
    milliseconds: z.number().nonnegative().optional(),
  }),
  happening('credit', {
    id: uuid,
    kind: z.enum(['share', 'job']),
    macs: decimal,
    creditMacs: decimal,
    device: z.string(),
    state: creditState,
    verification: verification.nullable(),
  }),
  happening('stopped', { reason: z.string(), creditMacs: decimal, credits: z.number().int().nonnegative() }),
])
export type MineEvent = z.infer<typeof mineEvent>

const jobFields = {
  id: uuid,
  model: z.string().min(1),
  state: z.enum(['submitted', 'held', 'accepted', 'refused', 'forfeited']),
  macs: decimal,
  creditId: uuid,
  verification: verification.nullable(),
  milliseconds: z.number().positive(),
  creditMacs: decimal,
  joules: z.number().nonnegative().optional(),
  joulesCertainty: z.enum(['measured', 'estimated', 'mixed']).optional(),
  joulesSource: z.string().min(1),
  electricityCost: z
    .strictObject({ nanos: decimal, currency: z.string().length(3), priceAssumed: z.boolean() })
    .optional(),
}
const tokenFields = {
  tokens: z.number().int().positive(),
  tokensIn: z.number().int().positive(),
  tokensOut: z.number().int().nonnegative(),
}
export const jobAnswer = z.discriminatedUnion('kind', [
  z.strictObject({
    ...jobFields,
    kind: z.literal('chat'),
    output: z.string(),
    ...tokenFields,
    evidence: z.strictObject({
      kind: z.literal('chat'),
      promptTokenIds: z.array(z.number().int()).min(1),
      tokenIds: z.array(z.number().int()).min(1),
      // a drawn token that is not among the five comes sixth
      topLogProbabilities: z.array(
        z
          .array(z.tuple([z.number().int(), z.number()]))
          .min(5)
          .max(6),
      ),
      finish: z.enum(['stop', 'length', 'cancelled']),
    }),
  }),
  z.strictObject({
    ...jobFields,
    kind: z.literal('embed'),
    output: z.array(z.array(z.number()).min(1)),
    ...tokenFields,
    evidence: z.strictObject({ kind: z.literal('embed'), vectorsSha256: hex64 }),
  }),
  z.strictObject({
    ...jobFields,
    kind: z.literal('ocr'),
    output: z.array(
      z.strictObject({
        text: z.string(),
        box: z.array(z.tuple([z.number(), z.number()])).length(4),
        confidence: z.number().min(0).max(1),
      }),
    ),
    evidence: z.strictObject({ kind: z.literal('ocr'), lines: z.number().int().nonnegative() }),
  }),
])

const modelFields = {
  id: z.string(),
  kind: z.enum(['chat', 'embed', 'ocr']),
  name: z.string(),
  licence: z.string(),
  source: z.string(),
  context: z.number().int().nonnegative(),
  macFormula: z.looseObject({ kind: z.string() }),
  hash: hex64,
  state: z.enum(['ready', 'missing-file', 'wrong-hash']),
  builtIn: z.boolean(),
  bytes: z.number().int().positive(),
}
const file = { path: z.string(), bytes: z.number().int().positive(), sha256: hex64 }
const modelOrigin = z.strictObject({
  files: z.array(z.strictObject(file)),
  converter: hex64.optional(),
  hash: z.enum(['pinned', 'hub', 'computed']),
})
export const modelAnswer = z.strictObject({
  ...modelFields,
  files: z.array(z.strictObject(file)).min(1),
  origin: modelOrigin.optional(),
})
const verdict = z.enum(['fits', 'tight', 'no'])
const fit = z.strictObject({
  memory: verdict,
  disk: verdict,
  words: z.string(),
  memoryBytes: z.number().int(),
  diskBytes: z.number().int(),
})
export const installedAnswer = modelAnswer.extend({
  fit,
  earned: z.strictObject({
    jobs: z.number().int().nonnegative(),
    creditMacs: decimal,
    lastAt: z.number().nullable(),
  }),
})
export const modelsAnswer = z.array(installedAnswer)
export const modelsVerifyAnswer = z.array(
  z.strictObject({
    ...modelFields,
    files: z.array(z.strictObject({ ...file, ok: z.boolean() })).min(1),
    origin: modelOrigin.optional(),
  }),
)

export const exportLine = z.strictObject({
  id: uuid,
  at: isoMoment,
  network: z.literal('practice'),
  rig: hex64,
  device: z.string(),
  kind: z.enum(['share', 'job']),
  ref: hex64,
  macs: decimal,
  factorMilli: decimal,
  creditMacs: decimal,
  state: creditState,
  reason: z.string().optional(),
  receipt: hex64.nullable(),
  model: z.string().min(1),
  joules: z.number().nonnegative().nullable(),
  joulesCertainty: z.enum(['measured', 'estimated', 'mixed']).nullable(),
  milliseconds: z.number().nonnegative().nullable(),
  tokensIn: z.number().int().nonnegative().nullable(),
  tokensOut: z.number().int().nonnegative().nullable(),
})

export const verifyAnswer = z.strictObject({
  ok: z.boolean(),
  credits: z.number().int().nonnegative(),
  receipts: z.number().int().nonnegative(),
  creditMacs: decimal,
  problems: z.array(z.string()),
})

export const addressAnswer = z.strictObject({
  address: z.string(),
  type: z.enum(['evm', 'bitcoin', 'cosmos']),
  effectiveAt: isoMoment,
})

/** The contract's, with the reason in English. */
export const driverAnswer = driverRow.extend({ reason: z.string().optional() })

const failureAnswer = z.strictObject({
  error: z.strictObject({ code: failureCode, message: z.string().min(1), action: z.string() }),
})

/** A failure with `--json`: one value on standard output, exit code 1. Returns what it says. */
export function failureOf(finished: Finished): z.infer<typeof failureAnswer>['error'] {
  if (finished.code !== 1) throw new Error(`exit code ${finished.code}: ${finished.stdout}${finished.stderr}`)
  return failureAnswer.parse(finished.json()).error
}

/** An answer with `--json`: one value on standard output, exit code 0. */
export function answerOf<T extends z.ZodType>(schema: T, finished: Finished): z.infer<T> {
  if (finished.code !== 0) throw new Error(`exit code ${finished.code}: ${finished.stdout}${finished.stderr}`)
  return schema.parse(finished.json())
}
