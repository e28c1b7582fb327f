/** What every implementation of the coordinator's store must do with deliveries, moved by the delivery queue. */
import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { createDeliveryQueue } from '#coordinator/delivery-queue'
import { createJobQueue } from '#coordinator/job-queue'
import type { CoordinatorStore, DeliveryContent, NewJob, StoredDelivery } from '#coordinator/store'
import type { JobResult } from '#shared/protocol/job'
import { signObject } from '#shared/domain/signed'
import { START } from './coordinator-harness'
import { acceptedShare, lease, leaseRequest, newJob } from './coordinator-store-jobs-suite'

const signer = createSigner('33'.repeat(32))
const content: DeliveryContent = {
  output: [
    [0.5, -1],
    [0.25, 2],
  ],
  evidence: { kind: 'embed', vectorsSha256: 'd'.repeat(64) },
}
const refused = { code: 'wrong-result', message: 'No.', retry: true, maximumAttempts: 2, now: START + 7 } as const
const receiptOf = (text: string, epoch = 0) => acceptedShare(text, 7n, epoch).receipt

/** Registers the tests of a store's deliveries. `open`: returns a new, empty store. */
export function describeStoreOfDeliveries(name: string, open: () => CoordinatorStore): void {
  /** Two coordinators on one store, and a job that is leased. */
  const setUp = async (changes: Partial<NewJob> = {}) => {
    const store = open()
    const jobs = createJobQueue(store)
    await jobs.addJob(newJob('1', changes), lease)
    return { store, jobs, deliveries: createDeliveryQueue(store), others: createDeliveryQueue(store) }
  }

  describe(`${name}: deliveries`, () => {
    it('keeps a delivery with its content, and its job belongs to nobody else', async () => {
      const { store, jobs, deliveries } = await setUp()
      const given = delivery('1')
      expect(await deliveries.deliver(given, content)).toBe(true)
      expect(await deliveries.deliver(given, content)).toBe(false)
      expect(await store.delivery(given.ref)).toEqual({ ...given, delivery: { state: 'delivered' } })
      expect(await store.deliveryContent(given.ref)).toEqual(content)
      expect(await store.delivery('0'.repeat(64))).toBeUndefined()
      expect(await store.deliveryContent('0'.repeat(64))).toBeUndefined()

      const { id } = newJob('1')
      expect(await store.job(id)).toMatchObject({ state: 'delivered', delivery: given.ref, lease })
      expect(await jobs.cancelJob(id)).toBe(false)
      expect(await jobs.leaseNextJob(leaseRequest())).toBeUndefined()
      await jobs.expireLeases({ now: START + 1e9, maximumAttempts: 1, message: '', late: '' })
      expect(await store.job(id)).toMatchObject({ state: 'delivered' })
      expect(await store.jobInput(id)).toEqual(newJob('1').input)
      expect(await store.heldJobs(lease.rig)).toBe(0)
    })

    it('takes one delivery of a job, from the rig that holds it', async () => {
      const { store, deliveries, others } = await setUp()
      expect(await deliveries.deliver(delivery('1', { rig: 'b'.repeat(64) }), content)).toBe(false)
      expect(await deliveries.deliver(delivery('2'), content)).toBe(false)
      const several = [1, 2, 3].map((milliseconds) => delivery('1', { milliseconds }))
      const taken = await Promise.all(
        several.map((one, index) => (index % 2 === 0 ? deliveries : others).deliver(one, content)),
      )
      expect(taken.filter(Boolean)).toHaveLength(1)
      const winner = several[taken.indexOf(true)]?.ref ?? ''
      expect(await store.job(newJob('1').id)).toMatchObject({ state: 'delivered', delivery: winner })
      for (const { ref } of several) expect((await store.delivery(ref)) !== undefined).toBe(ref === winner)
    })

    it('lets one of several begin a check, and others when its pause is over', async () => {
      const { store, deliveries, others } = await setUp()
      const { ref } = delivery('1')
      await deliveries.deliver(delivery('1'), content)
      const due = async (now: number) => (await store.dueDeliveries(now, 10)).map((one) => one.ref)
      expect(await due(START)).toEqual([ref])
      const begun = await Promise.all([deliveries, others, deliveries].map((one) => one.beginCheck(ref, START)))
      expect(begun.filter(Boolean)).toHaveLength(1)
      const nextCheckAt = START + 30_000
      expect((await store.delivery(ref))?.delivery).toEqual({ state: 'checking', checks: 1, nextCheckAt })
      expect([await due(nextCheckAt - 1), await due(nextCheckAt)]).toEqual([[], [ref]])
      expect(await others.beginCheck(ref, nextCheckAt - 1)).toBe(false)
      expect(await others.beginCheck(ref, nextCheckAt)).toBe(true)
      expect((await store.delivery(ref))?.delivery).toMatchObject({ checks: 2 })
    })

    it('settles a delivery once, whoever else judges it: one receipt, and the job is done', async () => {
      const { store, deliveries, others } = await setUp({ knownText: ['ONE'] })
      const given = delivery('1')
      await deliveries.deliver(given, content)
      await deliveries.beginCheck(given.ref, START)
      await Promise.all([
        deliveries.settle(given.ref, receiptOf('one'), START + 5),
        others.settle(given.ref, receiptOf('two'), START + 6),
        others.refuse(given.ref, refused),
      ])
      const judged = await store.delivery(given.ref)
      if (judged?.delivery.state !== 'settled') throw new Error('it is settled')
      const { receipt } = judged.delivery
      expect(judged).toEqual({ ...given, delivery: { state: 'settled', receipt, endedAt: START + 5 } })
      expect(await store.totals()).toEqual({ receipts: 1, creditMacs: 7n })
      const job = await store.job(newJob('1').id)
      expect(job).toMatchObject({ state: 'done', delivery: given.ref, receipt })
      expect([job?.refusal, job?.message, job?.knownText]).toEqual([undefined, undefined, undefined])
      expect(await store.jobInput(newJob('1').id)).toBeUndefined()
      expect(await store.dueDeliveries(START + 1e9, 10)).toEqual([])
      expect(await deliveries.beginCheck(given.ref, START + 1e9)).toBe(false)
    })

    it('refuses a delivery once: the job is queued again while attempts are left, and its answer stays', async () => {
      const { store, jobs, deliveries, others } = await setUp()
      const first = delivery('1')
      await deliveries.deliver(first, content)
      await Promise.all([deliveries.refuse(first.ref, refused), others.refuse(first.ref, refused)])
      const { code, message, now: endedAt } = refused
      expect((await store.delivery(first.ref))?.delivery).toEqual({ state: 'refused', code, message, endedAt })
      expect(await store.job(newJob('1').id)).toMatchObject({ state: 'queued', attempts: 1, refusal: code, message })
      expect((await store.job(newJob('1').id))?.lease).toBeUndefined()
      expect(await store.jobInput(newJob('1').id)).toEqual(newJob('1').input)

      await jobs.leaseNextJob(leaseRequest())
      const second = delivery('1', { milliseconds: 2 })
      await deliveries.deliver(second, content)
      await deliveries.refuse(second.ref, refused)
      expect(await store.job(newJob('1').id)).toMatchObject({ state: 'failed', attempts: 2, refusal: code, message })
      expect((await store.delivery(first.ref))?.delivery).toMatchObject({ state: 'refused', message })
      expect(await store.totals()).toEqual({ receipts: 0, creditMacs: 0n })
    })

    it('keeps a synthetic job that was judged, and lets it be forgotten by nothing else', async () => {
      const { store, jobs, deliveries } = await setUp({ buyer: 'sample', deadline: START + 60_000 })
      await deliveries.deliver(delivery('1'), content)
      await deliveries.refuse(delivery('1').ref, { ...refused, retry: false })
      expect(await store.job(newJob('1').id)).toMatchObject({ state: 'failed', delivery: delivery('1').ref })
      await jobs.expireLeases({ now: START + 60_001, maximumAttempts: 1, message: '', late: '' })
      expect(await store.job(newJob('1').id)).toMatchObject({ state: 'failed' })
    })

    it('credits the same work once an epoch, and forgets an earlier refusal', async () => {
      const { store, jobs, deliveries } = await setUp()
      for (const last of ['2', '3']) await jobs.addJob(newJob(last, { input: newJob('1').input }), lease)
      const settle = async (last: string, epoch: number) => {
        await deliveries.deliver(delivery(last), content)
        await deliveries.settle(delivery(last).ref, receiptOf(`result ${last}`, epoch), START)
        return (await store.delivery(delivery(last).ref))?.delivery
      }
      const early = delivery('1', { milliseconds: 1 })
      await deliveries.deliver(early, content)
      await deliveries.refuse(early.ref, refused)
      await jobs.leaseNextJob(leaseRequest())
      expect(await settle('1', 0)).toMatchObject({ state: 'settled' })
      expect(await store.job(newJob('1').id)).not.toHaveProperty('refusal')
      expect(await settle('2', 0)).toMatchObject({ state: 'refused', code: 'already-credited' })
      expect(await store.job(newJob('2').id)).toMatchObject({ state: 'done', refusal: 'already-credited' })
      expect(await settle('3', 1)).toMatchObject({ state: 'settled' })
      expect(await store.totals()).toEqual({ receipts: 2, creditMacs: 14n })
    })

    it('removes old contents of judged deliveries, some at a time, and keeps what they were', async () => {
      const { store, jobs, deliveries } = await setUp()
      const all = ['1', '2', '3', '4', '5']
      for (const last of all) {
        await jobs.addJob(newJob(last), lease)
        await deliveries.deliver(delivery(last), content)
      }
      await deliveries.settle(delivery('1').ref, receiptOf('1'), START + 1)
      await deliveries.refuse(delivery('2').ref, { ...refused, now: START + 2 })
      await deliveries.settle(delivery('3').ref, receiptOf('3', 1), START + 3)
      await deliveries.settle(delivery('4').ref, receiptOf('4', 2), START + 4)
      const kept = async () => {
        const contents = await Promise.all(all.map((last) => store.deliveryContent(delivery(last).ref)))
        return all.filter((_, index) => contents[index] !== undefined).join('')
      }
      await store.removeDeliveryContents(START + 1, 10)
      expect(await kept()).toBe('12345')
      await store.removeDeliveryContents(START + 4, 2)
      expect((await kept()).length).toBe(3)
      await store.removeDeliveryContents(START + 4, 2)
      expect(await kept()).toBe('45')
      await store.removeDeliveryContents(START + 1e9, 10)
      expect(await kept()).toBe('5')
      expect(await store.delivery(delivery('1').ref)).toMatchObject({
        result: delivery('1').result,
        delivery: { state: 'settled', receipt: receiptOf('1') },
      })
    })
  })
}

function delivery(last: string, changes: Partial<JobResult> = {}): Omit<StoredDelivery, 'delivery'> {
  const { id, kind, model, input } = newJob(last)
  const hash = 'e'.repeat(64)
  const result = signObject(
    'job-result',
    {
      network: signer.publicKeyHex,
      rig: lease.rig,
      job: id,
      kind,
      model,
      inputHash: input.hash,
      outputHash: hash,
      evidenceHash: hash,
      milliseconds: 12.5,
      ...changes,
    },
    signer,
  )
  return { ref: result.id, job: id, rig: result.body.rig, result, deliveredAt: START }
}
