/** The golden file of this version (resources/benchmark/golden.json): what every correct machine computes. */
import { z } from 'zod'
// oxlint-disable-next-line no-restricted-imports -- a resource bundled as text
import goldenText from '../../../resources/benchmark/golden.json?raw'
import { concatBytes, hex64, hexToBytes } from './bytes'
import { sha256Hex } from './signed'
import { tierName, type TierName } from './tiers'

const goldenFile = z.strictObject({
  about: z.string(),
  version: z.literal(1),
  epochSeed: hex64,
  publicKey: hex64,
  tiers: z.record(tierName, z.strictObject({ checksum: hex64, digests: z.tuple([hex64], hex64) })),
})

/** Throws if the file was damaged: no machine can then be checked by it. */
export const GOLDEN = goldenFile.parse(JSON.parse(goldenText))

/** Digests of nonces 0, 1, 2 … of the benchmark epoch and key. */
export function goldenDigests(tier: TierName): readonly [string, ...string[]] {
  return GOLDEN.tiers[tier].digests
}

/** SHA-256 (hex) of digests (hex, 32 bytes each) one after another: the benchmark's checksum. */
export function checksumOf(digests: readonly string[]): string {
  return sha256Hex(concatBytes(...digests.map(hexToBytes)))
}
