/**
 * When something that failed is tried again (architecture.md, "Supervision"): after ever longer delays, until too many
 * failures open the circuit. Pure: time and chance come in as arguments.
 */

export const BACKOFF = {
  firstDelayMilliseconds: 500,
  /** before jitter */
  largestDelayMilliseconds: 60_000,
  /** what ran as long as this begins with the first delay again */
  healthyAfterMilliseconds: 5 * 60_000,
  failuresToOpen: 5,
  failureWindowMilliseconds: 10 * 60_000,
} as const

export type DelayLimits = Readonly<Record<'firstDelayMilliseconds' | 'largestDelayMilliseconds', number>>

/**
 * Milliseconds until the next try: the first delay, doubled by every failure before this one, up to the largest; then
 * between 75 and 125 % of it by `random` (0 ≤ x < 1), so that not everybody tries at the same moment.
 */
export function backoffDelay(failuresBefore: number, random: number, limits: DelayLimits = BACKOFF): number {
  const delay = Math.min(limits.firstDelayMilliseconds * 2 ** failuresBefore, limits.largestDelayMilliseconds)
  return delay * (0.75 + random / 2)
}

export interface FailureHistory {
  /** failures since it last was healthy */
  readonly sinceHealthy: number
  /** when the latest of them were, monotonic milliseconds: those within the failure window */
  readonly recent: readonly number[]
}

export const NO_FAILURES: FailureHistory = { sinceHealthy: 0, recent: [] }

export type AfterFailure =
  | { circuit: 'closed'; history: FailureHistory; delayMilliseconds: number }
  /** nothing is tried until somebody asks for it */
  | { circuit: 'open'; history: FailureHistory }

/** What follows a failure at `now` (monotonic milliseconds) of something that had run for `ranMilliseconds`. */
export function afterFailure(
  before: FailureHistory,
  failure: { now: number; ranMilliseconds: number; random: number },
): AfterFailure {
  const { now, ranMilliseconds, random } = failure
  const { sinceHealthy, recent } = ranMilliseconds >= BACKOFF.healthyAfterMilliseconds ? NO_FAILURES : before
  const history = {
    sinceHealthy: sinceHealthy + 1,
    recent: [...recent.filter((at) => now - at < BACKOFF.failureWindowMilliseconds), now],
  }
  if (history.recent.length >= BACKOFF.failuresToOpen) return { circuit: 'open', history }
  return { circuit: 'closed', history, delayMilliseconds: backoffDelay(sinceHealthy, random) }
}
