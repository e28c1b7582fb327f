import { expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import type { ProofContext } from '#shared/ipc/worker'
import { createEpochCache } from './epoch-cache'

const context = (epochSeed: string): ProofContext => ({ tier: 'itp1-test', epochSeed, backend: 'native' })

/** A cache of numbered epochs that notes what is prepared and released. */
function cache() {
  const prepared: string[] = []
  const released: string[] = []
  const epochs = createEpochCache<string>({
    prepare: async ({ epochSeed }) => {
      const name = `${epochSeed}${prepared.filter((one) => one.startsWith(epochSeed)).length}`
      prepared.push(name)
      return name
    },
    release: (name) => void released.push(name),
  })
  const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))
  return { epochs, prepared, released, settled }
}

it('releases an epoch whose work failed only when every other use of it has ended', async () => {
  const { epochs, prepared, released, settled } = cache()
  let end: () => void = () => undefined
  const other = epochs.with(context('a'), () => new Promise<void>((resolve) => (end = resolve)))
  const failed = epochs.with(context('a'), () => Promise.reject(new Error('the device was lost')))
  await expect(failed).rejects.toThrow('the device was lost')
  await settled()
  expect(released).toEqual([])
  expect(await epochs.with(context('a'), async (name) => name)).toBe('a1')
  end()
  await other
  await settled()
  expect(released).toEqual(['a0'])
  expect(prepared).toEqual(['a0', 'a1'])
})

it('keeps an epoch whose work was cancelled', async () => {
  const { epochs, prepared, released, settled } = cache()
  const cancelled = epochs.with(context('a'), () =>
    Promise.reject(new Failure('cancelled', foreignWords('the work was cancelled'))),
  )
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
  expect(await epochs.with(context('a'), async (name) => name)).toBe('a0')
  await settled()
  expect(prepared).toEqual(['a0'])
  expect(released).toEqual([])
})

it('prepares an epoch anew whose preparation was cancelled', async () => {
  let tries = 0
  const epochs = createEpochCache<number>({
    prepare: async () => {
      tries++
      if (tries === 1) throw new Failure('cancelled', foreignWords('the work was cancelled'))
      return tries
    },
    release: () => undefined,
  })
  await expect(epochs.with(context('a'), async (name) => name)).rejects.toMatchObject({ code: 'cancelled' })
  expect(await epochs.with(context('a'), async (name) => name)).toBe(2)
})

it('keeps the two epochs used last, and releases each once', async () => {
  const { epochs, released, settled } = cache()
  for (const seed of ['a', 'b', 'a', 'c']) await epochs.with(context(seed), async () => undefined)
  await settled()
  expect(released).toEqual(['b0'])
  epochs.clear()
  await settled()
  expect(released.toSorted()).toEqual(['a0', 'b0', 'c0'])
})
