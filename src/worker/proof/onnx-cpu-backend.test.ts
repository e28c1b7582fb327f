import { describe, expect, it } from 'vitest'
import { hexToBytes } from '#shared/domain/bytes'
import { header } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { readVectors } from '#test/support/itp1-vectors'
import { createThreadBackend } from './create-thread-backend'
import { batchNonces, type ThreadBackend } from './thread-backend'

const { cases } = readVectors()
const [first] = cases
if (!first) throw new Error('no vectors')

async function prepared(
  name: 'onnx-cpu' | 'reference',
  tierName: TierName,
  epoch: string,
): Promise<[ThreadBackend, SharedArrayBuffer]> {
  const tier = TIERS[tierName]
  const backend = await createThreadBackend(name, tier)
  const weights = new SharedArrayBuffer(tier.weightBytes)
  for (let layer = 0; layer < tier.layers; layer++) backend.expandLayer(weights, hexToBytes(epoch), layer)
  return [backend, weights]
}

describe('onnx-cpu backend', () => {
  it.each(cases)('$tier nonce $nonce gives the golden digest', async ({ tier, epoch, publicKey, nonce, digest }) => {
    const [backend, weights] = await prepared('onnx-cpu', tier, epoch)
    const { digests } = await backend.digests(weights, header(epoch, publicKey), BigInt(nonce), 1)
    expect(digests).toEqual([digest])
  })

  it('gives a nonce the same digest wherever it stands in a batch, and as the reference does', async () => {
    const { epoch, publicKey } = first
    const head = header(epoch, publicKey)
    const [backend, weights] = await prepared('onnx-cpu', 'itp1-test', epoch)
    const [reference, referenceWeights] = await prepared('reference', 'itp1-test', epoch)
    const most = batchNonces('onnx-cpu', TIERS['itp1-test'])
    const nonces = most + 3
    const expected = (await reference.digests(referenceWeights, head, 5n, nonces)).digests
    const whole = (await backend.digests(weights, head, 5n, most)).digests
    expect(whole).toEqual(expected.slice(0, most))
    const shifted = (await backend.digests(weights, head, 8n, most)).digests
    expect(shifted).toEqual(expected.slice(3))
    for (const count of [1, 2, most - 1]) {
      expect((await backend.digests(weights, head, 5n, count)).digests).toEqual(expected.slice(0, count))
    }
  })

  it('counts on through the last nonces of a unit', async () => {
    const { epoch, publicKey } = first
    const [backend, weights] = await prepared('onnx-cpu', 'itp1-test', epoch)
    const last = (1n << 64n) - 1n
    const { digests } = await backend.digests(weights, header(epoch, publicKey), last - 2n, 3)
    expect(digests[2]).toBe(cases.find(({ tier, nonce }) => tier === 'itp1-test' && BigInt(nonce) === last)?.digest)
  })

  it('refuses more nonces than its memory holds', async () => {
    const { epoch, publicKey } = first
    const [backend, weights] = await prepared('onnx-cpu', 'itp1-test', epoch)
    const tooMany = batchNonces('onnx-cpu', TIERS['itp1-test']) + 1
    await expect(backend.digests(weights, header(epoch, publicKey), 0n, tooMany)).rejects.toThrow('at once')
  })
})
