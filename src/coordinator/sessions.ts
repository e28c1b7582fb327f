/**
 * The sessions that a coordinator serves, each bound to who opened it. A wire opens one only for a key that its other end
 * has proved to hold; inside one program the caller is who it says.
 */
import { auditProtocol } from '#shared/protocol/audit'
import { buyerProtocol } from '#shared/protocol/buyer-session'
import type { Hello, Welcome } from '#shared/protocol/hello'
import type { Acknowledgement, Answer } from '#shared/protocol/refusal'
import { rigProtocol } from '#shared/protocol/rig-session'
import type { SessionService } from '#shared/protocol/session'
import { createSessionService } from '#shared/protocol/session-server'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit, UnitRequest } from '#shared/protocol/unit'
import type { Signed } from '#shared/domain/signed'
import type { Budgets, Spender } from './budgets'
import type { Epochs } from './epochs'
import type { Jobs } from './jobs'
import { refuse, type Refused } from './refusals'
import type { Results } from './results'
import type { Buyer, CoordinatorStore, StoredDelivery } from './store'
import { createTokenStreams } from './tokens'

export interface Sessions {
  /** `rig`: its public key, hex */
  rigSession(rig: string): SessionService
  buyerSession(buyer: Buyer): SessionService
  audit(): SessionService
}

/** The sessions of one coordinator. What one does reaches the events of the others. */
export function createSessions(deps: {
  store: CoordinatorStore
  jobs: Jobs
  budgets: Budgets
  hello: (hello: Signed<Hello>) => Promise<Answer<Welcome>>
  current: () => Promise<Welcome>
  epochs: Epochs['list']
  leaseUnit: (rig: string, request: UnitRequest) => Promise<Answer<Signed<Unit>>>
  submitShare: (share: Signed<ShareSubmission>) => Promise<Acknowledgement>
  results: Results
  /** A model was listed: jobs on it, which waited, can be leased now. */
  onModelListed: (listener: () => void) => void
}): Sessions & { announceSettled(delivery: StoredDelivery): void } {
  const { store, jobs, budgets } = deps
  const tokens = createTokenStreams(store)
  const openRigSessions = new Set<{ rig: string; tellWork: () => void; tellSettled: (ref: string) => void }>()
  /** `from`: the rig whose return put the job into the queue; it knows. */
  const announceWork = (from?: string): void => {
    for (const { rig, tellWork } of Array.from(openRigSessions)) if (rig !== from) tellWork()
  }
  deps.onModelListed(announceWork)
  const isQueuedAgain = async (id: string): Promise<boolean> => {
    const job = await store.job(id)
    return job?.state === 'queued' && job.buyer !== 'sample'
  }
  const current = async () => ({ ok: true as const, value: await deps.current() })
  /** Each message and request is paid before anything of it is parsed. */
  const paid = (who: Spender, service: SessionService): SessionService => ({
    ...service,
    admit: (characters) => budgets.take(who, 'characters', characters),
    handle: async (method, request) =>
      budgets.take(who, method === 'publishTokens' ? 'pieces' : 'requests', 1) ?? service.handle(method, request),
  })

  return {
    announceSettled: ({ ref, rig, delivery }) => {
      for (const session of Array.from(openRigSessions)) if (session.rig === rig) session.tellSettled(ref)
      // Its job may be queued again: who asks in vain loses nothing.
      if (delivery.state === 'refused') announceWork()
    },
    rigSession: (rig) => {
      const service = createSessionService(
        rigProtocol,
        {
          hello: async (hello) => refuseForeignRig(rig, hello) ?? deps.hello(hello),
          current,
          leaseUnit: (request) => deps.leaseUnit(rig, request),
          submitShare: async (share) => refuseForeignRig(rig, share) ?? deps.submitShare(share),
          leaseJob: (request) => jobs.leaseJob(rig, request),
          renewJob: ({ job }) => jobs.renewJob(rig, job),
          returnJob: async ({ job, ...reason }) => {
            const answer = await jobs.returnJob(rig, job, reason)
            if (answer.ok && (await isQueuedAgain(job))) announceWork(rig)
            return answer
          },
          submitJob: async (delivery) => refuseForeignRig(rig, delivery.result) ?? deps.results.submit(delivery),
          delivery: ({ ref }) => deps.results.state(rig, ref),
          publishTokens: (piece) => tokens.publish(rig, piece),
        },
        (emit) => {
          const listening = {
            rig,
            tellWork: () => emit('work', {}),
            tellSettled: (ref: string) => emit('settled', { ref }),
          }
          openRigSessions.add(listening)
          return () => void openRigSessions.delete(listening)
        },
      )
      return paid({ role: 'rig', key: rig }, service)
    },
    buyerSession: (buyer) => {
      const service = createSessionService(
        buyerProtocol,
        {
          submit: async (job) => {
            const answer = await jobs.enqueueJob(buyer, job)
            if (answer.ok) announceWork()
            return answer
          },
          cancel: ({ job }) => jobs.cancelJob(buyer, job),
          job: ({ job }) => jobs.jobState(buyer, job),
        },
        (emit) => tokens.follow(buyer, (piece) => emit('tokens', piece)),
      )
      return paid({ role: 'buyer', key: buyer }, service)
    },
    audit: () =>
      createSessionService(
        auditProtocol,
        { current, epochs: async ({ from, limit }) => ({ ok: true as const, value: await deps.epochs(from, limit) }) },
        () => () => undefined,
      ),
  }
}

/** What a rig signs names it; the session knows which one it is. */
function refuseForeignRig(rig: string, signed: Signed<{ rig: string }>): Refused | undefined {
  return signed.body.rig === rig ? undefined : refuse('wrong-key', "It names another rig than this session's.")
}
