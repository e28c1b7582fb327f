import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createSigner, signatureVerifier } from '#engine/network/index'
import { rigProtocol } from '#shared/protocol/rig-session'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import {
  codeOf,
  createHarness,
  createRig,
  createSyntheticJobs,
  createTestClock,
  hashProof,
  LISTED_MODELS,
  MODELS,
  plainAppraiser,
  receiptOf,
  seededRandom,
  START,
  valueOf,
} from '../../test/support/coordinator-harness'
import { createMemoryStore } from '../../test/support/memory-store'
import { openSerialized, overSessions } from '../../test/support/sessions'
import type { Appraisal, Appraiser } from './appraiser'
import { createCoordinator, type CoordinatorStore } from './coordinator'
import { openNetworkDatabase } from './sqlite/database'
import { createSqliteStore } from './sqlite/store'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})
function sqliteStore(): CoordinatorStore {
  const folder = mkdtempSync(join(tmpdir(), 'lode-judge-'))
  const { database } = openNetworkDatabase(folder, START)
  cleanUps.push(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  return createSqliteStore(database)
}

const ignore = (): void => {}
const held = { ok: true, state: 'held', repeated: false } as const
const AWAY: Appraisal = { state: 'unavailable', message: 'The files of model e are not here.' }

/** An appraiser that says what a test tells it to; `null`: what `plainAppraiser` says. */
function scriptedAppraiser() {
  const script = { says: null as Appraisal | Failure | null, asked: 0 }
  const appraiser: Appraiser = {
    appraise: async (claim) => {
      script.asked++
      if (script.says instanceof Failure) throw script.says
      return script.says ?? plainAppraiser.appraise(claim)
    },
  }
  return { script, appraiser }
}

describe.each<[string, () => CoordinatorStore]>([
  ['in memory', createMemoryStore],
  ['on SQLite', sqliteStore],
])('a delivery %s', (_, open) => {
  const setUp = async (says: Appraisal | Failure | null, configuration = {}) => {
    const { script, appraiser } = scriptedAppraiser()
    script.says = says
    const harness = await createHarness({ store: open(), appraiser, configuration })
    const rig = createRig(harness.coordinator)
    const settled: string[] = []
    const session = openSerialized(rigProtocol, harness.coordinator.rigSession(rig.key))
    session.on('settled', ({ ref }) => settled.push(ref))
    const offer = valueOf(await rig.lease(['embed']))
    return { ...harness, script, rig, offer, delivery: rig.deliver(offer), settled, session }
  }

  it.each([
    ['has not the model', AWAY],
    ['does not answer', new Failure('unavailable', foreignWords('the verifier is not running'))],
  ])('is held while the appraiser %s, and settled by itself when it answers', async (_case, says) => {
    const { coordinator, clock, store, script, rig, offer, delivery, settled } = await setUp(says)
    const ref = delivery.result.id
    expect(await coordinator.submitJob(delivery)).toEqual(held)
    expect(await coordinator.submitJob(delivery)).toEqual({ ...held, repeated: true })
    expect(await coordinator.delivery(rig.key, ref)).toEqual({ ...held, repeated: true })
    expect(script.asked).toBe(1)
    expect(await coordinator.jobState(offer.id)).toMatchObject({ state: 'delivered', attempts: 1 })
    expect(codeOf(await coordinator.renewJob(rig.key, offer.id))).toBe('lease-lost')
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, undefined, { milliseconds: 1 })))).toBe('lease-lost')

    coordinator.start(ignore)
    cleanUps.push(() => void coordinator.stop())
    await expect.poll(() => clock.waiting).toBe(2)
    clock.advance(30_000)
    await expect.poll(() => [script.asked, clock.waiting]).toEqual([2, 2])
    expect((await store.delivery(ref))?.delivery).toMatchObject({ state: 'checking', checks: 2 })
    expect(settled).toEqual([])
    script.says = null
    clock.advance(60_000)
    await expect.poll(() => settled).toEqual([ref])
    const answer = await coordinator.delivery(rig.key, ref)
    expect(answer).toMatchObject({ ok: true, state: 'accepted', repeated: true })
    expect(await coordinator.submitJob(delivery)).toEqual(answer)
    expect(await coordinator.jobState(offer.id)).toEqual({ state: 'done', attempts: 1, receipt: receiptOf(answer) })
    expect(await store.totals()).toMatchObject({ receipts: 1 })
  })

  it('that is held is settled after a restart, at its next sending or by itself', async () => {
    for (const again of ['sent', 'by itself'] as const) {
      const { start, clock, script, delivery, store, coordinator, rig } = await setUp(AWAY)
      await coordinator.submitJob(delivery)
      script.says = null
      clock.advance(30_000)
      const later = await start()
      if (again === 'sent') expect(codeOf(await later.submitJob(delivery))).toBe('accepted')
      else {
        later.start(ignore)
        await expect.poll(async () => (await later.delivery(rig.key, delivery.result.id)).ok).toBe(true)
        await expect.poll(async () => (await store.totals()).receipts).toBe(1)
        await later.stop()
      }
      expect(await store.totals()).toMatchObject({ receipts: 1 })
    }
  })

  it('that nobody can check in time is refused, and its job is queued again', async () => {
    const { coordinator, clock, script, offer, delivery, settled } = await setUp(AWAY, { checkSeconds: 100 })
    await coordinator.submitJob(delivery)
    coordinator.start(ignore)
    cleanUps.push(() => void coordinator.stop())
    await expect.poll(() => clock.waiting).toBe(2)
    clock.advance(90_000)
    await expect.poll(() => [script.asked, clock.waiting]).toEqual([2, 2])
    expect((await coordinator.jobState(offer.id))?.state).toBe('delivered')
    clock.advance(90_000)
    await expect.poll(() => settled).toEqual([delivery.result.id])
    const message = 'Nobody could check it in time: The files of model e are not here.'
    const refusal = { ok: false, refusal: { code: 'unappraisable', message } }
    expect(await coordinator.submitJob(delivery)).toEqual(refusal)
    expect(await coordinator.jobState(offer.id)).toMatchObject({ state: 'queued', refusal: 'unappraisable', message })
  })

  it.each([
    ['wrong', 'wrong-result'],
    ['unappraisable', 'unappraisable'],
  ] as const)('that is %s is refused at once, and the job may be tried again', async (state, code) => {
    const { coordinator, store, rig, offer, delivery, script } = await setUp({ state, message: 'It is not.' })
    const answer = await coordinator.submitJob(delivery)
    expect(answer).toEqual({ ok: false, refusal: { code, message: 'It is not.' } })
    expect(await coordinator.jobState(offer.id)).toMatchObject({ state: 'queued', attempts: 1, refusal: code })
    script.says = null
    const again = valueOf(await rig.lease(['embed']))
    expect(again).toMatchObject({ id: offer.id, attempt: 2 })
    const second = await coordinator.submitJob(rig.deliver(again, undefined, { milliseconds: 13 }))
    expect(codeOf(second)).toBe('accepted')
    expect(await coordinator.submitJob(delivery)).toEqual(answer)
    expect(await store.totals()).toMatchObject({ receipts: 1 })
  })

  it('that was kept under a former key of the network is refused: no rig would take a receipt for it', async () => {
    const { coordinator, clock, store, delivery, rig } = await setUp(AWAY)
    expect(codeOf(await coordinator.submitJob(delivery))).toBe('held')
    clock.advance(30_000)
    const renewed = await createHarness({ store, clock, seed: 'renewed', networkSeed: '33'.repeat(32) })
    renewed.coordinator.start(ignore)
    cleanUps.push(() => void renewed.coordinator.stop())
    await expect
      .poll(async () => codeOf(await renewed.coordinator.delivery(rig.key, delivery.result.id)))
      .toBe('wrong-result')
    expect(await store.totals()).toMatchObject({ receipts: 0 })
  })

  it('is known to its own rig only', async () => {
    const { coordinator, delivery, rig } = await setUp(null)
    await coordinator.submitJob(delivery)
    expect(codeOf(await coordinator.delivery(rig.key, delivery.result.id))).toBe('accepted')
    expect(codeOf(await coordinator.delivery('f'.repeat(64), delivery.result.id))).toBe('unknown-job')
    expect(codeOf(await coordinator.delivery(rig.key, 'f'.repeat(64)))).toBe('unknown-job')
  })

  it('gives one receipt when two coordinators judge it at once', async () => {
    const { coordinator, start, delivery, store, clock, script } = await setUp(AWAY)
    await coordinator.submitJob(delivery)
    script.says = null
    clock.advance(30_000)
    const others = await Promise.all([start(), start()])
    const answers = await Promise.all([coordinator, ...others].map((one) => one.submitJob(delivery)))
    const receipts = new Set(answers.flatMap((one) => (one.ok && one.state === 'accepted' ? [one.receipt.id] : [])))
    expect(receipts.size).toBe(1)
    expect(await store.totals()).toMatchObject({ receipts: 1 })
  })

  it('keeps output and evidence for the configured time after it was judged', async () => {
    const { coordinator, clock, store, delivery } = await setUp(null, { evidenceSeconds: 1000 })
    const receipt = receiptOf(await coordinator.submitJob(delivery))
    const ref = delivery.result.id
    coordinator.start(ignore)
    cleanUps.push(() => void coordinator.stop())
    await expect.poll(() => clock.waiting).toBe(2)
    clock.advance(1_000_000)
    await expect.poll(() => clock.waiting).toBe(2)
    expect(await store.deliveryContent(ref)).toEqual({ output: delivery.output, evidence: delivery.evidence })
    clock.advance(5000)
    await expect.poll(() => store.deliveryContent(ref)).toBeUndefined()
    expect(await store.delivery(ref)).toMatchObject({
      result: delivery.result,
      delivery: { state: 'settled', receipt },
    })
    expect(await coordinator.submitJob(delivery)).toMatchObject({ ok: true, receipt, repeated: true })
  })

  it('loses and doubles nothing, wherever between two changes of the store the coordinator ends', async () => {
    const store = open()
    const clock = createTestClock()
    /** Ends in the middle: from the change `left` on the store cannot be reached. */
    const life = { left: Infinity }
    const dying = new Proxy(store, {
      get: (target, name: keyof CoordinatorStore) => {
        const method = target[name] as (...params: unknown[]) => Promise<unknown>
        return async (...params: unknown[]) => {
          if (/^(add|compareAndSet)/.test(name) && life.left-- <= 0) throw new Error('killed')
          return method(...params)
        }
      },
    })
    const begin = async (own: CoordinatorStore) =>
      overSessions(
        await createCoordinator({
          store: own,
          clock,
          verifier: hashProof,
          appraiser: plainAppraiser,
          syntheticJobs: createSyntheticJobs(),
          random: seededRandom(`life ${clock.now()}`),
          signer: createSigner('11'.repeat(32)),
          signatures: signatureVerifier,
          configuration: { models: LISTED_MODELS },
        }),
      )
    let credited = 0
    for (const steps of [0, 1, 2, 3]) {
      const doomed = await begin(dying)
      const rig = createRig(doomed)
      const offer = valueOf(await rig.lease(['embed']))
      const delivery = rig.deliver(offer)
      life.left = steps
      const answer = await doomed.submitJob(delivery).then(codeOf, () => 'killed')
      expect(answer).toBe(steps < 3 ? 'killed' : 'accepted')
      life.left = Infinity
      clock.advance(30_000)
      const survivor = await begin(store)
      expect(codeOf(await survivor.submitJob(delivery))).toBe('accepted')
      expect(await survivor.jobState(offer.id)).toMatchObject({ state: 'done', attempts: 1 })
      expect(await store.totals()).toMatchObject({ receipts: ++credited })
    }
  })
})

it('a job that is delivered cannot be taken back by its buyer', async () => {
  const { script, appraiser } = scriptedAppraiser()
  script.says = AWAY
  const { coordinator } = await createHarness({ appraiser })
  const rig = createRig(coordinator)
  const id = '0190a5c0-0000-7000-8000-000000000001'
  const { input } = valueOf(await rig.lease(['embed']))
  valueOf(await coordinator.enqueueJob({ id, input, model: MODELS.embed.model, buyer: 'person' }))
  const offer = valueOf(await rig.lease(['embed'], false))
  expect(offer.id).toBe(id)
  expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('held')
  expect(codeOf(await coordinator.cancelJob(id))).toBe('lease-lost')
  expect((await coordinator.jobState(id))?.state).toBe('delivered')
})
