import { describe, expect, it } from 'vitest'
import {
  codeOf,
  createHarness,
  createRig,
  honestRun,
  START,
  valueOf,
  type TestRun,
} from '../../test/support/coordinator-harness'
import { createMemoryStore } from '../../test/support/memory-store'
import type { JobOffer } from '#shared/protocol/job'
import { DEFAULT_CONFIGURATION } from './configuration'
import { afterMatch, afterMiss, NO_RECORD } from './record'
import type { RigRecord } from './store'

const rules = { missesToPause: 2, pauseSeconds: 10, longestPauseSeconds: 35, forgottenAfterSeconds: 100 }
const miss = (record: RigRecord, now: number): RigRecord => afterMiss(afterMiss(record, now, rules), now, rules)

describe('a record', () => {
  it('pauses after misses in a row, and a match between them begins anew', () => {
    const once = afterMiss(NO_RECORD, START, rules)
    expect(once).toEqual({ misses: 1, pauses: 0, pausedUntil: 0 })
    expect(afterMiss(afterMatch(once), START, rules)).toEqual(once)
    expect(afterMiss(once, START, rules)).toEqual({ misses: 0, pauses: 1, pausedUntil: START + 10_000 })
  })

  it('makes each pause twice as long, up to the longest', () => {
    let record = NO_RECORD
    const lengths = [1, 2, 3, 4].map(() => {
      record = miss(record, START)
      return record.pausedUntil - START
    })
    expect(lengths).toEqual([10_000, 20_000, 35_000, 35_000])
  })

  it('forgets a pause for each while without one', () => {
    const twice = miss(miss(NO_RECORD, START), START)
    expect(miss(twice, twice.pausedUntil + 99_999)).toMatchObject({ pauses: 3 })
    expect(miss(twice, twice.pausedUntil + 100_000)).toMatchObject({ pauses: 2 })
    expect(miss(twice, twice.pausedUntil + 1_000_000)).toMatchObject({ pauses: 1 })
    expect(miss(twice, twice.pausedUntil - 5000)).toMatchObject({ pauses: 3 })
  })
})

describe('a rig that misses known answers', () => {
  const wrong = (run: TestRun): TestRun => ({
    ...run,
    output: (run.output as { text: string }[]).map((line) => ({ ...line, text: 'LOREM IPSUM' })) as TestRun['output'],
  })
  async function setUp(name: string, store = createMemoryStore()) {
    const harness = await createHarness({ store })
    const rig = createRig(harness.coordinator, name)
    const lease = () => rig.lease(['ocr'])
    const answer = async (offer: JobOffer, isRight = false) => {
      const honest = rig.deliver(offer)
      return codeOf(
        await harness.coordinator.submitJob(isRight ? honest : rig.deliver(offer, wrong(honestRun(offer.input.value)))),
      )
    }
    return { ...harness, rig, lease, answer }
  }

  it('gets no jobs for a while after three in a row, by any coordinator on the store, and units as before', async () => {
    const { rig, lease, answer, start, clock, coordinator } = await setUp('stranger')
    for (const isRight of [false, false, true, false, false]) await answer(valueOf(await lease()), isRight)
    const held = valueOf(await lease())
    expect(await answer(valueOf(await lease()))).toBe('wrong-result')
    const refused = await lease()
    const until = new Date(START + DEFAULT_CONFIGURATION.knownAnswers.pauseSeconds * 1000).toISOString()
    const message = `This rig missed known answers in a row: it gets no jobs until ${until}.`
    expect(refused).toEqual({ ok: false, refusal: { code: 'suspended', message } })
    expect(codeOf(await createRig(await start(), 'stranger').lease(['ocr']))).toBe('suspended')
    await rig.unit()
    valueOf(await coordinator.renewJob(rig.key, held.id))
    expect(await answer(held, true)).toBe('accepted')
    expect(codeOf(await createRig(coordinator, 'another').lease(['ocr']))).toBe('accepted')
    clock.advance(DEFAULT_CONFIGURATION.knownAnswers.pauseSeconds * 1000)
    expect(codeOf(await lease())).toBe('accepted')
  })

  it('counts one answer once, and nothing that is not a known answer', async () => {
    const { rig, lease, answer, coordinator } = await setUp('stranger')
    const missed = valueOf(await lease())
    for (let times = 0; times < 5; times++) await answer(missed)
    for (let times = 0; times < 5; times++) {
      const offer = valueOf(await lease())
      valueOf(await coordinator.returnJob(rig.key, offer.id, { retry: true, message: 'Paused.' }))
      const other = valueOf(await rig.lease(['embed']))
      const bad = rig.deliver(other, undefined, { inputHash: '0'.repeat(64) })
      expect(codeOf(await coordinator.submitJob(bad))).toBe('wrong-result')
    }
    expect(codeOf(await lease())).toBe('accepted')
  })

  it('has missed once where the coordinator ended in the middle of judging, and another judged', async () => {
    const store = createMemoryStore()
    const { compareAndSetDelivery } = store
    let isDying = true
    const dying: typeof store = {
      ...store,
      compareAndSetDelivery: async (expected, next, job) => {
        if (isDying && job) throw new Error('killed')
        return compareAndSetDelivery(expected, next, job)
      },
    }
    const { rig, lease, coordinator, clock } = await setUp('stranger', dying)
    const offer = valueOf(await lease())
    const delivery = rig.deliver(offer, wrong(honestRun(offer.input.value)))
    await expect(coordinator.submitJob(delivery)).rejects.toMatchObject({ code: 'internal' })
    isDying = false
    clock.advance(30_000)
    expect(codeOf(await coordinator.submitJob(delivery))).toBe('wrong-result')
    expect(await store.rigRecord(rig.key)).toMatchObject({ misses: 1 })
  })

  it('is never paused where it is the network’s own', async () => {
    const { lease, answer } = await setUp('rig')
    for (let times = 0; times < 10; times++) expect(await answer(valueOf(await lease()))).toBe('wrong-result')
    expect(codeOf(await lease())).toBe('accepted')
  })
})
