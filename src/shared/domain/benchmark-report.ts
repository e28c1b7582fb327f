/** A benchmark as one signed object, and the checks of it that need no nonce. */
import { z } from 'zod'
import { BENCHMARK_EPOCH, median, spreadOf } from './benchmark'
import { decimal, hex128, hex64 } from './bytes'
import { certainties } from './energy'
import { checksumOf, goldenDigests } from './golden'
import { isGenuineStored, type Signed, type SignatureVerifier } from './signed'
import { TIERS, tierName } from './tiers'

const positive = z.number().positive().nullable()

/** The evidence of a benchmark, besides its figures. */
const evidenceFields = {
  device: z.strictObject({
    id: z.string().max(100),
    kind: z.string().max(20),
    name: z.string().max(200),
    vendor: z.string().max(200),
    memoryBytes: z.number().nonnegative(),
    instructionSets: z.array(z.string().max(200)).max(100),
    driver: z.string().max(300).nullable(),
  }),
  /** nonces a second, one figure a sample */
  samples: z.array(z.number().positive()).max(1000),
  /** of nonces 0 … of the golden file, as computed */
  checksumDigests: z.array(hex64).max(10_000),
  /** some of the sampled nonces, under the key of the rig */
  digests: z.array(z.strictObject({ nonce: decimal, digest: hex64 })).max(10_000),
}
export const benchmarkEvidence = z.strictObject(evidenceFields)
export type BenchmarkEvidence = z.infer<typeof benchmarkEvidence>

const reportFields = {
  /** public key of the rig, under which `digests` were computed */
  rig: hex64,
  lodeVersion: z.string().max(40),
  /** UTC ms */
  at: z.number().int(),
  mode: z.enum(['benchmark', 'stress']),
  ...evidenceFields,
  threads: z.number().int().positive().nullable(),
  tier: tierName,
  epochSeed: z.literal(BENCHMARK_EPOCH),
  /** of sampling */
  milliseconds: z.number().nonnegative(),
  samples: evidenceFields.samples.min(1),
  noncesPerSecond: z.number().positive(),
  macsPerSecond: z.number().positive(),
  spread: z.number().nonnegative().nullable(),
  watts: positive,
  wattsCertainty: z.enum(certainties).nullable(),
  wattsSource: z.string().max(500),
  macsPerJoule: positive,
  temperatureCelsius: z.number().nullable(),
  clockHertz: positive,
  powerLimitWatts: positive,
  /** SHA-256 of `checksumDigests` */
  checksum: hex64,
}

export const benchmarkReport = z.strictObject({ version: z.literal(2), ...reportFields, backend: z.string().max(40) })
export type BenchmarkReport = z.infer<typeof benchmarkReport>

/** The report of versions that called a backend an engine. Reports of that form must stay valid. */
const firstBenchmarkReport = z.strictObject({ version: z.literal(1), ...reportFields, engine: z.string().max(40) })
export type AnyBenchmarkReport = BenchmarkReport | z.infer<typeof firstBenchmarkReport>

/** The backend that computed the report. */
export function reportBackend(report: AnyBenchmarkReport): string {
  return report.version === 1 ? report.engine : report.backend
}

export const signedBenchmark = z.strictObject({
  body: z.discriminatedUnion('version', [benchmarkReport, firstBenchmarkReport]),
  id: hex64,
  key: hex64,
  signature: hex128,
})

/** Figures are recomputed; they may differ only by rounding. */
const RELATIVE_ERROR = 1e-9

/** The problems of a report, in sentences; none: signature, figures and checksum are right. The digests must still be recomputed. */
export function findReportProblems(signed: Signed<AnyBenchmarkReport>, signatures: SignatureVerifier): string[] {
  const { body } = signed
  const problems: string[] = []
  if (!isGenuineStored('benchmark', signed, signatures))
    problems.push('The signature does not fit: the file was changed after it was signed, or another key signed it.')
  if (signed.key !== body.rig) problems.push('It names one rig and is signed by another.')
  if (!isClose(body.noncesPerSecond, median(body.samples))) problems.push('Its rate is not the median of its samples.')
  if (!isClose(body.macsPerSecond, body.noncesPerSecond * Number(TIERS[body.tier].macs)))
    problems.push("Its MACs a second do not follow from its rate and its tier's MACs.")
  const spread = spreadOf(body.samples)
  if ((spread === null) !== (body.spread === null) || (spread !== null && !isClose(body.spread ?? 0, spread)))
    problems.push('Its spread does not follow from its samples.')
  const macsPerJoule = body.watts === null ? null : body.macsPerSecond / body.watts
  if (macsPerJoule === null ? body.macsPerJoule !== null : !isClose(body.macsPerJoule ?? 0, macsPerJoule))
    problems.push('Its work per joule does not follow from its rate and watts.')
  const golden = goldenDigests(body.tier)
  const wrong = golden.findIndex((digest, nonce) => body.checksumDigests[nonce] !== digest)
  if (wrong >= 0 || body.checksumDigests.length !== golden.length)
    problems.push('Its checksum digests are not those of the golden file: the device computes wrong results.')
  if (checksumOf(body.checksumDigests) !== body.checksum) problems.push('Its checksum is not that of its digests.')
  return problems
}

function isClose(one: number, other: number): boolean {
  return Math.abs(one - other) <= RELATIVE_ERROR * Math.max(Math.abs(one), Math.abs(other))
}
