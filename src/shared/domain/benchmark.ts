/** What a benchmark measures and how its figures follow from its samples. */
import { z } from 'zod'
import type { TierName } from './tiers'

/** A fixed epoch and key, so that every correct machine gives the same benchmark digests. SHA-256 of the words in the comment. */
export const BENCHMARK_EPOCH = '8e2ac4873af7d1103b094511ebb0d04837c8cea948459c99726c170dc77e5a49' // "vector epoch 0"
export const BENCHMARK_PUBLIC_KEY = '0b986d6af996cfaa9e7eea624b6a25de212cb6f0ef52ab420390e85fe72c2050' // "vector key 0"

/** The default time-box. */
export const DEFAULT_BENCHMARK_SECONDS = 8

/** A backend, tried in one call (proof.benchmark). */
export interface DeviceBenchmark {
  backend: string
  tier: TierName
  noncesPerSecond: number
  macsPerSecond: number
  /** "ok" when the digests of the golden file's nonces are right */
  checksum: 'ok' | 'mismatch'
  milliseconds: number
  nonces: number
}

export const benchmarkPhases = ['preparing', 'checking', 'warming-up', 'measuring'] as const

/** A benchmark under way. */
export const benchmarkProgress = z.object({
  phase: z.enum(benchmarkPhases),
  tier: z.string(),
  isStress: z.boolean(),
  /** UTC ms; later if a job came between; null: its worker has not started yet */
  endsAt: z.number().nullable(),
  /** whole length in milliseconds */
  milliseconds: z.number(),
  samples: z.number().int(),
  /** median so far; null before the first sample */
  macsPerSecond: z.number().nullable(),
  noncesChecked: z.number().int(),
})
export type BenchmarkProgress = z.infer<typeof benchmarkProgress>

/** The middle one of the sorted values, or the mean of the two in the middle. Throws RangeError for none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Interquartile range over median, 0.02 for "2 %": half of the samples lie within it. null for fewer than four samples. */
export function spreadOf(samples: readonly number[]): number | null {
  if (samples.length < 4) return null
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples)
}

/** Linear between the two nearest ranks (type 7 of Hyndman and Fan, 1996). */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const rank = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
  if (below === undefined || above === undefined) throw new RangeError('there is no quantile of nothing')
  return below + (above - below) * (rank - Math.floor(rank))
}
