import { expect, it } from 'vitest'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { tierNames } from '#shared/domain/tiers'
import { readVectors } from '#test/support/itp1-vectors'
import { GOLDEN_DIGESTS } from './golden'

it('the checksum digests are those of the published vectors', () => {
  const { cases } = readVectors()
  for (const tier of tierNames) {
    const published = ['0', '1'].map((nonce) =>
      cases.find(
        (vector) =>
          vector.tier === tier &&
          vector.nonce === nonce &&
          vector.epoch === BENCHMARK_EPOCH &&
          vector.publicKey === BENCHMARK_PUBLIC_KEY,
      ),
    )
    expect(published.map((vector) => vector?.digest)).toEqual(GOLDEN_DIGESTS[tier])
  }
})
