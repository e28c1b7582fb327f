/**
 * The jobs of a store, moved by the state machine: each method reads, asks for the next state and sets it, and reads again
 * where another caller changed the job meanwhile. Whoever loses a race so sees what the winner left.
 */
import { leasedFactor } from './kind-factors'
import type { CoordinatorStore, JobLease, JobSetOutcome, LeaseRequest, NewJob, QueuedJob } from './store'
import { createdJob, nextJob, type Impossible, type JobEvent } from './transitions'

/** Number of due jobs that `expireLeases` reads at most of each sort. */
const DUE_AT_ONCE = 100

export interface JobQueue {
  /**
   * With a lease, the job is born leased and its first attempt counts. False when the id is taken, or the rig of the lease
   * holds `mostHeld` jobs.
   */
  addJob(job: NewJob, lease?: JobLease, mostHeld?: number): Promise<boolean>
  /**
   * Leases the queued job that `chooseQueued` names among those that one of the offers can run; synthetic jobs
   * only if `syntheticJobs`. Counts the attempt. Undefined: there is none, or the rig holds as many as it may.
   */
  leaseNextJob(request: LeaseRequest): Promise<QueuedJob | undefined>
  /** Queues jobs again whose lease ended; those out of attempts fail with `message`, queued ones past their deadline with `late`. */
  expireLeases(rule: { now: number; maximumAttempts: number; message: string; late: string }): Promise<void>
  /**
   * Extends a lease, also one that ended while nobody took the job. False when the rig does not hold the job, when the lease
   * has reached its longest life, or when it had ended and the rig holds `mostHeld` other jobs.
   */
  renewLease(renewal: { job: string; rig: string; now: number; expiresAt: number; mostHeld?: number }): Promise<boolean>
  /**
   * Takes the job from the rig: queued again while attempts are left, failed otherwise, and without `retry` once
   * `wordsToGiveUp` rigs returned it so. False when the rig does not hold it.
   */
  releaseJob(release: {
    job: string
    rig: string
    retry: boolean
    maximumAttempts: number
    wordsToGiveUp: number
    message: string
  }): Promise<boolean>
  /** False when the job is finished or unknown. */
  cancelJob(id: string): Promise<boolean>
}

/** Rejects when the store does. */
export function createJobQueue(
  store: Pick<CoordinatorStore, 'addJob' | 'job' | 'nextQueuedJob' | 'dueJobs' | 'compareAndSetJob'>,
): JobQueue {
  /** Says what came of the event. It is tried again after each lost race, which was another caller's success. */
  const apply = async (id: string, event: JobEvent, mostHeld?: number): Promise<Applied> => {
    for (;;) {
      const job = await store.job(id)
      if (!job) return 'unknown'
      const transition = nextJob(job, event)
      if (!transition.ok) return transition.reason
      const isTaken = job.state === 'queued' && transition.next.state === 'leased'
      const outcome = await store.compareAndSetJob(job, transition.next, isTaken ? mostHeld : undefined)
      if (outcome !== 'changed') return outcome
    }
  }
  const isSet = async (id: string, event: JobEvent, mostHeld?: number): Promise<boolean> =>
    (await apply(id, event, mostHeld)) === 'set'

  return {
    addJob: (job, lease, mostHeld) => store.addJob(createdJob(job, lease), job.input, mostHeld),
    leaseNextJob: async (request) => {
      const { rig, expiresAt, renewableUntil, epoch, mostHeld } = request
      for (;;) {
        const queued = await store.nextQueuedJob(request)
        if (!queued) return undefined
        const offer = request.offers.find(({ kind, model }) => kind === queued.kind && model === queued.model)
        if (!offer) throw new Error('the store chose a job that no offer can run')
        const factor = leasedFactor(queued.buyer, offer.factor)
        const lease = { rig, expiresAt, renewableUntil, formula: offer.formula, epoch, factor }
        const transition = nextJob(queued, { type: 'lease', lease })
        if (!transition.ok) continue
        const outcome = await store.compareAndSetJob(queued, transition.next, mostHeld)
        if (outcome === 'set') return transition.next
        if (outcome === 'holds-most') return undefined
      }
    },
    expireLeases: async ({ now, maximumAttempts, message, late }) => {
      for (const { id, state } of await store.dueJobs(now, DUE_AT_ONCE)) {
        if (state === 'queued') await apply(id, { type: 'deadline-passed', now, message: late })
        else await apply(id, { type: 'lease-ended', now, maximumAttempts, message })
      }
    },
    renewLease: ({ job, mostHeld, ...renewal }) => isSet(job, { type: 'renew', ...renewal }, mostHeld),
    releaseJob: ({ job, ...release }) => isSet(job, { type: 'release', ...release }),
    cancelJob: (id) => isSet(id, { type: 'cancel' }),
  }
}

type Applied = 'unknown' | Impossible | Exclude<JobSetOutcome, 'changed'>
