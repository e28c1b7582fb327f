/** What every implementation of the coordinator's store must do with jobs, moved by the job queue. */
import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { createJobQueue } from '#coordinator/job-queue'
import type { AcceptedShare, CoordinatorStore, JobLease, LeaseRequest, NewJob } from '#coordinator/store'
import { workHash } from '#coordinator/work-hash'
import { signReceipt } from '#coordinator/receipts'
import { EncodedInput } from '#shared/domain/encoded-input'
import { sha256Hex } from '#shared/domain/signed'
import { utf8ToBytes } from '#shared/domain/bytes'
import { MODELS, START } from './coordinator-harness'

const signer = createSigner('11'.repeat(32))
const rig = 'a'.repeat(64)
const other = 'b'.repeat(64)

/** Registers the tests of a store's jobs. `open`: returns a new, empty store. */
export function describeStoreOfJobs(name: string, open: () => CoordinatorStore): void {
  describe(`${name}: jobs`, () => {
    it('keeps a job as it was given, once', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const given = newJob('1', { knownText: ['ONE', 'TWO'] })
      expect(await queue.addJob(given)).toBe(true)
      expect(await queue.addJob({ ...given, model: 'f'.repeat(64) })).toBe(false)
      const { input, ...rest } = given
      expect(await store.job(given.id)).toEqual({
        ...rest,
        inputHash: input.hash,
        workHash: workHash(input),
        state: 'queued',
        attempts: 0,
      })
      expect(await store.jobInput(given.id)).toEqual(input)
      expect(await store.job(newJob('2').id)).toBeUndefined()
      expect(await store.jobInput(newJob('2').id)).toBeUndefined()
    })

    it('leases the oldest that fits: persons, then others, then synthetic jobs where welcome', async () => {
      const store = open()
      const queue = createJobQueue(store)
      await queue.addJob(newJob('1', { buyer: 'sample' }))
      await queue.addJob(newJob('2', { buyer: 'gateway' }))
      await queue.addJob(newJob('3', { model: MODELS.chat.model }))
      await queue.addJob(newJob('4'))
      const next = async (syntheticJobs: boolean) => (await queue.leaseNextJob(leaseRequest({ syntheticJobs })))?.id
      expect([await next(false), await next(false), await next(false)]).toEqual([
        newJob('4').id,
        newJob('2').id,
        undefined,
      ])
      expect([await next(true), await next(true)]).toEqual([newJob('1').id, undefined])
      expect(await store.job(newJob('4').id)).toMatchObject({ state: 'leased', attempts: 1, lease })
      expect(await queue.leaseNextJob(leaseRequest({ offers: [] }))).toBeUndefined()
    })

    it("leases in the rig's order of models, until a job has waited long", async () => {
      const store = open()
      const queue = createJobQueue(store)
      const offers = [MODELS.chat, MODELS.embed].map(({ kind, model, macFormula }) => ({
        kind,
        model,
        formula: macFormula,
        factor,
      }))
      await queue.addJob(newJob('1'))
      const chat = { kind: 'chat', model: MODELS.chat.model } as const
      await queue.addJob(newJob('2', { ...chat, createdAt: START + 1 }))
      await queue.addJob(newJob('3', { ...chat, createdAt: START + 2 }))
      const next = async (now: number) => (await queue.leaseNextJob(leaseRequest({ offers, now })))?.id
      expect(await next(START + 1000)).toBe(newJob('2').id)
      expect([await next(START + 30_001), await next(START + 30_002)]).toEqual([newJob('1').id, newJob('3').id])
    })

    it('leases what is due first, only where it is done in time, and fails what is late', async () => {
      const store = open()
      const queue = createJobQueue(store)
      await queue.addJob(newJob('1'))
      await queue.addJob(newJob('2', { deadline: START + 20_000 }))
      await queue.addJob(newJob('3', { deadline: START + 10_000 }))
      await queue.addJob(newJob('4', { deadline: START + 900 }))
      const offers = [{ kind: 'embed' as const, model: MODELS.embed.model, formula, factor, usualMilliseconds: 1000 }]
      const next = async (): Promise<string | undefined> => (await queue.leaseNextJob(leaseRequest({ offers })))?.id
      expect([await next(), await next(), await next(), await next()]).toEqual([
        newJob('3').id,
        newJob('2').id,
        newJob('1').id,
        undefined,
      ])
      expect(await store.job(newJob('3').id)).toMatchObject({ deadline: START + 10_000 })
      await queue.expireLeases({ now: START + 901, maximumAttempts: 2, message: '', late: 'Too late.' })
      expect(await store.job(newJob('4').id)).toMatchObject({ state: 'failed', message: 'Too late.' })
    })

    it('sets a job once when several callers saw it in one state', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const { id } = newJob('1')
      await queue.addJob(newJob('1'), lease)
      const seen = await store.job(id)
      if (!seen) throw new Error('the job is in the store')
      const wished = (['queued', 'failed', 'cancelled'] as const).map((state) => ({ ...seen, state }))
      const outcomes = await Promise.all(wished.map((next) => store.compareAndSetJob(seen, next)))
      expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'set'])
      expect(await store.job(id)).toEqual(wished[outcomes.indexOf('set')])
      expect(await store.compareAndSetJob({ ...seen, id: newJob('2').id }, seen)).toBe('changed')
    })

    it('lets one caller win a race for a job: to lease it, and to end it', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const { id } = newJob('1')
      await queue.addJob(newJob('1'))
      const leased = await Promise.all([rig, other, rig].map((by) => queue.leaseNextJob(leaseRequest({ rig: by }))))
      const [winner, ...others] = leased.filter((job) => job !== undefined)
      expect(others).toEqual([])
      expect(await store.job(id)).toEqual(winner)
      expect(winner).toMatchObject({ state: 'leased', attempts: 1 })
      const ends = await Promise.all([1, 2, 3].map(() => queue.cancelJob(id)))
      expect(ends.filter((end) => end)).toHaveLength(1)
    })

    it('expires leases: queued again with its last rig, or failed when attempts are used up', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const { id } = newJob('1')
      await queue.addJob(newJob('1'), lease)
      const rule = { maximumAttempts: 2, message: 'Given up.', late: 'Too late.' }
      await queue.expireLeases({ ...rule, now: lease.expiresAt })
      expect((await store.job(id))?.state).toBe('leased')
      await queue.expireLeases({ ...rule, now: lease.expiresAt + 1 })
      expect(await store.job(id)).toMatchObject({ state: 'queued', attempts: 1, lease })
      expect(await queue.renewLease({ job: id, rig: other, now: START, expiresAt: START + 90_000 })).toBe(false)
      expect(await queue.renewLease({ job: id, rig, now: START, expiresAt: START + 90_000 })).toBe(true)
      expect(await store.job(id)).toMatchObject({ state: 'leased', attempts: 1, lease: { expiresAt: START + 90_000 } })
      await queue.expireLeases({ ...rule, now: START + 90_001 })
      await queue.leaseNextJob(leaseRequest({ rig: other }))
      expect(await queue.renewLease({ job: id, rig, now: START, expiresAt: START + 99_000 })).toBe(false)
      await queue.expireLeases({ ...rule, now: START + 100_000 })
      expect(await store.job(id)).toMatchObject({ state: 'failed', attempts: 2, message: 'Given up.' })
      expect(await store.jobInput(id)).toBeUndefined()
    })

    it('releases a job to the queue without its rig, or ends it', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const { id } = newJob('1')
      await queue.addJob(newJob('1'), lease)
      const release = { job: id, rig, retry: true, maximumAttempts: 3, wordsToGiveUp: 1, message: 'Paused.' }
      expect(await queue.releaseJob({ ...release, rig: other })).toBe(false)
      expect(await queue.releaseJob(release)).toBe(true)
      expect(await queue.releaseJob(release)).toBe(false)
      const queued = await store.job(id)
      expect(queued?.state).toBe('queued')
      expect(queued?.lease).toBeUndefined()
      await queue.leaseNextJob(leaseRequest())
      expect(await queue.releaseJob({ ...release, retry: false, message: 'Too long.' })).toBe(true)
      expect(await store.job(id)).toMatchObject({ state: 'failed', message: 'Too long.' })
    })

    it('bounds how many jobs a rig holds, whoever asks at once', async () => {
      const store = open()
      const queue = createJobQueue(store)
      for (const last of ['1', '2', '3']) await queue.addJob(newJob(last))
      const leased = await Promise.all([1, 2, 3].map(() => queue.leaseNextJob(leaseRequest({ mostHeld: 2 }))))
      expect(leased.filter((job) => job !== undefined)).toHaveLength(2)
      expect([await store.heldJobs(rig), await store.heldJobs(other)]).toEqual([2, 0])
      expect(await queue.addJob(newJob('4'), lease, 2)).toBe(false)
      expect(await store.job(newJob('4').id)).toBeUndefined()
      expect(await queue.addJob(newJob('5'), { ...lease, rig: other }, 2)).toBe(true)
      const [held] = leased.filter((job) => job !== undefined)
      await queue.cancelJob(held?.id ?? '')
      expect(await queue.addJob(newJob('4'), lease, 2)).toBe(true)
    })

    it('offers a job no more to a rig that says that no rig can do it', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const { id } = newJob('1')
      await queue.addJob(newJob('1', { deadline: START + 60_000 }))
      const release = { job: id, retry: false, maximumAttempts: 5, wordsToGiveUp: 2, message: 'Too long.' }
      await queue.leaseNextJob(leaseRequest())
      expect(await queue.releaseJob({ ...release, rig })).toBe(true)
      expect(await store.job(id)).toMatchObject({ state: 'queued', declinedBy: [rig] })
      expect(await queue.leaseNextJob(leaseRequest())).toBeUndefined()
      expect((await queue.leaseNextJob(leaseRequest({ rig: other })))?.id).toBe(id)
      expect(await queue.releaseJob({ ...release, rig: other })).toBe(true)
      expect(await store.job(id)).toMatchObject({ state: 'failed', attempts: 2, message: 'Too long.' })
    })

    it('forgets a synthetic job that ends without a result', async () => {
      const store = open()
      const queue = createJobQueue(store)
      const synthetic = (last: string) => newJob(last, { buyer: 'sample', deadline: START + 60_000 })
      const isKept = async (last: string) =>
        (await store.job(newJob(last).id)) !== undefined || (await store.jobInput(newJob(last).id)) !== undefined
      const rule = { maximumAttempts: 3, message: 'Given up.', late: 'Too late.' }
      for (const last of ['1', '3']) await queue.addJob(synthetic(last), lease)
      const returned = { rig, retry: true, maximumAttempts: 3, wordsToGiveUp: 1, message: 'Paused.' }
      await queue.releaseJob({ ...returned, job: newJob('3').id })
      await queue.expireLeases({ ...rule, now: lease.expiresAt + 1 })
      expect([await isKept('1'), await isKept('3')]).toEqual([false, true])
      expect(await store.heldJobs(rig)).toBe(0)
      expect(await store.job(newJob('3').id)).toMatchObject({ state: 'queued' })
      await queue.expireLeases({ ...rule, now: START + 60_001 })
      expect(await isKept('3')).toBe(false)
    })

    it('leases a synthetic job for at most the factor of proof', async () => {
      const queue = createJobQueue(open())
      await queue.addJob(newJob('1'))
      await queue.addJob(newJob('2', { buyer: 'sample' }))
      const leased = [await queue.leaseNextJob(leaseRequest()), await queue.leaseNextJob(leaseRequest())]
      expect(leased.map((job) => job?.lease?.factor)).toEqual([factor, { prompt: 1000, generated: 0 }])
    })

    it('cancels what is not finished', async () => {
      const store = open()
      const queue = createJobQueue(store)
      await queue.addJob(newJob('1'), lease)
      expect(await queue.cancelJob(newJob('1').id)).toBe(true)
      expect(await queue.cancelJob(newJob('1').id)).toBe(false)
      expect(await queue.cancelJob(newJob('2').id)).toBe(false)
      expect((await store.job(newJob('1').id))?.state).toBe('cancelled')
      expect(await store.jobInput(newJob('1').id)).toBeUndefined()
    })
  })
}

const formula = MODELS.embed.macFormula
const factor = { prompt: 1500, generated: 0 }
export const lease: JobLease = {
  rig,
  expiresAt: START + 30_000,
  renewableUntil: START + 3_600_000,
  formula,
  epoch: 7,
  factor,
}

export function leaseRequest(changes: Partial<LeaseRequest> = {}) {
  const { expiresAt, renewableUntil, epoch } = lease
  const offers = [{ kind: 'embed' as const, model: MODELS.embed.model, formula, factor }]
  return { rig, offers, syntheticJobs: true, now: START, expiresAt, renewableUntil, epoch, mostHeld: 1000, ...changes }
}

export function newJob(last: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    id: `0190a5c0-0000-7000-8000-${last.padStart(12, '0')}`,
    kind: 'embed',
    model: MODELS.embed.model,
    input: EncodedInput.of({ kind: 'embed', texts: [`Sentence ${last}.`] }),
    buyer: 'person',
    createdAt: START,
    ...changes,
  }
}

/** A signature and a receipt over work that `text` names. */
export function acceptedShare(text: string, creditMacs: bigint, epoch = 0): AcceptedShare {
  const receipt = signReceipt(
    {
      network: signer.publicKeyHex,
      rig,
      epoch,
      kind: 'share',
      ref: sha256Hex(utf8ToBytes(text)),
      macs: creditMacs,
      factorMilli: 1000n,
      verification: 'recomputed',
      acceptedAt: START,
    },
    signer,
  )
  return { signature: `signature of ${text}`, receipt }
}
