import type { TierName } from './tiers'

/** A fixed epoch and key, so that every correct machine gives the same benchmark digests. SHA-256 of the words in the comment. */
export const BENCHMARK_EPOCH = '8e2ac4873af7d1103b094511ebb0d04837c8cea948459c99726c170dc77e5a49' // "vector epoch 0"
export const BENCHMARK_PUBLIC_KEY = '0b986d6af996cfaa9e7eea624b6a25de212cb6f0ef52ab420390e85fe72c2050' // "vector key 0"

export interface DeviceBenchmark {
  engine: string
  tier: TierName
  noncesPerSecond: number
  macsPerSecond: number
  /** "ok" when the digests of nonces 0 and 1 equal the golden vectors */
  checksum: 'ok' | 'mismatch'
  milliseconds: number
  nonces: number
}
