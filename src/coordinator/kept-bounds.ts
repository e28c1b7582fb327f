/** A cache of the bounds of the newest jobs' sizes: they are computed from the inputs when the jobs are queued. */
import type { EncodedInput } from '#shared/domain/encoded-input'
import { boundsOf, type InputBounds } from './plausibility'
import type { CoordinatorStore } from './store'

/** Number of cached bounds. Bounds of older jobs are computed again from the store when the result comes. */
const MOST_KEPT = 256

export interface KeptBounds {
  /** Computes and keeps the bounds of a job that is queued. */
  keep(job: string, input: EncodedInput): void
  /** The bounds of a job. Undefined once the job has ended and its input was deleted. Rejects when the store does. */
  of(job: string): Promise<InputBounds | undefined>
}

export function createKeptBounds(store: Pick<CoordinatorStore, 'jobInput'>): KeptBounds {
  const kept = new Map<string, InputBounds>()
  return {
    keep: (job, input) => {
      kept.set(job, boundsOf(input.value))
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_KEPT) break
        kept.delete(oldest)
      }
    },
    of: async (job) => {
      const known = kept.get(job)
      if (known) return known
      const input = await store.jobInput(job)
      return input && boundsOf(input.value)
    },
  }
}
