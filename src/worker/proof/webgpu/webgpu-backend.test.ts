import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { hexToBytes } from '#shared/domain/bytes'
import { header } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import { readVectors } from '#test/support/itp1-vectors'
import { softwareVulkan } from '#test/support/webgpu'
import { createReferenceBackend } from '../reference-backend'
import { openAdapter, type OpenAdapter } from './adapter'
import { emulatedUnit } from './matrix-emulation'
import { createWebgpuBackend } from './webgpu-backend'

const vulkan = softwareVulkan()
Object.assign(process.env, vulkan, { LODE_SOFTWARE_GPU: '1' })
const opened = vulkan
  ? await openAdapter().catch((error: unknown) => {
      console.log(`webgpu backend: its tests are skipped: ${String(error)}`)
      return null
    })
  : null
/** The same driver with its matrix units, where it has any: lavapipe of Mesa 26.2 has. */
const withUnits = opened
  ? await openAdapter({ name: '', matrixUnits: true }).catch((error: unknown) => {
      console.log(`webgpu backend: no matrix units are tested but emulated ones: ${String(error)}`)
      return null
    })
  : null
if (!vulkan) console.log('webgpu backend: no software Vulkan driver here, its tests are skipped')

const { cases } = readVectors()
const firstOfSmall = cases.find((vector) => vector.tier === 'itp1-small')
const vectors = cases.filter((vector) => vector.tier === 'itp1-test' || vector === firstOfSmall)

describe.runIf(opened)('webgpu backend', () => {
  const adapter = opened as OpenAdapter
  afterAll(() => adapter.device.destroy())

  // Software computes these minutes long: in `npm test` two vectors and a batch, one way.
  const variants: [string, Partial<OpenAdapter> | null, typeof vectors, tags: string[]][] = [
    ['packed products', adapter?.packed ? {} : null, vectors, []],
    // does the same arithmetic, slower
    ['bytes taken apart', { packed: false }, vectors.slice(0, 2), ['long']],
    ["the adapter's matrix units", withUnits, vectors, ['long']],
    [
      'emulated matrix units',
      { matrixUnit: emulatedUnit({ rows: 16, columns: 16, inner: 32 }, 32) },
      vectors.slice(0, 1),
      ['long'],
    ],
  ]

  let reference: ReturnType<typeof referenceDigests> | null = null

  describe.each(variants.filter(([, changes]) => changes !== null))('%s', (_, changes, checked, tags) => {
    const backend = createWebgpuBackend(() => Promise.resolve({ ...adapter, ...changes }))

    for (const [index, vector] of checked.entries()) {
      const tagsHere = index < 2 ? tags : ['long']
      it(`${vector.tier} nonce ${vector.nonce} gives the golden digest`, { tags: tagsHere }, async () => {
        const head = header(vector.epoch, vector.publicKey)
        const context = { tier: vector.tier, epochSeed: vector.epoch, backend: 'webgpu' } as const
        const { digests } = await backend.with(context, (compute) => compute(head, BigInt(vector.nonce), 1))
        expect(digests).toEqual([vector.digest])
      })
    }

    it.skipIf(changes?.packed === false)(
      'gives a nonce the same digest wherever it stands in a batch, with the next batch already submitted',
      { tags },
      async () => {
        const { vector, head, expected } = await (reference ??= referenceDigests())
        const context = { tier: vector.tier, epochSeed: vector.epoch, backend: 'webgpu' } as const
        const batches = await backend.with(context, (compute) =>
          Promise.all([compute(head, 1000n, 7), compute(head, 1007n, 5)]),
        )
        expect(batches.flatMap(({ digests }) => digests)).toEqual(expected)
      },
    )
  })

  it.runIf(!withUnits)('an adapter without matrix units says so to who wants them', async () => {
    await expect(openAdapter({ name: '', matrixUnits: true })).rejects.toThrow('offers WebGPU no matrix units for int8')
  })

  it('an adapter is found by its name, and where none has it, those that there are are named', async () => {
    const refusal = await openAdapter({ name: 'not there' }).then(() => '', String)
    const [, name = ''] = /is not there is not known; they are "([^"]+)"/.exec(refusal) ?? []
    const named = await openAdapter({ name, others: [{ name: 'not there', vendor: '' }] })
    expect(named.name).toBe(adapter.name)
    named.device.destroy()
  })

  it('an adapter that was lost is a Failure that says so', { tags: ['long'] }, async () => {
    const own = await openAdapter()
    const adapters = [own]
    const backend = createWebgpuBackend(() => Promise.resolve(adapters.pop()).then((next) => next ?? openAdapter()))
    const [vector] = vectors
    if (!vector) throw new Error('no vectors')
    const context = { tier: vector.tier, epochSeed: vector.epoch, backend: 'webgpu' } as const
    const head = header(vector.epoch, vector.publicKey)
    await backend.with(context, (compute) => compute(head, 0n, 1))
    own.device.destroy()
    await expect(backend.with(context, (compute) => compute(head, 1n, 1))).rejects.toMatchObject({
      code: 'driver-fault',
      message: expect.stringContaining('was lost') as string,
    })
    // asked again, it opens the adapter anew
    const { digests } = await backend.with(context, (compute) => compute(head, BigInt(vector.nonce), 1))
    expect(digests).toEqual([vector.digest])
  })
})

describe('a graphics driver that hangs', () => {
  afterEach(() => vi.useRealTimers())

  it('is a fault after a minute, and the adapter is given up', async () => {
    vi.useFakeTimers()
    let destroyed = 0
    const device = {
      createShaderModule: () => ({}),
      createComputePipelineAsync: () => new Promise(() => undefined),
      destroy: () => void destroyed++,
    }
    const hanging = { device, name: 'A card', software: false, packed: true, matrixUnit: null, lost: null }
    const backend = createWebgpuBackend(async () => ({
      ...hanging,
      device: device as unknown as GPUDevice,
      onLost: () => () => undefined,
    }))
    const context = { tier: 'itp1-test', epochSeed: '00'.repeat(32), backend: 'webgpu' } as const
    const answer = backend.with(context, async () => undefined).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await answer).toMatchObject({
      code: 'driver-fault',
      message: 'the graphics adapter A card did not answer for 60 seconds',
    })
    expect(destroyed).toBe(1)
  })
})

/** Twelve nonces from 1000 on, by the specification's twin. */
async function referenceDigests(): Promise<{ vector: (typeof vectors)[number]; head: Uint8Array; expected: string[] }> {
  const [vector] = vectors
  if (!vector) throw new Error('no vectors')
  const head = header(vector.epoch, vector.publicKey)
  const tier = TIERS[vector.tier]
  const backend = createReferenceBackend(tier)
  const weights = new SharedArrayBuffer(tier.weightBytes)
  for (let layer = 0; layer < tier.layers; layer++) backend.expandLayer(weights, hexToBytes(vector.epoch), layer)
  const { digests } = await backend.digests(weights, head, 1000n, 12)
  return { vector, head, expected: digests }
}
