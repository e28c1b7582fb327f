import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import { hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { header } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import { readVectors } from '#test/support/itp1-vectors'
import { loadNativeAddon, type NativeAddon } from './native-addon'
import { createNativeBackend } from './native-backend'
import { createReferenceBackend } from './reference-backend'

const { cases } = readVectors()
const [first] = cases
if (!first) throw new Error('no vectors')
const folder = resolve(import.meta.dirname, '../../../out/native')
const addonFile = resolve(folder, 'lode_native.node')
const built = existsSync(addonFile)
if (!built) console.log('native backend: not built here (no CMake or compiler), its tests are skipped')
const kernels = ['avx512-vnni', 'avx-vnni', 'avx2', 'scalar'] as const

/** Whether this processor has what a kernel needs: the driver itself refuses before anything could run. */
function isPossible(addon: NativeAddon, kernel: string): boolean {
  try {
    addon.close(addon.open(null, 'cpu0', 1, 0, kernel))
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'LODE_NOT_AVAILABLE' })
    return false
  }
}

describe.runIf(built)('native backend', () => {
  const addon = built ? loadNativeAddon(addonFile) : undefined
  const load = (): NativeAddon => addon as NativeAddon

  describe.each(kernels)('%s', (kernel) => {
    const possible = addon !== undefined && isPossible(addon, kernel)
    if (built && !possible) console.log(`native backend: this processor does not have ${kernel}`)
    // the plain kernel takes seconds for a nonce of the largest tier: one of them is enough
    const vectors = cases.filter(
      (vector) =>
        kernel !== 'scalar' || vector.tier !== 'itp1-base' || vector === cases.find((c) => c.tier === 'itp1-base'),
    )

    it.runIf(possible).each(vectors)('$tier nonce $nonce gives the golden digest', async (vector) => {
      const backend = createNativeBackend(load, 1, kernel)
      const context = { tier: vector.tier, epochSeed: vector.epoch, backend: 'native' } as const
      const head = header(vector.epoch, vector.publicKey)
      const { digests } = await backend.with(context, (compute) => compute(head, BigInt(vector.nonce), 1))
      expect(digests).toEqual([vector.digest])
    })

    it.runIf(possible)(
      'gives a nonce the same digest wherever it stands in a batch, and as the reference does',
      async () => {
        const tier = TIERS['itp1-test']
        const head = header(first.epoch, first.publicKey)
        const reference = createReferenceBackend(tier)
        const weights = new SharedArrayBuffer(tier.weightBytes)
        for (let layer = 0; layer < tier.layers; layer++) reference.expandLayer(weights, hexToBytes(first.epoch), layer)
        const expected = (await reference.digests(weights, head, 5n, 53)).digests
        const backend = createNativeBackend(load, 2, kernel)
        const context = { tier: tier.name, epochSeed: first.epoch, backend: 'native' } as const
        await backend.with(context, async (compute) => {
          for (const [from, count] of [
            [0, 53],
            [3, 33],
            [1, 1],
            [7, 2],
            [2, 17],
          ] as const) {
            const { digests } = await compute(head, 5n + BigInt(from), count)
            expect(digests).toEqual(expected.slice(from, from + count))
          }
          const [one, other] = await Promise.all([compute(head, 5n, 40), compute(head, 45n, 13)])
          expect([...one.digests, ...other.digests]).toEqual(expected)
        })
      },
    )
  })

  it('follows a change of threads, and answers for more epochs at once than it keeps', async () => {
    const backend = createNativeBackend(load, 1)
    const vectors = cases.filter(({ tier }) => tier === 'itp1-test')
    for (const threads of [3, 1, 2]) {
      backend.setThreads(threads)
      const digests = await Promise.all(
        [...vectors, ...vectors].map(({ epoch, publicKey, nonce, tier }) =>
          backend.with({ tier, epochSeed: epoch, backend: 'native' }, (compute) =>
            compute(header(epoch, publicKey), BigInt(nonce), 1),
          ),
        ),
      )
      const golden = vectors.map(({ digest }) => digest)
      expect(digests.flatMap((answer) => answer.digests)).toEqual([...golden, ...golden])
    }
    expect(backend.busy).toBe(false)
  })

  it('counts on past the last nonce of all', async () => {
    const last = cases.find(({ tier, nonce }) => tier === 'itp1-test' && BigInt(nonce) === (1n << 64n) - 1n)
    const next = cases.find(({ tier, epoch, nonce }) => tier === 'itp1-test' && epoch === last?.epoch && nonce === '0')
    if (!last || !next) throw new Error('no vectors at both ends of the nonces')
    const backend = createNativeBackend(load, 1)
    const context = { tier: 'itp1-test', epochSeed: last.epoch, backend: 'native' } as const
    const head = header(context.epochSeed, last.publicKey)
    const { digests } = await backend.with(context, (compute) => compute(head, BigInt(last.nonce), 2))
    expect(digests).toEqual([last.digest, next.digest])
  })

  it('loads the same driver as a library, stops what runs, and says what is wrong', async () => {
    const library = resolve(folder, 'lode_driver_cpu.driver')
    const described = load().describe(library)
    expect(described).toEqual(load().describe(null))
    expect(described.devices).toMatchObject([{ id: 'cpu0', kind: 1 }])
    const device = load().open(library, 'cpu0', availableParallelism(), 4 << 20, null)
    expect(load().sensors(device)).toBeNull()
    const seed = hexToBytes(first.epoch)
    await expect(load().prepare(device, 1024, 16, 64, seed)).rejects.toMatchObject({ code: 'LODE_OUT_OF_MEMORY' })
    await expect(load().prepare(device, 300, 16, 64, seed)).rejects.toMatchObject({ code: 'LODE_INVALID_ARGUMENT' })
    const epoch = await load().prepare(device, 256, 2, 16, seed)
    const head = header(first.epoch, first.publicKey)
    const run = load().run(epoch, head, 0n, 1_000_000)
    setTimeout(() => load().cancel(device), 50)
    await expect(run).rejects.toMatchObject({ code: 'LODE_CANCELLED' })
    const { digests } = await load().run(epoch, head, BigInt(first.nonce), 1)
    expect(Buffer.from(digests).toString('hex')).toBe(first.digest)
    load().release(epoch)
    expect(() => load().run(epoch, head, 0n, 1)).toThrow('no longer open')
    load().close(device)
    expect(() => load().cancel(device)).toThrow('no longer open')
    expect(() => load().describe(addonFile)).toThrow('not a Lode driver')
    expect(() => load().describe(resolve(folder, 'absent'))).toThrow('cannot be loaded')
    expect(() => load().open(null, 'cpu0', 1, 0, 'abacus')).toThrow('no way of computing')
    expect(() => load().cancel({} as never)).toThrow('a device was expected')
  })
})

describe.runIf(built)('a driver of its own', () => {
  const load = (): NativeAddon => loadNativeAddon(addonFile)
  const library = resolve(folder, 'lode_driver_cpu.driver')
  const context = { tier: 'itp1-test', epochSeed: first.epoch, backend: 'native' } as const

  it('computes golden digests, and says that it has neither sensors nor a power limit', async () => {
    const backend = createNativeBackend(load, 1, null, { library, id: 'cpu0', memoryLimitBytes: 0 })
    const golden = cases.find(({ tier, epoch }) => tier === 'itp1-test' && epoch === first.epoch) ?? first
    const head = header(golden.epoch, golden.publicKey)
    const answer = await backend.with(context, (compute) => compute(head, BigInt(golden.nonce), 1))
    expect(answer.digests).toEqual([golden.digest])
    expect(backend.sensors()).toBeNull()
    expect(backend.powerLimit()).toBeNull()
    expect(() => backend.setPowerLimit(100)).toThrow(Failure)
  })

  it('names the device that is gone', async () => {
    const backend = createNativeBackend(load, 1, null, { library, id: 'chip7', memoryLimitBytes: 0 })
    await expect(backend.with(context, () => Promise.resolve())).rejects.toMatchObject({
      code: 'device-unavailable',
      message: expect.stringContaining('chip7') as string,
    })
  })
})

it('says what to do where there is no native backend', async () => {
  const backend = createNativeBackend(() => loadNativeAddon(resolve(folder, 'absent.node')), 1)
  const context = { tier: 'itp1-test', epochSeed: BENCHMARK_EPOCH, backend: 'native' } as const
  await expect(backend.with(context, () => Promise.resolve())).rejects.toMatchObject({ code: 'device-unavailable' })
})
