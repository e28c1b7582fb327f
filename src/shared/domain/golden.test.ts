import { expect, it } from 'vitest'
import { readVectors } from '#test/support/itp1-vectors'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from './benchmark'
import { checksumOf, GOLDEN, goldenDigests } from './golden'
import { tierNames } from './tiers'

it('the golden digests are those of the published vectors where these have the nonce', () => {
  const { cases } = readVectors()
  for (const tier of tierNames) {
    const published = cases.filter(
      (vector) =>
        vector.tier === tier &&
        vector.epoch === BENCHMARK_EPOCH &&
        vector.publicKey === BENCHMARK_PUBLIC_KEY &&
        Number(vector.nonce) < goldenDigests(tier).length,
    )
    expect(published.length).toBeGreaterThanOrEqual(2)
    for (const { nonce, digest } of published) expect(goldenDigests(tier)[Number(nonce)]).toBe(digest)
  }
})

it('the golden checksums are those of the golden digests', () => {
  expect(GOLDEN).toMatchObject({ epochSeed: BENCHMARK_EPOCH, publicKey: BENCHMARK_PUBLIC_KEY })
  for (const tier of tierNames) expect(checksumOf(goldenDigests(tier))).toBe(GOLDEN.tiers[tier].checksum)
})
