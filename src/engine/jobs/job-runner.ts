/** Runs the leased jobs of one device, several at once: renews their leases meanwhile, then delivers results or releases the jobs. */
import { toFailureValue, type FailureCode } from '#shared/domain/errors'
import { inEnglish, message, type Message, refusalMessage } from '#shared/domain/messages'
import type { JobKind, JobSizes } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import { DELIVERED_JOB_STATES } from '#shared/domain/states'
import type { JobOffer } from '#shared/protocol/job'
import type { RigContext } from '../base'
import type { WorkEnergy } from '../ledger'
import { createJobMeter, type JobMeter } from './job-meter'
import type { DeliveryAnswer, NetworkLink } from '../network'
import type { WorkerClient } from '../workers'

const RENEW_MILLISECONDS = 10_000
/** As the network counts: after the third attempt a job fails visibly. */
const MAX_ATTEMPTS = 3

export interface JobRunnerOptions {
  deviceId: string
  /** joules of this device since an arbitrary start, for the difference over a job */
  energyNow: () => WorkEnergy | null
  /** whether running work must end now: the person stopped it, or mining ends */
  isStopping: () => boolean
}

export interface JobOutcome {
  kind: JobKind
  origin: 'person' | 'sample'
  /** of the device: the time of jobs that ran together is shared among them */
  milliseconds: number
  /** null: not known */
  joules: number | null
  /** why it has no result; null: it has one */
  failure: FailureCode | null
  /** null: it has no result */
  sizes: JobSizes | null
  /** The network's to its result, while the device goes on; null: it has none */
  answered: Promise<JobAnswer> | null
}

export interface JobAnswer {
  /** null: the network does not answer now */
  answer: DeliveryAnswer | null
  /** credited, or to be credited once it is checked */
  creditMacs: bigint
  macs: bigint
}

export interface JobRunner {
  /** Runs a job until its result is in the ledger. Never throws for a fault of the job or its worker; the ledger has the outcome. Null: the job was cancelled before it began. */
  run(offer: JobOffer, model: InstalledModel, worker: WorkerClient): Promise<JobOutcome | null>
  /** Refuses a leased job that this device cannot begin: it is queued again, or fails after its last attempt. */
  nack(offer: JobOffer, reason: Message): Promise<void>
  /** Renews the lease of a job that waits for its turn here, until `cancel`. */
  keepAlive(offer: JobOffer): { cancel(): void }
  /** Asks the worker to end a running job; false when the job does not run here. */
  cancel(jobId: string, worker: WorkerClient): boolean
  /** Takes what one run of the worker computed for several jobs: the jobs share its joules and its time by their MACs. */
  computed: JobMeter['computed']
  /** Publishes a piece of a running job's text to whoever ordered the job. `index`: counts the pieces. */
  publish(piece: { jobId: string; text: string; index: number }): void
  /** The device cannot go on now: ends the running jobs, which wait for another attempt. */
  interrupt(reason: Message, worker: WorkerClient): void
  readonly running: readonly RunningJob[]
}

export interface RunningJob {
  readonly id: string
  readonly kind: JobKind
  readonly origin: 'person' | 'sample'
}

/** A running job, and why it may end without a result. */
interface Run extends RunningJob {
  cancelled: boolean
  /** why the network took the lease away; null: it has not */
  lostLease: Message | null
  /** why the device could not go on */
  interrupted: Message | null
}

export function createJobRunner(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log'>,
  link: Pick<NetworkLink, 'networkName' | 'session' | 'submissions'>,
  options: JobRunnerOptions,
): JobRunner {
  const { ledger, clock, events, log } = rig
  const { networkName, session, submissions } = link
  const running = new Map<string, Run>()
  const meter = createJobMeter(clock, options.energyNow)

  const announce = (id: string): void => {
    const row = ledger.workRow(id)
    if (row) events.emit('job.changed', row)
  }

  /** Writes the job into the ledger before anything is done for it. Returns who asked for it. */
  const begin = (offer: JobOffer, model: InstalledModel): 'person' | 'sample' => {
    const known = ledger.workRow(offer.id)
    if (known === null) {
      ledger.insertJob({
        id: offer.id,
        kind: offer.kind,
        origin: 'sample',
        network: networkName,
        modelName: model.manifest.name,
        modelId: model.manifest.id,
        modelHash: model.hash,
        input: offer.input,
      })
    }
    ledger.setJobState(offer.id, 'running', { deviceId: options.deviceId })
    announce(offer.id)
    return known === null || known.origin !== 'person' ? 'sample' : 'person'
  }

  /** `onLost`: the network took the lease away, with the reason that it states. */
  const renewLease = (id: string, onLost: (reason: Message) => void): { cancel(): void } => {
    let timer: { cancel(): void }
    const renew = (): void => {
      session
        .renewJob({ job: id })
        .then((answer) => {
          // Slowed, the lease is renewed the next time.
          if (answer.ok || answer.refusal.code === 'over-budget') return
          log.warn('a job is no longer wanted from this rig', { job: id, code: answer.refusal.code })
          onLost(message('job-lease-lost', { refusal: refusalMessage(answer.refusal.code) }))
        })
        .catch((error: unknown) => log.warn('a lease could not be renewed', { job: id, error: String(error) }))
      timer = clock.setTimeout(renew, RENEW_MILLISECONDS)
    }
    timer = clock.setTimeout(renew, RENEW_MILLISECONDS)
    return { cancel: () => timer.cancel() }
  }

  const endInWorker = (jobId: string, worker: WorkerClient): void => {
    worker.request('job.cancel', { jobId }).catch((error: unknown) => {
      log.warn('the worker did not take a cancellation', { job: jobId, error: String(error) })
    })
  }

  const release = async (id: string, retry: boolean, reason: Message): Promise<void> => {
    try {
      await session.returnJob({ job: id, retry, message: inEnglish.text(reason) })
    } catch (error) {
      // The lease runs out by itself.
      log.warn('a job could not be released', { job: id, error: String(error) })
    }
  }

  /** Ends a failed run: the person cancelled it, the job cannot be done, or the worker failed. Returns the failure's code. */
  const concludeFailure = async (
    offer: JobOffer,
    { origin, cancelled, lostLease, interrupted }: Run,
    error: unknown,
    energy: WorkEnergy | null,
  ): Promise<FailureCode> => {
    const failure =
      interrupted === null ? toFailureValue(error) : { code: 'device-unavailable' as const, words: interrupted }
    const details = { reason: failure.words, ...(energy ? { energy } : {}) }
    if (cancelled) {
      await release(offer.id, false, message('job-cancelled'))
      ledger.setJobState(offer.id, 'cancelled', { ...details, reason: message('job-cancelled') })
    } else if (lostLease !== null) {
      ledger.setJobState(offer.id, origin === 'sample' ? 'returned' : 'failed', { ...details, reason: lostLease })
    } else if (options.isStopping()) {
      await release(offer.id, origin === 'sample', message('job-rig-stopped'))
      if (origin === 'sample')
        ledger.setJobState(offer.id, 'returned', { ...details, reason: message('job-mining-stopped') })
      else ledger.setJobState(offer.id, 'cancelled', { ...details, reason: message('job-stopped-before-done') })
    } else if ((failure.code === 'unavailable' || interrupted !== null) && offer.attempt < MAX_ATTEMPTS) {
      ledger.setJobState(offer.id, 'interrupted', details)
      await release(offer.id, true, failure.words)
      // A synthetic job may go to any rig; a person's job stays with this one.
      if (origin === 'sample') ledger.setJobState(offer.id, 'returned', details)
      else ledger.setJobState(offer.id, 'queued', details)
    } else {
      await release(offer.id, false, failure.words)
      if (failure.code === 'internal')
        log.error('a job failed inside', { job: offer.id, message: inEnglish.text(failure.words) })
      // The reason of a process's end is known only after this point. The usual one is a lack of memory.
      const reason =
        failure.code === 'unavailable'
          ? message('job-worker-keeps-stopping', { attempts: offer.attempt })
          : failure.words
      ledger.setJobState(offer.id, 'failed', { ...details, reason })
    }
    announce(offer.id)
    return failure.code
  }

  const answerOf = (id: string, answer: DeliveryAnswer | null): JobAnswer => {
    const row = ledger.workRow(id)
    const creditMacs = hasCredit({ answer }) ? BigInt(row?.creditMacs ?? 0) : 0n
    return { answer, creditMacs, macs: BigInt(row?.macs ?? 0) }
  }

  return {
    get running() {
      return [...running.values()]
    },
    keepAlive: (offer) => renewLease(offer.id, () => undefined),
    nack: async (offer, reason) => {
      await release(offer.id, true, reason)
      const row = ledger.workRow(offer.id)
      // The network counted the attempt: after the last one it fails the job.
      if (row?.state !== 'queued' || offer.attempt < MAX_ATTEMPTS) return
      ledger.setJobState(offer.id, 'failed', { reason })
      announce(offer.id)
    },
    run: async (offer, model, worker) => {
      const known = ledger.workRow(offer.id)
      if (known !== null && DELIVERED_JOB_STATES.includes(known.state)) {
        // The job was cancelled after it was leased and before it began.
        await release(offer.id, false, message('job-cancelled'))
        return null
      }
      const origin = begin(offer, model)
      const run: Run = { id: offer.id, kind: offer.kind, origin, cancelled: false, lostLease: null, interrupted: null }
      running.set(offer.id, run)
      const lease = renewLease(offer.id, (reason) => {
        if (running.get(offer.id) !== run) return
        run.lostLease = reason
        endInWorker(offer.id, worker)
      })
      const metered = meter.begin(offer.id)
      let spent: ReturnType<typeof metered.end> | null = null
      const outcome: JobOutcome = {
        kind: offer.kind,
        origin,
        milliseconds: 0,
        joules: null,
        failure: null,
        sizes: null,
        answered: null,
      }
      try {
        const result = await worker.request('job.run', {
          jobId: offer.id,
          input: offer.input.text,
          model,
        })
        lease.cancel()
        outcome.sizes = result.sizes
        spent = metered.end()
        running.delete(offer.id)
        const sent = await submissions.job(offer, model.manifest, result, options.deviceId, spent.energy)
        outcome.answered = sent.answer.then((answer) => answerOf(offer.id, answer))
      } catch (error) {
        lease.cancel()
        spent ??= metered.end()
        outcome.failure = await concludeFailure(offer, run, error, spent.energy)
      } finally {
        running.delete(offer.id)
        outcome.milliseconds = spent?.milliseconds ?? 0
        outcome.joules = spent?.energy?.joules ?? null
      }
      return outcome
    },
    computed: meter.computed,
    publish: ({ jobId, text, index }) => {
      const run = running.get(jobId)
      if (run === undefined) return
      // Nobody follows a synthetic job over the network; it is shown where it is made.
      if (run.origin === 'sample') events.emit('job.token', { id: jobId, text, index })
      session
        .publishTokens({ job: jobId, text, index })
        .catch((error: unknown) =>
          log.warn('a piece of an answer could not be published', { job: jobId, error: String(error) }),
        )
    },
    cancel: (jobId, worker) => {
      const run = running.get(jobId)
      if (run === undefined) return false
      run.cancelled = true
      endInWorker(jobId, worker)
      return true
    },
    interrupt: (reason, worker) => {
      for (const run of running.values()) {
        run.interrupted = reason
        endInWorker(run.id, worker)
      }
    },
  }
}

/** Whether a job's result is credited, or is held and will be credited unless a check fails. */
export function hasCredit({ answer }: Pick<JobAnswer, 'answer'>): boolean {
  return answer === 'accepted' || answer === 'held'
}
