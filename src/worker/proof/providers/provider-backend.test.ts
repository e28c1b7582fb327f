import { describe, expect, it, vi } from 'vitest'
import { header } from '#shared/domain/share'
import { readVectors } from '#test/support/itp1-vectors'
import { softwareVulkan } from '#test/support/webgpu'
import { hexToBytes } from '#shared/domain/bytes'
import { TIERS, type Tier } from '#shared/domain/tiers'
import { fillInput, outputDigest } from '../nonce'
import { openAdapter } from '../webgpu/adapter'
import { forwardPassGraph, WEIGHTS_FILE } from './graph'
import { answered, createProviderBackend, expandEpoch } from './provider-backend'

const { cases } = readVectors()
const ofTest = cases.filter(({ tier }) => tier === 'itp1-test')
const firstOfSmall = cases.find(({ tier }) => tier === 'itp1-small')
const [first] = ofTest
if (!first || !firstOfSmall) throw new Error('no vectors')

/** Two nonces at once: their rows lie one after another. */
async function digestsOnProcessor(tier: Tier, vector: typeof first & object, arithmetic: 'float32' | 'int8') {
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const session = await InferenceSession.create(forwardPassGraph(tier, arithmetic), {
    externalData: [{ path: WEIGHTS_FILE, data: expandEpoch(tier, hexToBytes(vector.epoch)) }],
    intraOpNumThreads: 1,
  })
  const head = header(vector.epoch, vector.publicKey)
  const operands = tier.tokens * tier.width
  const nonces = [BigInt(vector.nonce) + 7n, BigInt(vector.nonce)]
  const rows = Float32Array.from(nonces.flatMap((nonce) => [...fillInput(new Uint8Array(operands), head, nonce)]))
  const { Y } = await session.run({ X: new Tensor('float32', rows, [2 * tier.tokens, tier.width]) })
  const values = Int8Array.from(Y?.data as Float32Array)
  await session.release()
  return nonces.map((nonce, index) =>
    outputDigest(head, nonce, values.subarray(index * operands, (index + 1) * operands)),
  )
}

describe.each(['float32', 'int8'] as const)('the graph with products of %s', (arithmetic) => {
  it.each([...ofTest, firstOfSmall])('gives the golden digest of $tier nonce $nonce', async (vector) => {
    const digests = await digestsOnProcessor(TIERS[vector.tier], vector, arithmetic)
    expect(digests[1]).toBe(vector.digest)
    expect(digests[0]).not.toBe(vector.digest)
  })
})

it('a provider that this system does not have is a Failure that names it', async () => {
  const absent = process.platform === 'win32' ? 'onnx-coreml' : 'onnx-directml'
  const backend = createProviderBackend(absent, undefined)
  const context = { tier: first.tier, epochSeed: first.epoch, backend: absent } as const
  await expect(backend.with(context, () => Promise.resolve())).rejects.toMatchObject({
    code: 'device-unavailable',
    message: expect.stringContaining('is not made for this system') as string,
  })
  expect(backend.busy).toBe(false)
})

it('a provider that hangs is a fault after a minute, one that stops a Failure with its reason', async () => {
  vi.useFakeTimers()
  try {
    const answer = answered('onnx-cuda', new Promise(() => undefined)).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await answer).toMatchObject({ code: 'driver-fault', message: 'onnx-cuda did not answer for 60 seconds' })
  } finally {
    vi.useRealTimers()
  }
  await expect(answered('onnx-cuda', Promise.reject(new Error('out of memory')))).rejects.toMatchObject({
    code: 'device-unavailable',
    message: 'onnx-cuda stopped: Error: out of memory',
  })
})

const vulkan = softwareVulkan()
Object.assign(process.env, vulkan)
const opened = vulkan ? await openAdapter().catch(() => null) : null
opened?.device.destroy()
if (!opened) console.log('onnx-webgpu backend: no software Vulkan driver here, its tests are skipped')

describe.runIf(opened)('onnx-webgpu', () => {
  const backend = createProviderBackend('onnx-webgpu', undefined)

  it('gives the golden digests of itp1-test, several nonces a batch and two batches at once', async () => {
    const context = { tier: first.tier, epochSeed: first.epoch, backend: 'onnx-webgpu' } as const
    const head = header(first.epoch, first.publicKey)
    const nonce = BigInt(first.nonce)
    const batches = await backend.with(context, (compute) =>
      Promise.all([compute(head, nonce, 1), compute(head, nonce - 1n < 0n ? 0n : nonce - 1n, 3)]),
    )
    expect(batches[0]?.digests).toEqual([first.digest])
    expect(batches[1]?.digests).toContain(first.digest)
    expect(backend.busy).toBe(false)
  })
})
