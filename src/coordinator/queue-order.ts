/**
 * Which of the queued jobs that a rig can do it gets. Buyers' jobs come before synthetic ones; then jobs that have waited
 * long or have a near deadline; otherwise the rig's own order decides, so that it need not change models with every job.
 */

/** A job that waited this long goes before the rig's preferences: no model's jobs starve. */
export const PATIENCE_MILLISECONDS = 30_000

export interface Candidate {
  /** BUYER_PRIORITY */
  priority: number
  /** order of arrival */
  sequence: number
  /** UTC ms */
  createdAt: number
  /** UTC ms by which it must be done */
  deadline: number | null
  /** place of its model in the rig's order, the preferred one 0 */
  rank: number
  /** how long this rig takes for a job of its model; 0: not known */
  usualMilliseconds: number
}

/** Whether a rig that begins the job now finishes before the deadline. */
export function isInTime(job: Pick<Candidate, 'deadline' | 'usualMilliseconds'>, now: number): boolean {
  return job.deadline === null || now + job.usualMilliseconds <= job.deadline
}

/** The job to offer; undefined: no job can be done in time. */
export function chooseQueued<T extends Candidate>(candidates: readonly T[], now: number): T | undefined {
  const pressing = (job: Candidate): boolean =>
    job.deadline !== null && job.deadline - now - job.usualMilliseconds < PATIENCE_MILLISECONDS
  const waitedLong = (job: Candidate): boolean => now - job.createdAt > PATIENCE_MILLISECONDS
  const compare = (one: Candidate, other: Candidate): number =>
    one.priority - other.priority ||
    Number(pressing(other)) - Number(pressing(one)) ||
    (pressing(one) ? (one.deadline ?? 0) - (other.deadline ?? 0) : 0) ||
    Number(waitedLong(other)) - Number(waitedLong(one)) ||
    (waitedLong(one) ? 0 : one.rank - other.rank) ||
    one.sequence - other.sequence
  return candidates.filter((job) => isInTime(job, now)).toSorted(compare)[0]
}
