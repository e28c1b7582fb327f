/** Jobs that a former run left unfinished: what a person asked for is queued again, samples are given back. */
import type { Coordinator } from '#coordinator/coordinator'
import type { RigContext } from '../base'
import type { Submissions } from './submissions'

/** What a crash left: sent again, taken up again, or given back. `runners`: those that can do jobs. */
export async function takeUpWhatWasLeft(
  rig: Pick<RigContext, 'ledger' | 'log'>,
  { submissions, rigKey }: { submissions: Pick<Submissions, 'recover'>; rigKey: string },
  network: Coordinator,
  runners: () => readonly { wake(): void }[],
): Promise<void> {
  submissions.recover(rig.ledger.recover())
  if ((await recoverJobs(rig, network, rigKey)) > 0) for (const runner of runners()) runner.wake()
}

/** Returns how many jobs wait to be done. Call after `ledger.recover()`. */
async function recoverJobs(
  { ledger, log }: Pick<RigContext, 'ledger' | 'log'>,
  network: Coordinator,
  rigKey: string,
): Promise<number> {
  let waiting = 0
  for (const job of ledger.openJobs()) {
    if (job.network !== network.name) continue
    // The former run's lease is ours to end; a job that was never leased is not ours to return, which changes nothing.
    await network.returnJob(rigKey, job.id, { retry: true, message: 'the rig was interrupted' })
    if (job.origin !== 'person') {
      ledger.setJobState(job.id, 'returned', { reason: 'the rig was interrupted' })
      continue
    }
    // Stored before it was queued: a crash in between is made good here. The same job again changes nothing.
    const answer = await network.enqueueJob({ id: job.id, input: job.input, model: job.modelHash, buyer: 'person' })
    const state = await network.jobState(job.id)
    if (!answer.ok || state?.state === 'failed' || state?.state === 'cancelled') {
      const reason = answer.ok ? (state?.message ?? 'the network gave it up') : answer.refusal.message
      ledger.setJobState(job.id, 'failed', { reason })
      log.warn('a job of a former run cannot go on', { job: job.id, reason })
      continue
    }
    if (job.state !== 'queued') ledger.setJobState(job.id, 'queued')
    waiting++
  }
  return waiting
}
