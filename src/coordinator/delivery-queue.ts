/**
 * The deliveries of a store, moved by the state machines of delivery and job together: as in job-queue.ts, whoever loses a
 * race reads again what the winner left. A judgement and what becomes of the job are one transaction.
 */
import type { Receipt } from '#shared/protocol/receipt'
import type { RefusalCode } from '#shared/protocol/refusal'
import type { Signed } from '#shared/domain/signed'
import type { CoordinatorStore, DeliveryContent, JobChange, StoredDelivery } from './store'
import { nextDelivery, nextJob, type SettlementEvent } from './transitions'

/** The sentence of the refusal `already-credited`. */
const ALREADY_CREDITED_MESSAGE = 'The same work was credited in this epoch before.'

export interface DeliveryQueue {
  /** Keeps a delivery of a job that its rig holds. False: the rig does not hold the job, or the delivery is kept already. */
  deliver(delivery: Omit<StoredDelivery, 'delivery'>, content: DeliveryContent): Promise<boolean>
  /** Begins a check: nobody else begins one until its pause is over. False: somebody else has, or it was judged. */
  beginCheck(ref: string, now: number): Promise<boolean>
  /**
   * Receipt, the job's end and the mark that this work was credited in the epoch: all or nothing, and once. Without a receipt
   * where the work was credited before. False: it was judged before.
   */
  settle(ref: string, receipt: Signed<Receipt>, now: number): Promise<boolean>
  /** No credit; the job is queued again if `retry` and attempts are left, failed otherwise. False: it was judged before. */
  refuse(ref: string, refused: RefusedDelivery): Promise<boolean>
}

export interface RefusedDelivery {
  code: RefusalCode
  message: string
  retry: boolean
  maximumAttempts: number
  now: number
}

/** Rejects when the store does. */
export function createDeliveryQueue(
  store: Pick<CoordinatorStore, 'job' | 'delivery' | 'addDelivery' | 'compareAndSetDelivery'>,
): DeliveryQueue {
  /** The next state of the delivery and its job, set together. `judged`: somebody else was faster. */
  const judge = async (ref: string, judgement: SettlementEvent): Promise<'set' | 'judged' | 'already-credited'> => {
    for (;;) {
      const delivery = await store.delivery(ref)
      const job = delivery && (await store.job(delivery.job))
      if (!job) throw new Error('a delivery that is judged is in the store, and its job')
      const next = nextDelivery(delivery.delivery, judgement)
      const nextOfJob = nextJob(job, { type: 'judge', delivery: ref, judgement })
      if (!next.ok) return 'judged'
      if (!nextOfJob.ok) {
        // Both change in one transaction, so another caller judged the delivery after it was read here.
        const since = await store.delivery(ref)
        if (since && !nextDelivery(since.delivery, judgement).ok) return 'judged'
        throw new Error(`the job of a delivery is ${nextOfJob.reason}`)
      }
      const change: JobChange = { expected: job, next: nextOfJob.next }
      const outcome = await store.compareAndSetDelivery(delivery, next.next, change)
      if (outcome !== 'changed') return outcome
    }
  }

  return {
    deliver: async (delivery, content) => {
      for (;;) {
        const job = await store.job(delivery.job)
        if (!job) return false
        const transition = nextJob(job, { type: 'deliver', rig: delivery.rig, delivery: delivery.ref })
        if (!transition.ok) return false
        const kept: StoredDelivery = { ...delivery, delivery: { state: 'delivered' } }
        const outcome = await store.addDelivery(kept, content, { expected: job, next: transition.next })
        if (outcome === 'set') return true
        if (await store.delivery(delivery.ref)) return false
      }
    },
    beginCheck: async (ref, now) => {
      const delivery = await store.delivery(ref)
      if (!delivery) return false
      const transition = nextDelivery(delivery.delivery, { type: 'check', now })
      if (!transition.ok) return false
      return (await store.compareAndSetDelivery(delivery, transition.next)) === 'set'
    },
    settle: async (ref, receipt, now) => {
      const outcome = await judge(ref, { type: 'settle', receipt, now })
      if (outcome !== 'already-credited') return outcome === 'set'
      const refusal = { code: 'already-credited', message: ALREADY_CREDITED_MESSAGE, job: 'done' } as const
      return (await judge(ref, { type: 'refuse', ...refusal, now })) === 'set'
    },
    refuse: async (ref, { code, message, now, ...job }) =>
      (await judge(ref, { type: 'refuse', code, message, now, job })) === 'set',
  }
}
