/** A batch of jobs of one model that a worker computes together: the first job begins, others join up to the limit. */
import type { InstalledModel } from '#shared/domain/model-stages'
import type { JobOutcome, JobRunner } from './job-runner'
import type { LeasedJob } from './job-source'
import type { WorkerClient } from '../workers'

export interface JobBatchOptions {
  jobs: Pick<JobRunner, 'run' | 'running'>
  worker: WorkerClient
  model: InstalledModel
  /** how many may run at once */
  limit: () => number
  /** Leases another job that somebody asked for; null: there is none. */
  next: () => Promise<LeasedJob | null>
  /** A job of another model was leased: it comes next, and no other job joins this batch. */
  onOther: (job: LeasedJob) => void
  /** whether others may still join */
  isOpen: () => boolean
  /** Settles when there may be another job. */
  woken: () => Promise<void>
  onCount: (running: number) => void
  /** `together`: how many jobs ran when this one ended, this one included */
  onOutcome: (outcome: JobOutcome, together: number) => void
}

/** Runs `first` and the jobs that join it until all have ended. Rejects then if a job could not be written into the ledger. */
export async function runBatch(options: JobBatchOptions, first: LeasedJob): Promise<void> {
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
      if (active.size > 0) options.onCount(active.size)
    })
    options.onCount(active.size)
  }
  const run = async (job: LeasedJob): Promise<void> => {
    const outcome = await options.jobs.run(job.offer, job.model, options.worker)
    if (outcome !== null) options.onOutcome(outcome, active.size)
  }
  const mayJoin = (): boolean => !isClosed && errors.length === 0 && options.isOpen() && active.size < options.limit()

  start(first)
  while (active.size > 0) {
    const woken = options.woken()
    if (mayJoin()) {
      // If the network does not answer, the device finds out when it asks again, after the jobs that run now.
      const job = await options.next().catch(() => null)
      if (job !== null) {
        isClosed = job.model.hash !== options.model.hash
        if (isClosed) options.onOther(job)
        else start(job)
        continue
      }
    }
    // Running jobs may have ended while the network was asked.
    if (active.size > 0) await Promise.race([...active, woken])
  }
  if (errors.length > 0) throw errors[0]
}
