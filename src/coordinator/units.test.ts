import { describe, expect, it } from 'vitest'
import { signatureVerifier } from '#engine/network/index'
import { isGenuine } from '#shared/domain/signed'
import { TIERS } from '#shared/domain/tiers'
import { codeOf, createHarness, createRig, START, valueOf } from '../../test/support/coordinator-harness'
import { createMemoryStore } from '../../test/support/memory-store'
import { difficultyFor, difficultyLimit } from './units'

const base = TIERS['itp1-base'].macs

describe('a unit', () => {
  it('is signed and bound to its rig, epoch, tier, difficulty and expiry', async () => {
    const { coordinator, signer, clock } = await createHarness()
    const rig = createRig(coordinator)
    await coordinator.current()
    clock.advance(1000)
    const answer = await coordinator.leaseUnit({ rig: rig.key, device: 'cpu0', tier: 'itp1-base', macsPerSecond: 5e11 })
    const unit = valueOf(answer)
    expect(unit.body).toEqual({
      network: coordinator.networkKey,
      unit: unit.body.unit,
      rig: rig.key,
      epoch: 0,
      tier: 'itp1-base',
      difficulty: '19',
      issuedAt: START + 1000,
      expiresAt: START + 600_000 + 30_000,
    })
    expect(isGenuine('unit', unit, signatureVerifier, signer.publicKeyHex)).toBe(true)
  })

  it('has a number of its own in the epoch, also when the random source repeats itself', async () => {
    const store = createMemoryStore()
    const taken: boolean[] = []
    const spied = {
      ...store,
      addUnit: async (unit: Parameters<typeof store.addUnit>[0]) => {
        const added = await store.addUnit(unit)
        taken.push(added)
        return added
      },
    }
    // Two coordinators with the same random source draw the same numbers.
    const first = await createHarness({ store: spied })
    const second = await createHarness({ store: spied, clock: first.clock })
    const rig = createRig(first.coordinator)
    const other = createRig(second.coordinator, 'other')
    const units = [await rig.unit()]
    // The first one drew what its epoch committed to before.
    for (let draw = 0; draw < 4; draw++) units.push(await other.unit())
    expect(new Set(units.map(({ unit }) => unit)).size).toBe(5)
    expect(taken).toContain(false)
  })

  it('is not issued for a tier that the network does not take; itp1-test only where it is named', async () => {
    const request = { rig: 'a'.repeat(64), device: 'cpu0', tier: 'itp1-test' as const, macsPerSecond: 1e9 }
    const practice = await createHarness()
    expect(codeOf(await practice.coordinator.leaseUnit(request))).toBe('wrong-tier')
    const test = await createHarness({ configuration: { tiers: ['itp1-test'] } })
    expect(valueOf(await test.coordinator.leaseUnit(request)).body.tier).toBe('itp1-test')
    expect(codeOf(await test.coordinator.leaseUnit({ ...request, tier: 'itp1-base' }))).toBe('wrong-tier')
  })

  it('is one of a bounded number that a rig holds; the next epoch has room again', async () => {
    const { coordinator, clock } = await createHarness({ configuration: { mostHeldUnits: 3 } })
    const rig = createRig(coordinator)
    const request = { rig: rig.key, device: 'cpu0', tier: 'itp1-small' as const, macsPerSecond: 1e9 }
    const codes = (await Promise.all([1, 2, 3, 4].map(() => coordinator.leaseUnit(request)))).map(codeOf)
    expect(codes.toSorted()).toEqual(['accepted', 'accepted', 'accepted', 'too-many-leases'])
    await createRig(coordinator, 'other').unit()
    clock.advance(630_001)
    await rig.unit()
  })

  it.each([
    ['a rate of zero', { macsPerSecond: 0 }],
    ['a rate that is no number', { macsPerSecond: Number.NaN }],
    ['an endless rate', { macsPerSecond: Number.POSITIVE_INFINITY }],
    ['an unknown tier', { tier: 'itp2-base' }],
    ['a device name without end', { device: 'x'.repeat(101) }],
  ])('is refused for %s', async (_, fault) => {
    const { coordinator } = await createHarness()
    const request = { rig: 'a'.repeat(64), device: 'cpu0', tier: 'itp1-base' as const, macsPerSecond: 1e9, ...fault }
    expect(codeOf(await coordinator.leaseUnit(request as Parameters<typeof coordinator.leaseUnit>[0]))).toBe(
      'malformed',
    )
  })
})

describe('the ramp', () => {
  const rate = { macsPerSecond: 1e12, tier: 'itp1-base' } as const
  const aimed = (seconds: number): string => difficultyFor(1e12, seconds, base, 1n << 40n).toString()

  it('aims at 0.5 s, then 2 s, then the share interval', async () => {
    const { coordinator } = await createHarness()
    const rig = createRig(coordinator)
    const difficulties = []
    for (let index = 0; index < 4; index++) difficulties.push((await rig.unit(rate)).difficulty)
    expect(difficulties).toEqual(['38', '154', '768', '768'])
    expect(difficulties).toEqual([aimed(0.5), aimed(2), aimed(10), aimed(10)])
  })

  it('is climbed by each device of each rig for itself, and anew after a hello', async () => {
    const { coordinator, start } = await createHarness()
    const rig = createRig(coordinator)
    const other = createRig(coordinator, 'other')
    await rig.unit(rate)
    await rig.unit(rate)
    expect((await rig.unit({ ...rate, device: 'gpu0' })).difficulty).toBe(aimed(0.5))
    expect((await other.unit(rate)).difficulty).toBe(aimed(0.5))
    expect((await createRig(await start()).unit(rate)).difficulty).toBe(aimed(10))
    valueOf(await rig.hello())
    expect((await rig.unit(rate)).difficulty).toBe(aimed(0.5))
    expect((await rig.unit({ ...rate, device: 'gpu0' })).difficulty).toBe(aimed(0.5))
    expect((await other.unit(rate)).difficulty).toBe(aimed(2))
  })
})

describe('difficulty', () => {
  it('is the rounded number of nonces in the aimed time, at least 1', () => {
    expect(difficultyFor(1, 10, base, 1n << 40n)).toBe(1n)
    expect(difficultyFor(Number(base) * 1.4, 1, base, 1n << 40n)).toBe(1n)
    expect(difficultyFor(Number(base) * 1.6, 1, base, 1n << 40n)).toBe(2n)
    expect(difficultyFor(Number(base) * 100, 10, base, 1n << 40n)).toBe(1000n)
  })

  it('stays below what the store can hold, whatever rate a rig claims', async () => {
    const { coordinator, store, clock } = await createHarness()
    const rig = createRig(coordinator)
    const unit = await rig.unit({ tier: 'itp1-base', macsPerSecond: Number.MAX_VALUE })
    const credit = BigInt(unit.difficulty) * base
    expect(credit).toBeLessThanOrEqual(1n << 62n)
    expect(credit * 2n).toBeGreaterThan(1n << 62n)
    expect(difficultyLimit(base, 1_000_000_000n) * base * 1_000_000n).toBeLessThanOrEqual(1n << 62n)
    expect(await store.unit(0, unit.unit)).toMatchObject({ expiresAt: clock.now() + 630_000 })
  })
})
