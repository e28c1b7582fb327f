/** The bounds of the newest jobs' sizes, kept from when their inputs were at hand. */
import type { EncodedInput } from '#shared/domain/encoded-input'
import { boundsOf, type InputBounds } from './plausibility'
import type { CoordinatorStore } from './store'

/** Older ones are computed again from the store when their result comes. */
const MOST_KEPT = 256

export interface KeptBounds {
  keep(job: string, input: EncodedInput): void
  /** Undefined once the job has ended and its input is gone. Rejects when the store does. */
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
