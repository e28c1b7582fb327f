/** Open work of a former run: results are sent again, a person's jobs are queued again, synthetic jobs are returned. */
import { inEnglish, message, type Message, refusalMessage } from '#shared/domain/messages'
import type { RigContext } from '../base'
import type { OpenJob } from '../ledger'
import type { NetworkLink } from './link'

type RecoveryLink = Pick<NetworkLink, 'networkName' | 'session' | 'buyer'> & {
  submissions: Pick<NetworkLink['submissions'], 'recover'>
}

/** Sends results without an answer again, and wakes the devices if a person's job waits. Call once, at start. `runners`: the loops of devices that can do jobs. */
export async function recoverOpenWork(
  rig: Pick<RigContext, 'ledger' | 'log'>,
  link: RecoveryLink,
  runners: () => readonly { wake(): void }[],
): Promise<void> {
  link.submissions.recover(rig.ledger.recover())
  if ((await recoverJobs(rig, link)) > 0) for (const runner of runners()) runner.wake()
}

/** Returns how many jobs wait to be done. Call after `ledger.recover()`. */
async function recoverJobs(
  { ledger, log }: Pick<RigContext, 'ledger' | 'log'>,
  { networkName, session, buyer }: RecoveryLink,
): Promise<number> {
  let waiting = 0
  for (const job of ledger.openJobs()) {
    if (job.network !== networkName) continue
    // Ends the former run's lease. The network ignores the call for a job that is not leased to this rig.
    await session.returnJob({ job: job.id, retry: true, message: 'the rig was interrupted' })
    if (job.origin !== 'person') {
      ledger.setJobState(job.id, 'returned', { reason: message('job-rig-interrupted') })
      continue
    }
    const reason = await whyLost(job, ledger, buyer)
    if (reason !== null) {
      ledger.setJobState(job.id, 'failed', { reason })
      log.warn('a job of a former run cannot go on', { job: job.id, reason: inEnglish.text(reason) })
      continue
    }
    if (job.state !== 'queued') ledger.setJobState(job.id, 'queued')
    waiting++
  }
  return waiting
}

/** Why the network will not give the job to anyone; null: it waits there. The network does not know a job when the crash came before it was queued. */
async function whyLost(
  job: OpenJob,
  ledger: RigContext['ledger'],
  buyer: NetworkLink['buyer'],
): Promise<Message | null> {
  const known = await buyer.job({ job: job.id })
  if (known.ok) {
    const { state, message: words } = known.value
    if (state !== 'failed' && state !== 'cancelled') return null
    return words === undefined ? message('job-network-gave-up') : message('job-network-says', { words })
  }
  const input = ledger.jobInput(job.id)
  if (input === null) return message('job-input-lost')
  const answer = await buyer.submit({ id: job.id, input, model: job.modelHash })
  return answer.ok ? null : message('job-not-taken', { refusal: refusalMessage(answer.refusal.code) })
}
