/** What an appraisal is given, and what it says: see `job.appraise` in shared/ipc/worker.ts. */
import type { WorkerMethods } from '#shared/ipc/worker'

export type Claim = Pick<WorkerMethods['job.appraise']['params'], 'output' | 'evidence'>
export type Appraisal = WorkerMethods['job.appraise']['result']

export function wrong(message: string): Appraisal {
  return { state: 'wrong', message }
}
