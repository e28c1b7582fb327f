/**
 * Results of useful jobs as they come: whoever signed them is checked, they are kept, judged at once where that is possible,
 * and answered (protocol.md §3). The same signed result is answered by what became of it, for ever.
 */
import type { JobDelivery } from '#shared/protocol/job'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { Signer, SignatureVerifier } from '#shared/domain/signed'
import type { DeliveryQueue } from './delivery-queue'
import { notHeld, unknownJob } from './jobs'
import type { Judge } from './judge'
import { isSignedBy, refuse } from './refusals'
import type { CoordinatorStore, StoredDelivery } from './store'
import { isHeldBy } from './transitions'

export interface Results {
  submit(delivery: JobDelivery): Promise<Acknowledgement>
  /** What became of a result of this rig; `ref`: id of the signed result. */
  state(rig: string, ref: string): Promise<Acknowledgement>
}

export function createResults(deps: {
  store: CoordinatorStore
  deliveries: DeliveryQueue
  judge: Judge
  clock: { now(): number }
  signatures: SignatureVerifier
  /** the network's */
  signer: Pick<Signer, 'publicKeyHex'>
}): Results {
  const { store, deliveries, judge, clock, signatures, signer } = deps

  return {
    submit: async ({ result, output, evidence }) => {
      const { body, id: ref } = result
      if (body.network !== signer.publicKeyHex) return refuse('malformed', 'The result is for another network.')
      if (!isSignedBy('job-result', result, signatures, body.rig)) {
        return refuse('wrong-key', 'The signature is not that of the rig that the result names.')
      }
      let isNew = false
      if (!(await store.delivery(ref))) {
        const job = await store.job(body.job)
        if (!job) return unknownJob()
        if (!isHeldBy(job, body.rig)) return notHeld(job)
        const kept = { ref, job: job.id, rig: body.rig, result, deliveredAt: clock.now() }
        isNew = await deliveries.deliver(kept, { output, evidence })
      }
      await judge.judge(ref)
      const judged = await store.delivery(ref)
      return judged ? answerTo(judged, !isNew) : notHeld(await store.job(body.job))
    },
    state: async (rig, ref) => {
      const delivery = await store.delivery(ref)
      return delivery?.rig === rig ? answerTo(delivery, true) : unknownJob()
    },
  }
}

function answerTo({ delivery }: StoredDelivery, repeated: boolean): Acknowledgement {
  switch (delivery.state) {
    case 'delivered':
    case 'checking':
      return { ok: true, state: 'held', repeated }
    case 'settled':
      return { ok: true, state: 'accepted', receipt: delivery.receipt, repeated }
    case 'refused':
      return refuse(delivery.code, delivery.message)
  }
}
