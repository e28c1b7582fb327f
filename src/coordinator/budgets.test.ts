import { describe, expect, it } from 'vitest'
import { EncodedInput } from '#shared/domain/encoded-input'
import { TIERS } from '#shared/domain/tiers'
import {
  codeOf,
  createHarness,
  createRig,
  createTestClock,
  hashProof,
  MODELS,
  seededRandom,
  START,
  valueOf,
} from '../../test/support/coordinator-harness'
import { createBudgets, DEFAULT_BUDGETS, type BudgetRules, type Spender } from './budgets'
import { DEFAULT_CONFIGURATION } from './configuration'

const rig: Spender = { role: 'rig', key: 'a' }
const MINUTE = 60_000

function setUp(rules: Partial<BudgetRules> = {}, mostRemembered?: number) {
  const clock = createTestClock()
  const requests = { aMinute: 60, atOnce: 3 }
  const all = { ...DEFAULT_BUDGETS, rig: { ...DEFAULT_BUDGETS.rig, requests }, ...rules }
  const budgets = createBudgets(clock, all, mostRemembered)
  const ask = (who = rig): string | undefined => budgets.take(who, 'requests', 1)?.refusal.message
  return { clock, budgets, ask }
}

describe('a budget', () => {
  it('is there at once, comes back evenly, and says from when on', () => {
    const { clock, ask } = setUp()
    expect([ask(), ask(), ask()]).toEqual([undefined, undefined, undefined])
    const later = new Date(START + 1000).toISOString()
    expect(ask()).toBe(`The budget of requests a minute is used up. Ask again from ${later}.`)
    clock.advance(999)
    expect(ask()).toContain(later)
    clock.advance(1)
    expect([ask(), typeof ask()]).toEqual([undefined, 'string'])
    clock.advance(MINUTE)
    expect([ask(), ask(), ask(), typeof ask()]).toEqual([undefined, undefined, undefined, 'string'])
  })

  it('is each rig’s and buyer’s own, and of each sort its own', () => {
    const { budgets, ask } = setUp()
    for (let count = 0; count < 4; count++) ask()
    expect(typeof ask()).toBe('string')
    expect(ask({ role: 'rig', key: 'b' })).toBeUndefined()
    expect(ask({ role: 'buyer', key: 'a' })).toBeUndefined()
    expect(budgets.take(rig, 'pieces', 1)).toBeUndefined()
  })

  it('never holds what is larger than all of it, and says so', () => {
    const { budgets } = setUp()
    expect(budgets.take(rig, 'requests', 4)?.refusal.message).toContain('Do not ask again.')
    expect(budgets.take(rig, 'requests', 3)).toBeUndefined()
  })

  it('gains nothing by a clock that was set back', () => {
    const { clock, ask } = setUp()
    for (let count = 0; count < 3; count++) ask()
    clock.set(START - 3_600_000)
    expect(typeof ask()).toBe('string')
    clock.advance(1000)
    expect(ask()).toBeUndefined()
  })

  it('is no use to who goes on over it: a pause follows, and then full patience', () => {
    const { clock, budgets, ask } = setUp({ patience: { aMinute: 0, atOnce: 5 }, pauseSeconds: 30 })
    for (let count = 0; count < 3; count++) ask()
    for (let count = 0; count < 5; count++) expect(ask()).toContain('is used up')
    const until = new Date(START + 30_000).toISOString()
    expect(ask()).toContain(`it is paused. Ask again from ${until}`)
    clock.advance(29_999)
    expect(budgets.take(rig, 'characters', 1)?.refusal).toMatchObject({ code: 'over-budget' })
    clock.advance(1)
    expect([ask(), ask(), ask()]).toEqual([undefined, undefined, undefined])
    expect(ask()).toContain('is used up')
  })

  it('is forgotten first where it is full, and longest unused otherwise', () => {
    const { clock, ask } = setUp({}, 2)
    const [first, second, third] = ['1', '2', '3'].map((key) => ({ role: 'rig', key }) as const)
    for (let count = 0; count < 4; count++) ask(first)
    ask(second)
    clock.advance(1000) // the second rig's are full again, the first one's are not
    ask(third)
    expect([ask(first), typeof ask(first)]).toEqual([undefined, 'string'])
    // No budget is full now: the first and the third are known, and the third was used longer ago.
    for (let count = 0; count < 4; count++) ask(third)
    for (let count = 0; count < 4; count++) ask(first)
    ask(second)
    expect(typeof ask(first)).toBe('string')
    expect(ask(third)).toBeUndefined()
  })
})

describe('an honest rig of 64 devices', () => {
  it('is never slowed, by its ramps and by luck, while its devices keep their rates or gain half', () => {
    const clock = createTestClock()
    const budgets = createBudgets(clock)
    const bytes = seededRandom('luck')
    const uniform = (): number => (new DataView(Uint8Array.from(bytes(4)).buffer).getUint32(0) + 1) / 2 ** 32
    const macs = Number(TIERS['itp1-base'].macs)
    const share = (): void => {
      expect(budgets.take(rig, 'requests', 1)).toBeUndefined()
      expect(budgets.take(rig, 'verification', macs)).toBeUndefined()
    }
    for (let device = 0; device < 64; device++) for (const _quick of DEFAULT_CONFIGURATION.rampSeconds) share()
    const shareEvery = (DEFAULT_CONFIGURATION.shareIntervalSeconds * 1000) / 64 / 1.5
    for (let at = START; at < START + 20 * MINUTE;) {
      at -= shareEvery * Math.log(uniform())
      clock.set(at)
      share()
    }
  })
})

describe('a coordinator', () => {
  const slow = (changes: Partial<BudgetRules['rig']>): { budgets: BudgetRules } => ({
    budgets: { ...DEFAULT_BUDGETS, rig: { ...DEFAULT_BUDGETS.rig, ...changes } },
  })

  it('recomputes within the budget, judges nothing over it, and takes the same share later', async () => {
    const macs = Number(TIERS['itp1-small'].macs)
    let recomputed = 0
    const verifier = {
      digest: (context: Parameters<typeof hashProof.digest>[0]) => (recomputed++, hashProof.digest(context)),
    }
    const configuration = slow({ verification: { aMinute: macs, atOnce: 2 * macs } })
    const { coordinator, clock, store } = await createHarness({ configuration, verifier })
    const miner = createRig(coordinator)
    const unit = await miner.unit({ macsPerSecond: 1 })
    const shares = [0n, 1n, 2n].map(async (from) => miner.sign(unit, await miner.find(unit, from)))
    const [first, second, third] = await Promise.all(shares)
    if (!first || !second || !third) throw new Error('three were found')
    for (const share of [first, second]) expect(codeOf(await coordinator.submitShare(share))).toBe('accepted')
    const refused = await coordinator.submitShare(third)
    const from = new Date(START + MINUTE).toISOString()
    const message = `The budget of verification a minute is used up. Ask again from ${from}.`
    expect(refused).toEqual({ ok: false, refusal: { code: 'over-budget', message } })
    // What is known costs nothing, and others have budgets of their own.
    expect(await coordinator.submitShare(first)).toMatchObject({ ok: true, repeated: true })
    const other = createRig(coordinator, 'other')
    const otherUnit = await other.unit({ macsPerSecond: 1 })
    expect(codeOf(await coordinator.submitShare(other.sign(otherUnit, await other.find(otherUnit))))).toBe('accepted')
    expect(recomputed).toBe(3)
    clock.advance(MINUTE)
    expect(codeOf(await coordinator.submitShare(third))).toBe('accepted')
    expect(await store.totals()).toMatchObject({ receipts: 4 })
  })

  it('counts requests, pieces of text and characters of a rig apart', async () => {
    const { coordinator } = await createHarness({ configuration: slow({ requests: { aMinute: 1, atOnce: 2 } }) })
    const service = coordinator.rigSession(createRig(coordinator).key)
    const piece = { job: '0190a5c0-0000-7000-8000-000000000001', index: 0, text: 'a' }
    expect(await service.handle('current', {})).toMatchObject({ ok: true })
    expect(await service.handle('no such request', {})).toMatchObject({ refusal: { code: 'malformed' } })
    // Nothing of it is looked at: it is refused whatever it says.
    expect(await service.handle('leaseJob', null)).toMatchObject({ refusal: { code: 'over-budget' } })
    expect(await service.handle('publishTokens', piece)).toMatchObject({ refusal: { code: 'unknown-job' } })
    expect(service.admit?.(1)).toBeUndefined()
  })

  it('counts what a buyer asks', async () => {
    const buyer = { ...DEFAULT_BUDGETS.buyer, requests: { aMinute: 1, atOnce: 1 } }
    const { coordinator } = await createHarness({ configuration: { budgets: { ...DEFAULT_BUDGETS, buyer } } })
    const job = (last: number) => ({
      id: `0190a5c0-0000-7000-8000-00000000000${last}`,
      input: EncodedInput.of({ kind: 'embed', texts: ['A text.'] }),
      model: MODELS.embed.model,
      buyer: 'person' as const,
    })
    valueOf(await coordinator.enqueueJob(job(1)))
    expect(codeOf(await coordinator.enqueueJob(job(2)))).toBe('over-budget')
    expect(codeOf(await coordinator.enqueueJob({ ...job(3), buyer: 'gateway' }))).toBe('accepted')
  })
})
