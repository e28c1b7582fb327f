/** Jobs of one model that a worker computes together: the first begins, others join while there is room. */
import type { InstalledModel } from '#shared/domain/model-stages'
import type { JobOutcome, JobRunner } from './job-runner'
import type { LeasedJob } from './job-source'
import type { WorkerClient } from '../workers'

export interface JobBatchParts {
  jobs: Pick<JobRunner, 'run' | 'running'>
  worker: WorkerClient
  model: InstalledModel
  /** how many may run at once */
  limit: () => number
  /** Another job that was asked for, or null. */
  next: () => Promise<LeasedJob | null>
  /** A job of another model was leased: it comes next, and nobody joins any more. */
  onOther: (job: LeasedJob) => void
  /** whether others may still join */
  isOpen: () => boolean
  /** Settles when there may be another job. */
  woken: () => Promise<void>
  onCount: (running: number) => void
  /** `together`: how many ran when it ended, itself included */
  onOutcome: (outcome: JobOutcome, together: number) => void
}

/** Runs `first` and what joins it until all have ended. Rejects then, when one of them could not be written down. */
export async function runBatch(parts: JobBatchParts, first: LeasedJob): Promise<void> {
  const active = new Set<Promise<void>>()
  const errors: unknown[] = []
  let isClosed = false

  const start = (job: LeasedJob): void => {
    const work = run(job).catch((error: unknown) => {
      errors.push(error)
    })
    active.add(work)
    void work.finally(() => {
      active.delete(work)
      if (active.size > 0) parts.onCount(active.size)
    })
    parts.onCount(active.size)
  }
  const run = async (job: LeasedJob): Promise<void> => {
    const outcome = await parts.jobs.run(job.offer, job.model, parts.worker)
    if (outcome !== null) parts.onOutcome(outcome, active.size)
  }
  const hasRoom = (): boolean => !isClosed && errors.length === 0 && parts.isOpen() && active.size < parts.limit()

  start(first)
  while (active.size > 0) {
    const woken = parts.woken()
    if (hasRoom()) {
      // A network that does not answer shows when the device asks again, after the jobs that run now.
      const job = await parts.next().catch(() => null)
      if (job !== null) {
        isClosed = job.model.hash !== parts.model.hash
        if (isClosed) parts.onOther(job)
        else start(job)
        continue
      }
    }
    // Running jobs may have ended while the network was asked.
    if (active.size > 0) await Promise.race([...active, woken])
  }
  if (errors.length > 0) throw errors[0]
}
