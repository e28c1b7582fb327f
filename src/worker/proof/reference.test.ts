import { describe, expect, it } from 'vitest'
import { hexToBytes } from '#shared/domain/bytes'
import { TIERS } from '#shared/domain/tiers'
import { expandWeights } from './weights'
import { referenceDigest, triangle, windowOf } from './reference'
import { readVectors } from '#test/support/itp1-vectors'

const { cases, macs } = readVectors()

describe('reference backend', () => {
  // A nonce of itp1-base takes it many seconds: the smaller tiers run every time.
  for (const vector of cases) {
    const tags = vector.tier === 'itp1-base' ? ['long'] : []
    it(`${vector.tier} nonce ${vector.nonce} gives the golden digest`, { tags }, () => {
      const tier = TIERS[vector.tier]
      const weights = expandWeights(tier, hexToBytes(vector.epoch))
      const result = referenceDigest(
        tier,
        hexToBytes(vector.epoch),
        hexToBytes(vector.publicKey),
        BigInt(vector.nonce),
        weights,
      )
      expect(Array.from(weights[0]!.q.slice(0, 8))).toEqual(vector.firstWeightsQ0)
      expect(Array.from(result.input.slice(0, 8))).toEqual(vector.firstInputs)
      expect(Array.from(result.output.slice(-8))).toEqual(vector.lastOutputs)
      expect(result.digest).toBe(vector.digest)
    })
  }

  it('counts the MACs that the vectors state', () => {
    for (const tier of Object.values(TIERS)) expect(tier.macs).toBe(BigInt(macs[tier.name]))
  })
})

describe('windows', () => {
  it('wrap at the borders of seven bits and round towards minus infinity', () => {
    expect([63, 64, 127, 128, -64, -65, -1].map((sum) => windowOf(sum, 0))).toEqual([63, -64, -1, 0, -64, 63, -1])
    expect([255, 256, -1, -256, -257, 64 * 256].map((sum) => windowOf(sum, 8))).toEqual([0, 1, -1, -1, -2, -64])
  })

  it('the triangle is a permutation of the operands', () => {
    const operands = Array.from({ length: 128 }, (_, index) => index - 64)
    expect(new Set(operands.map(triangle))).toEqual(new Set(operands))
  })
})
