import { describe, expect, it } from 'vitest'
import { DEFAULT_BUDGETS, type BudgetRules } from '#coordinator/budgets'
import { nonceOf } from '#shared/domain/share'
import { codeOf, valueOf } from '../support/coordinator-harness'
import { createAdversary, helloOf, MACS_OF_NONCE, openNetwork, order, sentences, STRANGERS } from './adversary'

const BASE = { tier: 'itp1-base', macsPerSecond: 1e11 } as const
const ZEROS = '0'.repeat(64)

/** Verification of ten nonces a minute, twenty at once: as the real budget with fewer devices. */
const budgets: BudgetRules = {
  ...DEFAULT_BUDGETS,
  rig: {
    ...DEFAULT_BUDGETS.rig,
    verification: { aMinute: 10 * Number(MACS_OF_NONCE), atOnce: 20 * Number(MACS_OF_NONCE) },
  },
}

describe('proof', () => {
  it('honestly done earns 1, by chance a little more or less', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    const unit = await rig.unit({ ...BASE, macsPerSecond: 16 * 2 * Number(MACS_OF_NONCE) })
    expect(unit.difficulty).toBe('16')
    let counter = 0n
    for (let shares = 0; shares < 100; shares++) {
      const found = await rig.find(unit, counter)
      const next = (found.nonce & 0xffff_ffffn) + 1n
      rig.computes((next - counter) * MACS_OF_NONCE)
      counter = next
      expect(codeOf(await network.coordinator.submitShare(rig.sign(unit, found)))).toBe('accepted')
    }
    expect(Math.abs((rig.gain() ?? 0) - 1)).toBeLessThan(0.2)
    expect(network.verified.macs).toBe(100n * MACS_OF_NONCE)
  })

  it('whose digests are zeros earns nothing, and costs one recomputation: the rig is suspended', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    const unit = await rig.unit(BASE)
    const codes = new Set<string>()
    for (let counter = 0n; counter < 50n; counter++) {
      const share = rig.sign(unit, { nonce: nonceOf(unit.unit, counter), digest: ZEROS })
      codes.add(codeOf(await network.coordinator.submitShare(share)))
    }
    expect([...codes]).toEqual(['wrong-digest', 'suspended'])
    expect([rig.gain(), network.verified.macs]).toEqual([0, MACS_OF_NONCE])
  })

  it('whose digests are zeros costs no more than the budget of verification where nobody is suspended', async () => {
    const network = await openNetwork({ budgets })
    const rig = createAdversary(network)
    const unit = await rig.unit(BASE)
    for (let counter = 0n; counter < 100n; counter++) {
      const share = rig.sign(unit, { nonce: nonceOf(unit.unit, counter), digest: ZEROS })
      expect(['wrong-digest', 'over-budget']).toContain(codeOf(await network.coordinator.submitShare(share)))
      network.clock.advance(600)
    }
    expect(rig.gain()).toBe(0)
    expect(network.verified.macs / MACS_OF_NONCE).toBe(29n)
  })

  it('that is wrong is recomputed once, though it comes fifty times', async () => {
    const network = await openNetwork({})
    const rig = createAdversary(network)
    const unit = await rig.unit(BASE)
    const share = rig.sign(unit, { nonce: nonceOf(unit.unit, 0n), digest: ZEROS })
    for (let times = 0; times < 50; times++)
      expect(codeOf(await network.coordinator.submitShare(share))).toBe('wrong-digest')
    expect([rig.gain(), network.verified.macs]).toEqual([0, MACS_OF_NONCE])
  })

  it('at a claimed rate of 1e-300 earns at most 1, within the budget of verification; the next unit has a difficulty again', async () => {
    const network = await openNetwork({ ...STRANGERS, budgets })
    const rig = createAdversary(network)
    const unit = await rig.unit({ ...BASE, macsPerSecond: 1e-300 })
    expect(unit.difficulty).toBe('1')
    let accepted = 0
    for (let counter = 0n; counter < 60n; counter++) {
      const found = await rig.find(unit, counter)
      rig.computes(MACS_OF_NONCE)
      if (codeOf(await network.coordinator.submitShare(rig.sign(unit, found))) === 'accepted') accepted++
      network.clock.advance(100)
    }
    expect(accepted).toBe(20)
    expect(network.verified.macs).toBe(20n * MACS_OF_NONCE)
    // A third of its nonces were judged. All of them would have earned what honest proof earns.
    expect(rig.gain()).toBeCloseTo(1 / 3, 5)
    // Twenty nonces in two seconds; a quarter of that rate, aimed at the second unit's two seconds.
    expect(Number((await rig.unit({ ...BASE, macsPerSecond: 1e-300 })).difficulty)).toBeGreaterThanOrEqual(5)
  })
})

describe('another rig’s name', () => {
  it('in a request, or in a hello of 1970 that is replayed, brings nothing and takes nothing away', async () => {
    const network = await openNetwork()
    const { coordinator } = network
    const victim = createAdversary(network, 'victim')
    const thief = createAdversary(network)
    const job = await order(network, sentences('A text.'))
    const offer = valueOf(await victim.lease(['embed'], false))
    const unit = await victim.unit(BASE)
    await victim.unit(BASE)
    const found = await victim.find(unit)
    const session = coordinator.rigSession(thief.key)
    const refused = async (method: string, request: unknown): Promise<string> =>
      codeOf((await session.handle(method, request)) as { ok: true; value: unknown })
    expect(await refused('hello', await helloOf(network, 'victim', { at: 0 }))).toBe('wrong-key')
    expect(await refused('submitShare', victim.sign(unit, found))).toBe('wrong-key')
    expect(await refused('submitShare', thief.sign(unit, found))).toBe('foreign-unit')
    expect(await refused('submitJob', victim.deliver(offer))).toBe('wrong-key')
    expect(await refused('submitJob', thief.deliver(offer))).toBe('lease-lost')
    expect(await refused('renewJob', { job })).toBe('lease-lost')
    expect(await refused('returnJob', { job, retry: false, message: 'It cannot be done.' })).toBe('lease-lost')
    expect(await refused('publishTokens', { job, index: 0, text: 'Lies.' })).toBe('lease-lost')
    // A field that names another rig is no field of a request.
    expect(await refused('leaseJob', { rig: victim.key, models: [], samples: false })).toBe('no-work')
    expect([thief.gain(), network.receipts(thief.key)]).toEqual([0, 0])
    // The victim's ramp, its lease and its share are as they were: a third unit aims at the share interval.
    expect(Number((await victim.unit(BASE)).difficulty)).toBeGreaterThan(Number(unit.difficulty))
    expect(codeOf(await coordinator.submitJob(victim.deliver(offer)))).toBe('accepted')
    expect(codeOf(await coordinator.submitShare(victim.sign(unit, found)))).toBe('accepted')
  })
})
