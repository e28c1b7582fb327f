/**
 * What a job, a delivery and a unit may become (protocol.md §§2, 3): pure functions from a state and an event to the next
 * state, or to the reason why that event cannot happen. They know neither a store nor a clock: a store compares and sets
 * what they answer, so that all stores agree.
 */
import type { RefusalCode } from '#shared/protocol/refusal'
import type { Receipt } from '#shared/protocol/receipt'
import type { Signed } from '#shared/domain/signed'
import type { TierName } from '#shared/domain/tiers'
import { workHash } from './work-hash'
import type { Delivery, JobLease, NewJob, QueuedJob, StoredJobState, UnitRecord } from './store'

/** Why an event cannot happen in this state. */
export type Impossible =
  | 'not-queued'
  /** the rig neither holds the job nor held it last */
  | 'not-held'
  /** the lease has lasted as long as a lease may */
  | 'worn-out'
  /** the lease or the deadline that would end has not ended */
  | 'not-due'
  | 'ended'
  /** a result of the job is being checked */
  | 'delivered'
  /** exactly this result was judged before */
  | 'judged'

export type Transition<T> = { ok: true; next: T } | { ok: false; reason: Impossible }

/** Ends a job's attempt without a result. */
interface AttemptEnd {
  /** leases of one job before it fails */
  maximumAttempts: number
  /** why the job failed, if it did */
  message: string
}

export type JobEvent =
  | { type: 'lease'; lease: JobLease }
  /** `now`, `expiresAt`: UTC ms */
  | { type: 'renew'; rig: string; now: number; expiresAt: number }
  | ({ type: 'lease-ended'; now: number } & AttemptEnd)
  | { type: 'deadline-passed'; now: number; message: string }
  /** The rig returns the job. Without `retry` it says that no rig can do it, and so many rigs' word ends the job. */
  | ({ type: 'release'; rig: string; retry: boolean; wordsToGiveUp: number } & AttemptEnd)
  | { type: 'cancel' }
  /** `delivery`: id of the signed result */
  | { type: 'deliver'; rig: string; delivery: string }
  | { type: 'judge'; delivery: string; judgement: SettlementEvent }

/** A job as it comes into the store: queued, or leased at once, its first attempt. */
export function createdJob({ input, ...job }: NewJob, lease?: JobLease): QueuedJob {
  const created: QueuedJob = { ...job, inputHash: input.hash, workHash: workHash(input), state: 'queued', attempts: 0 }
  return lease ? { ...created, state: 'leased', attempts: 1, lease } : created
}

/** The job after the event. Nothing is changed in `job` itself. */
export function nextJob(job: QueuedJob, event: JobEvent): Transition<QueuedJob> {
  if (isEnded(job.state)) return impossible(event.type === 'judge' ? reasonOfEnd(job, event.delivery) : 'ended')
  switch (event.type) {
    case 'lease':
      if (job.state !== 'queued') return impossible('not-queued')
      return become({ ...job, state: 'leased', attempts: job.attempts + 1, lease: event.lease })
    case 'renew':
      if (!isHeldBy(job, event.rig)) return impossible('not-held')
      if (event.now > job.lease.renewableUntil) return impossible('worn-out')
      return become({ ...job, state: 'leased', lease: { ...job.lease, expiresAt: event.expiresAt } })
    case 'lease-ended':
      if (job.state !== 'leased' || !job.lease || job.lease.expiresAt >= event.now) return impossible('not-due')
      // A synthetic job was this rig's test: it is not another one's.
      return become(retried(job, job.buyer !== 'sample', event))
    case 'deadline-passed':
      if (job.state !== 'queued' || job.deadline === undefined || job.deadline >= event.now)
        return impossible('not-due')
      return become(ended(job, 'failed', event.message))
    case 'release':
      if (!isHeldBy(job, event.rig)) return impossible('not-held')
      return become(released(withoutLease(job), event))
    case 'cancel':
      return job.state === 'delivered' ? impossible('delivered') : become(ended(job, 'cancelled'))
    case 'deliver':
      if (!isHeldBy(job, event.rig)) return impossible('not-held')
      return become({ ...job, state: 'delivered', delivery: event.delivery })
    case 'judge':
      if (job.delivery !== event.delivery) return impossible('not-held')
      return job.state === 'delivered' ? become(judged(job, event.judgement)) : impossible('judged')
  }
}

export type SettlementEvent =
  | { type: 'settle'; receipt: Signed<Receipt>; now: number }
  | {
      type: 'refuse'
      code: RefusalCode
      message: string
      now: number
      /** What becomes of the job: `done` although nothing is credited, or released as a rig releases it. */
      job: 'done' | { retry: boolean; maximumAttempts: number }
    }

/** `check`: somebody begins to judge it; whoever else would has to wait for the pause that follows the checks before. */
export type DeliveryEvent = { type: 'check'; now: number } | SettlementEvent

/** Pauses between two checks of a delivery double from the first to the largest: an appraiser that is away is not asked without end. */
const FIRST_PAUSE_MILLISECONDS = 30_000
const LARGEST_PAUSE_MILLISECONDS = 900_000

export function nextDelivery(delivery: Delivery, event: DeliveryEvent): Transition<Delivery> {
  if (delivery.state === 'settled' || delivery.state === 'refused') return impossible('judged')
  switch (event.type) {
    case 'check': {
      const checks = delivery.state === 'checking' ? delivery.checks : 0
      if (delivery.state === 'checking' && event.now < delivery.nextCheckAt) return impossible('not-due')
      const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** checks, LARGEST_PAUSE_MILLISECONDS)
      return become({ state: 'checking', checks: checks + 1, nextCheckAt: event.now + pause })
    }
    case 'settle':
      return become({ state: 'settled', receipt: event.receipt, endedAt: event.now })
    case 'refuse':
      return become({ state: 'refused', code: event.code, message: event.message, endedAt: event.now })
  }
}

/** Whether a rig may still deliver a job: the job is leased to it, or was leased to it last. */
export function isHeldBy<T extends Pick<QueuedJob, 'state' | 'lease'>>(
  job: T,
  rig: string,
): job is T & { lease: JobLease } {
  return (job.state === 'queued' || job.state === 'leased') && job.lease?.rig === rig
}

export function isEnded(state: StoredJobState): state is 'done' | 'failed' | 'cancelled' {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}

/** A synthetic job that ended without a result: nobody asks for it, so a store does not keep it. */
export function isForgotten(job: Pick<QueuedJob, 'buyer' | 'state' | 'delivery'>): boolean {
  return job.buyer === 'sample' && isEnded(job.state) && job.delivery === undefined
}

/** `leased` until it expires, then known for a while as `expired`, so that a late share hears why; `closed` is forgotten. */
export type UnitState = 'leased' | 'expired' | 'closed'

/** Units are known this long after they expired. */
export const UNIT_MEMORY_MILLISECONDS = 3_600_000

/** A unit's state at a time, UTC ms: it ends by time alone. */
export function unitStateAt(unit: Pick<UnitRecord, 'expiresAt'>, now: number): UnitState {
  if (now <= unit.expiresAt) return 'leased'
  return unit.expiresAt < forgottenUnitExpiry(now) ? 'closed' : 'expired'
}

/** Units that expired before this time (UTC ms) are closed. */
export function forgottenUnitExpiry(now: number): number {
  return now - UNIT_MEMORY_MILLISECONDS
}

/** Why a unit takes no share of this rig and tier at this time; undefined: it takes it. */
export function unitRefusal(
  unit: UnitRecord | undefined,
  share: { rig: string; tier: TierName; now: number },
): Extract<RefusalCode, 'foreign-unit' | 'expired-unit' | 'wrong-tier'> | undefined {
  if (!unit || unit.rig !== share.rig) return 'foreign-unit'
  if (unitStateAt(unit, share.now) !== 'leased') return 'expired-unit'
  return unit.tier === share.tier ? undefined : 'wrong-tier'
}

function judged(job: QueuedJob, judgement: SettlementEvent): QueuedJob {
  const { refusal: _refusal, message: _message, ...answered } = job
  if (judgement.type === 'settle') return ended({ ...answered, receipt: judgement.receipt }, 'done')

  const { code, message } = judgement
  const refused: QueuedJob = { ...answered, refusal: code, message }
  if (judgement.job === 'done') return ended(refused, 'done', message)
  const { retry, maximumAttempts } = judgement.job
  return retried(withoutLease(refused), retry, { maximumAttempts, message })
}

function released(job: QueuedJob, event: Extract<JobEvent, { type: 'release' }>): QueuedJob {
  if (event.retry) return retried(job, true, event)
  const declinedBy = [...new Set(job.declinedBy).add(event.rig)]
  return declinedBy.length < event.wordsToGiveUp
    ? retried({ ...job, declinedBy }, true, event)
    : retried(job, false, event)
}

function reasonOfEnd(job: QueuedJob, delivery: string): Impossible {
  return job.delivery === delivery ? 'judged' : 'ended'
}

/** Queued again while attempts are left. */
function retried(job: QueuedJob, retry: boolean, { maximumAttempts, message }: AttemptEnd): QueuedJob {
  return retry && job.attempts < maximumAttempts ? { ...job, state: 'queued' } : ended(job, 'failed', message)
}

/** The known answer is forgotten with the input: no later rig is tested with it. */
function ended(job: QueuedJob, state: 'done' | 'failed' | 'cancelled', message?: string): QueuedJob {
  const { knownText: _knownText, message: _message, ...rest } = job
  return { ...rest, state, ...(message !== undefined && { message }) }
}

function withoutLease({ lease: _lease, ...job }: QueuedJob): QueuedJob {
  return job
}

function become<T>(next: T): Transition<T> {
  return { ok: true, next }
}

function impossible(reason: Impossible): { ok: false; reason: Impossible } {
  return { ok: false, reason }
}
