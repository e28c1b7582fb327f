import { inEnglish } from '../domain/messages'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createHarness, createRig, receiptOf } from '../../../test/support/coordinator-harness'
import { commitmentOf, createClosingHash, epochFault, epochSeed } from './epoch-chain'
import type { Epoch } from './epoch'

const sha256 = (...parts: (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
const [one, two] = ['01'.repeat(32), 'fe'.repeat(32)]

describe('the bytes of what binds an epoch', () => {
  it('are those of the specification', () => {
    expect(commitmentOf(one)).toBe(sha256(Buffer.from(one, 'hex')))
    expect(epochSeed(one, two)).toBe(sha256('lode/seed/v2\0', Buffer.from(one, 'hex'), Buffer.from(two, 'hex')))
    const closing = createClosingHash()
    for (const id of [one, two]) closing.add(id)
    expect(closing.digest()).toBe(sha256('lode/closing/v2\0', Buffer.from(one + two, 'hex')))
    expect(createClosingHash().digest()).toBe(sha256('lode/closing/v2\0'))
  })
})

describe('an auditor', () => {
  /** Faults of epochs as an auditor reads them, each held to all before it. */
  const faultsOf = (epochs: Epoch[]): string[] =>
    epochs.flatMap((epoch, index) => {
      const before = epochs.slice(0, index)
      const numbered = (number: number): Epoch | null => before.find((other) => other.number === number) ?? null
      const fault = epochFault(epoch, { newest: before.at(-1) ?? null, numbered })
      return fault === null ? [] : [`${epoch.number}: ${inEnglish.text(fault)}`]
    })

  /** Epochs over hours, with work, a restart and a gap, read page by page. */
  async function readEpochs(): Promise<Epoch[]> {
    const { coordinator, clock, start } = await createHarness()
    const rig = createRig(coordinator)
    for (let round = 0; round < 12; round++) {
      const unit = await rig.unit()
      receiptOf(await coordinator.submitShare(rig.sign(unit, await rig.find(unit))))
      clock.advance(300_000)
    }
    clock.advance(7_200_000)
    const restarted = await start()
    for (let round = 0; round < 8; round++) {
      await restarted.current()
      clock.advance(300_000)
    }
    const epochs: Epoch[] = []
    for (let from: number | null = 0; from !== null;) {
      const page: Awaited<ReturnType<typeof restarted.epochs>> = await restarted.epochs({ from, limit: 3 })
      epochs.push(...page.epochs.map(({ body }) => body))
      from = page.next
    }
    return epochs
  }

  it('finds seeds, secrets and keys of an honest network in order, each published once', async () => {
    const epochs = await readEpochs()
    expect(epochs.map(({ number }) => number)).toEqual(epochs.map((_, index) => index))
    expect(epochs.length).toBeGreaterThan(8)
    expect(faultsOf(epochs)).toEqual([])
    const published = epochs.flatMap(({ checkKeys }) => checkKeys.map(({ epoch }) => epoch))
    expect(published).toEqual(published.map((_, index) => index))
    expect(published.length).toBeGreaterThan(5)
  })

  it('finds what was forged: a seed, a secret, a key, one that came too soon, an epoch that begins anew', async () => {
    const epochs = await readEpochs()
    const publishing = epochs.findIndex(({ checkKeys }) => checkKeys.length > 0)
    const key = epochs[publishing]!.checkKeys[0]!
    const forge = (index: number, changes: Partial<Epoch>): string[] =>
      faultsOf(epochs.with(index, { ...epochs[index]!, ...changes }))
    expect(forge(3, { seed: one })).toEqual(['3: whose seed does not follow from its parts'])
    const { closing } = epochs[3]!
    expect(forge(3, { reveal: one, seed: epochSeed(one, closing) })[0]).toMatch(/^3: that reveals another secret/)
    expect(forge(publishing, { checkKeys: [{ ...key, key: one }] })[0]).toMatch(/another key for checks than epoch 0/)
    expect(forge(1, { checkKeys: [key] })[0]).toMatch(/^1: that publishes the key for checks of epoch 0 before/)
    const { reveal: _reveal, ...bound } = epochs[3]!
    expect(faultsOf(epochs.with(3, { ...bound, seed: one }))[0]).toMatch(/^3: whose seed is bound to nothing/)
    expect(faultsOf([...epochs.slice(0, 3), epochs[2]!])).toEqual(['2: whose number was used before'])
  })
})
