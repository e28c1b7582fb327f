import { afterAll, describe, expect, it } from 'vitest'
import { hexToBytes } from '#shared/domain/bytes'
import { header } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import { readVectors } from '#test/support/itp1-vectors'
import { softwareVulkan } from '#test/support/webgpu'
import { createReferenceEngine } from '../reference-engine'
import { openAdapter, type OpenAdapter } from './adapter'
import { createWebgpuBackend } from './webgpu-backend'

const vulkan = softwareVulkan()
Object.assign(process.env, vulkan)
const opened = vulkan
  ? await openAdapter().catch((error: unknown) => {
      console.log(`webgpu engine: its tests are skipped: ${String(error)}`)
      return null
    })
  : null
if (!vulkan) console.log('webgpu engine: no software Vulkan driver here, its tests are skipped')

const { cases } = readVectors()
const firstOfSmall = cases.find((vector) => vector.tier === 'itp1-small')
const vectors = cases.filter((vector) => vector.tier === 'itp1-test' || vector === firstOfSmall)

describe.runIf(opened)('webgpu engine', { timeout: 120_000 }, () => {
  const adapter = opened as OpenAdapter
  afterAll(() => adapter.device.destroy())

  describe.each([
    ['packed products', adapter?.packed ?? false],
    ['bytes taken apart', false],
  ] as const)('%s', (_, packed) => {
    const backend = createWebgpuBackend(() => Promise.resolve({ ...adapter, packed }))

    // the slower way does the same arithmetic
    it.each(packed ? vectors : vectors.slice(0, 4))('$tier nonce $nonce gives the golden digest', async (vector) => {
      const head = header(vector.epoch, vector.publicKey)
      const context = { tier: vector.tier, epochSeed: vector.epoch, engine: 'webgpu' } as const
      const { digests } = await backend.with(context, (compute) => compute(head, BigInt(vector.nonce), 1))
      expect(digests).toEqual([vector.digest])
    })

    it('gives a nonce the same digest wherever it stands in a batch, with the next batch already submitted', async () => {
      const [vector] = vectors
      if (!vector) throw new Error('no vectors')
      const head = header(vector.epoch, vector.publicKey)
      const tier = TIERS[vector.tier]
      const reference = createReferenceEngine(tier)
      const weights = new SharedArrayBuffer(tier.weightBytes)
      for (let layer = 0; layer < tier.layers; layer++) reference.expandLayer(weights, hexToBytes(vector.epoch), layer)
      const expected = await reference.digests(weights, head, 1000n, 12)
      const context = { tier: vector.tier, epochSeed: vector.epoch, engine: 'webgpu' } as const
      const batches = await backend.with(context, (compute) =>
        Promise.all([compute(head, 1000n, 7), compute(head, 1007n, 5)]),
      )
      expect(batches.flatMap(({ digests }) => digests)).toEqual(expected.digests)
    })
  })

  it('an adapter that was lost is a Failure that says so', async () => {
    const own = await openAdapter()
    const adapters = [own]
    const backend = createWebgpuBackend(() => Promise.resolve(adapters.pop()).then((next) => next ?? openAdapter()))
    const [vector] = vectors
    if (!vector) throw new Error('no vectors')
    const context = { tier: vector.tier, epochSeed: vector.epoch, engine: 'webgpu' } as const
    const head = header(vector.epoch, vector.publicKey)
    await backend.with(context, (compute) => compute(head, 0n, 1))
    own.device.destroy()
    await expect(backend.with(context, (compute) => compute(head, 1n, 1))).rejects.toMatchObject({
      code: 'device-unavailable',
      message: expect.stringContaining('was lost') as string,
    })
    // asked again, it opens the adapter anew
    const { digests } = await backend.with(context, (compute) => compute(head, BigInt(vector.nonce), 1))
    expect(digests).toEqual([vector.digest])
  })
})
