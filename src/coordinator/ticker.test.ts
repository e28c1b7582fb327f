import { describe, expect, it } from 'vitest'
import { EncodedInput } from '#shared/domain/encoded-input'
import {
  createHarness,
  createRig,
  createTestClock,
  MODELS,
  START,
  valueOf,
} from '../../test/support/coordinator-harness'
import { createTicker } from './ticker'

const ignore = (): void => {}

describe('a ticker', () => {
  it('ticks at once and then in its interval, until it is stopped', async () => {
    const clock = createTestClock()
    let ticks = 0
    const ticker = createTicker(clock, 1000, async () => void ticks++)
    ticker.start(ignore)
    ticker.start(ignore)
    for (const expected of [1, 2, 3]) {
      await expect.poll(() => [ticks, clock.waiting]).toEqual([expected, 1])
      clock.advance(1000)
    }
    await ticker.stop()
    expect(clock.waiting).toBe(0)
    clock.advance(10_000)
    expect(ticks).toBe(4)
    ticker.start(ignore)
    await ticker.stop()
    expect([ticks, clock.waiting]).toEqual([5, 0])
  })

  it('reports the first failure of several, and goes on', async () => {
    const clock = createTestClock()
    const failures: unknown[] = []
    const outcomes = ['full', 'full', null, 'full again']
    let ticks = 0
    const ticker = createTicker(clock, 1000, async () => {
      const outcome = outcomes[ticks++]
      if (outcome) throw new Error(outcome)
    })
    ticker.start((error) => failures.push((error as Error).message))
    for (let round = 1; round <= outcomes.length; round++) {
      await expect.poll(() => [ticks, clock.waiting]).toEqual([round, 1])
      if (round < outcomes.length) clock.advance(1000)
    }
    expect(failures).toEqual(['full', 'full again'])
    await ticker.stop()
  })

  it('waits for its last tick when it stops, and is silent about how that ends', async () => {
    const clock = createTestClock()
    const failures: unknown[] = []
    let fail = (_error: Error): void => {}
    const ticker = createTicker(clock, 1000, () => new Promise<void>((_, reject) => (fail = reject)))
    ticker.start((error) => failures.push(error))
    const stopped = ticker.stop()
    fail(new Error('closed'))
    await stopped
    expect([failures, clock.waiting]).toEqual([[], 0])
  })
})

/** It has two timers: of epochs and leases, and of deliveries. */
describe('a coordinator that was started', () => {
  it('announces and begins epochs, and forgets old units, without a caller', async () => {
    const { coordinator, store, clock } = await createHarness()
    const newest = async () => (await store.newestEpochs(1))[0]?.body
    const unit = await createRig(coordinator).unit()
    coordinator.start(ignore)
    await expect.poll(newest).toMatchObject({ number: 0, startsAt: START })
    await expect.poll(() => clock.waiting).toBe(2)
    clock.advance(540_000)
    await expect.poll(newest).toMatchObject({ number: 1, startsAt: START + 600_000 })
    await expect.poll(() => clock.waiting).toBe(2)
    clock.advance(60_000 + 3_600_000 + 30_001)
    await expect.poll(async () => (await newest())?.number).toBe(2)
    await expect.poll(() => store.unit(0, unit.unit)).toBeUndefined()
    await coordinator.stop()
    expect(clock.waiting).toBe(0)
  })

  it('ends leases and fails what is late, without a caller', async () => {
    const { coordinator, store, clock } = await createHarness()
    const job = (last: number, changes: object = {}) => ({
      id: `0190a5c0-0000-7000-8000-00000000000${last}`,
      input: EncodedInput.of({ kind: 'embed', texts: [`Sentence ${last}.`] }),
      model: MODELS.embed.model,
      buyer: 'person' as const,
      ...changes,
    })
    const stateOf = async (last: number) => (await store.job(job(last).id))?.state
    valueOf(await coordinator.enqueueJob(job(1)))
    valueOf(await createRig(coordinator).lease(['embed'], false))
    valueOf(await coordinator.enqueueJob(job(2, { deadline: START + 20_000 })))
    coordinator.start(ignore)
    await expect.poll(() => clock.waiting).toBe(2)
    expect([await stateOf(1), await stateOf(2)]).toEqual(['leased', 'queued'])
    clock.advance(30_001)
    await expect.poll(async () => [await stateOf(1), await stateOf(2)]).toEqual(['queued', 'failed'])
    await coordinator.stop()
    expect(clock.waiting).toBe(0)
  })
})
