/** Open work of a former run: results are sent again, a person's jobs are queued again, synthetic jobs are returned. */
import type { Coordinator } from '#coordinator/coordinator'
import type { RigContext } from '../base'
import type { OpenJob } from '../ledger'
import type { Submissions } from './submissions'

/** Sends results without an answer again, and wakes the devices if a person's job waits. Call once, at start. `runners`: the loops of devices that can do jobs. */
export async function recoverOpenWork(
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
    // Ends the former run's lease. The network ignores the call for a job that is not leased to this rig.
    await network.returnJob(rigKey, job.id, { retry: true, message: 'the rig was interrupted' })
    if (job.origin !== 'person') {
      ledger.setJobState(job.id, 'returned', { reason: 'the rig was interrupted' })
      continue
    }
    const reason = await whyLost(job, ledger, network)
    if (reason !== null) {
      ledger.setJobState(job.id, 'failed', { reason })
      log.warn('a job of a former run cannot go on', { job: job.id, reason })
      continue
    }
    if (job.state !== 'queued') ledger.setJobState(job.id, 'queued')
    waiting++
  }
  return waiting
}

/** Why the network will not give the job to anyone; null: it waits there. The network does not know a job when the crash came before it was queued. */
async function whyLost(job: OpenJob, ledger: RigContext['ledger'], network: Coordinator): Promise<string | null> {
  const state = await network.jobState(job.id)
  if (state !== undefined)
    return state.state === 'failed' || state.state === 'cancelled' ? (state.message ?? 'the network gave it up') : null
  const input = ledger.jobInput(job.id)
  if (input === null) return 'its input cannot be read from the ledger'
  const answer = await network.enqueueJob({ id: job.id, input, model: job.modelHash, buyer: 'person' })
  return answer.ok ? null : answer.refusal.message
}
