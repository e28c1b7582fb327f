/** How many jobs of a model a device takes at once: as many chats as a worker computes together, fewer once its memory ran out. */
import type { JobKind } from '#shared/domain/job'
import { MAX_PARALLEL_CHATS } from '#shared/ipc/worker'

export interface BatchLimits {
  /** How many jobs of a model may run at once. */
  of(model: { hash: string; kind: JobKind }): number
  /** Halves the limit of a model after memory ran out, or the worker was ended, while `running` jobs of it ran. */
  tooMany(modelHash: string, running: number): void
}

export function createBatchLimits(): BatchLimits {
  const lowered = new Map<string, number>()
  return {
    of: ({ hash, kind }) => (kind === 'chat' ? (lowered.get(hash) ?? MAX_PARALLEL_CHATS) : 1),
    tooMany: (hash, running) => void lowered.set(hash, Math.max(1, Math.floor(running / 2))),
  }
}
