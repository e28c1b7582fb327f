import { describe, expect, it } from 'vitest'
import { TIERS } from '#shared/domain/tiers'
import { codeOf, createHarness, createRig, createTestClock } from '../../test/support/coordinator-harness'
import { createObservedRates } from './observed-rates'
import { difficultyFor } from './units'

const device = { rig: 'a'.repeat(64), device: 'cpu0', tier: 'itp1-small' } as const
const unit = { epoch: 0, unit: 7 }

describe("a device's floor", () => {
  function setUp() {
    const clock = createTestClock()
    const observed = createObservedRates(clock)
    const accept = (shares: number, macs = 1_000_000n): void => {
      for (let share = 0; share < shares; share++) observed.accepted(unit, macs)
    }
    return { clock, observed, accept }
  }

  it('is a quarter of what sixteen shares of one unit show since its lease', () => {
    const { clock, observed, accept } = setUp()
    observed.leased(unit, device)
    clock.advance(4000)
    accept(15)
    expect(observed.floor(device)).toBe(0)
    accept(1)
    expect(observed.floor(device)).toBe(1_000_000)
    clock.advance(4000)
    accept(1)
    expect(observed.floor(device)).toBeCloseTo((17_000_000 / 8) * 0.25)
  })

  it('is of that device and tier alone, of units leased here, and forgotten after ten minutes', () => {
    const { clock, observed, accept } = setUp()
    accept(100)
    expect(observed.floor(device)).toBe(0)
    observed.leased(unit, device)
    clock.advance(1000)
    accept(16)
    for (const changes of [{ rig: 'b'.repeat(64) }, { device: 'gpu0' }, { tier: 'itp1-base' as const }])
      expect(observed.floor({ ...device, ...changes })).toBe(0)
    clock.advance(600_000)
    expect(observed.floor(device)).toBe(4_000_000)
    clock.advance(1)
    expect(observed.floor(device)).toBe(0)
  })

  it('does not take shares that were sent at once for shares that were found at once', () => {
    const { clock, observed, accept } = setUp()
    observed.leased(unit, device)
    clock.advance(3_600_000)
    accept(360)
    expect(observed.floor(device)).toBe((360_000_000 / 3600) * 0.25)
  })

  it('forgets the oldest units of very many', () => {
    const { clock, observed, accept } = setUp()
    observed.leased(unit, device)
    for (let other = 0; other < 10_000; other++) observed.leased({ epoch: 1, unit: other }, device)
    clock.advance(1000)
    accept(16)
    expect(observed.floor(device)).toBe(0)
  })
})

describe('a rig that states next to nothing', () => {
  it('gets no difficulty below what its accepted shares show', async () => {
    const { coordinator, clock } = await createHarness()
    const rig = createRig(coordinator)
    const first = await rig.unit({ macsPerSecond: 1e-300 })
    expect(first.difficulty).toBe('1')
    let nonce = 0n
    for (let share = 0; share < 40; share++) {
      clock.advance(25)
      const found = await rig.find(first, nonce)
      expect(codeOf(await coordinator.submitShare(rig.sign(first, found)))).toBe('accepted')
      nonce = (found.nonce & 0xffff_ffffn) + 1n
    }
    const { macs } = TIERS['itp1-small']
    const observed = (40 * Number(macs)) / 1
    await rig.unit({ macsPerSecond: 1e-300 })
    const third = await rig.unit({ macsPerSecond: 1e-300 })
    expect(third.difficulty).toBe(difficultyFor(observed / 4, 10, macs, 1n << 40n).toString())
    expect(third.difficulty).toBe('100')
    const honest = await rig.unit({ macsPerSecond: observed })
    expect(honest.difficulty).toBe('400')
    expect((await rig.unit({ macsPerSecond: 1e-300, device: 'gpu0' })).difficulty).toBe('1')
  })
})
