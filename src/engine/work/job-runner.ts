/** One useful job on one device: leased, run, renewed while it runs, delivered or given back. */
import type { ModelCard } from '#shared/domain/card'
import { toFailureValue } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import { FINAL_JOB_STATES } from '#shared/domain/states'
import type { JobOffer, Network } from '#shared/domain/protocol'
import type { Clock } from '#process/supervisor'
import type { EngineEvents } from '../emitter'
import type { Ledger, WorkEnergy } from '../ledger'
import type { Log } from '../log'
import { energyBetween } from '../work-energy'
import type { Submissions } from './submissions'
import type { WorkerClient } from './worker-client'

export interface RunnableModel {
  card: ModelCard
  hash: string
  /** absolute */
  folder: string
}

const RENEW_MILLISECONDS = 10_000
/** As the network counts: after the third attempt a job fails visibly. */
const MAX_ATTEMPTS = 3

export interface JobRunnerParts {
  deviceId: string
  rigKey: string
  network: Network
  ledger: Ledger
  submissions: Submissions
  clock: Clock
  events: EngineEvents
  log: Log
  /** joules of this device since an arbitrary start, for the difference over a job */
  energyNow: () => WorkEnergy | null
  /** whether the person, or the end of mining, asks that running work be dropped */
  isStopping: () => boolean
}

export interface JobOutcome {
  kind: JobKind
  origin: 'person' | 'sample'
  milliseconds: number
  accepted: boolean
  creditMacs: bigint
  macs: bigint
}

export interface JobRunner {
  /** Never throws for what the job or its worker does; the outcome stands in the ledger. Null: it was taken back before it began. */
  run(offer: JobOffer, model: RunnableModel, worker: WorkerClient): Promise<JobOutcome | null>
  /** Gives back a leased job that this device cannot begin, to be tried again. */
  decline(offer: JobOffer, message: string): Promise<void>
  /** Asks the worker to end the running job; false when it is not this one. */
  cancel(jobId: string, worker: WorkerClient): boolean
  readonly running: { id: string; kind: JobKind; origin: 'person' | 'sample' } | null
}

export function createJobRunner(parts: JobRunnerParts): JobRunner {
  const { ledger, network, clock, events, log, rigKey } = parts
  let running: JobRunner['running'] = null
  let cancelled = false
  /** the network's words, when it gave the running job to nobody or somebody else */
  let lostLease: string | null = null

  const announce = (id: string): void => {
    const row = ledger.jobRow(id)
    if (row) events.emit('job.changed', row)
  }

  /** The job as a row, before it is acted on. */
  const begin = (offer: JobOffer, model: RunnableModel): 'person' | 'sample' => {
    const known = ledger.jobRow(offer.id)
    if (known === null) {
      ledger.insertJob({
        id: offer.id,
        kind: offer.kind,
        origin: 'sample',
        network: network.name,
        modelName: model.card.name,
        modelId: model.card.id,
        modelHash: model.hash,
        input: offer.input,
      })
    }
    ledger.setJobState(offer.id, 'running', { deviceId: parts.deviceId })
    announce(offer.id)
    return known === null || known.origin !== 'person' ? 'sample' : 'person'
  }

  const keepLease = (id: string, worker: WorkerClient): { cancel(): void } => {
    let timer: { cancel(): void }
    const renew = (): void => {
      network
        .renewJob(rigKey, id)
        .then((answer) => {
          if (answer.ok || running?.id !== id) return
          lostLease = answer.refusal.message
          log.warn('a job is no longer wanted from this rig', { job: id, code: answer.refusal.code })
          endInWorker(id, worker)
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

  const giveBack = async (id: string, retry: boolean, message: string): Promise<void> => {
    try {
      await network.returnJob(rigKey, id, { retry, message })
    } catch (error) {
      // The lease runs out by itself.
      log.warn('a job could not be returned', { job: id, error: String(error) })
    }
  }

  /** What a failed run means: taken back by the person, the job's own fault, or the worker's. */
  const concludeFailure = async (
    offer: JobOffer,
    origin: 'person' | 'sample',
    error: unknown,
    energy: WorkEnergy | null,
  ): Promise<void> => {
    const failure = toFailureValue(error)
    const details = { reason: failure.message, ...(energy ? { energy } : {}) }
    if (cancelled) {
      await giveBack(offer.id, false, 'cancelled by the person')
      ledger.setJobState(offer.id, 'cancelled', { ...details, reason: 'cancelled' })
    } else if (lostLease !== null) {
      ledger.setJobState(offer.id, origin === 'sample' ? 'returned' : 'failed', { ...details, reason: lostLease })
    } else if (parts.isStopping()) {
      await giveBack(offer.id, origin === 'sample', 'the rig stopped')
      if (origin === 'sample') ledger.setJobState(offer.id, 'returned', { ...details, reason: 'mining was stopped' })
      else ledger.setJobState(offer.id, 'cancelled', { ...details, reason: 'mining was stopped before it was done' })
    } else if (failure.code === 'unavailable' && offer.attempt < MAX_ATTEMPTS) {
      ledger.setJobState(offer.id, 'interrupted', details)
      await giveBack(offer.id, true, failure.message)
      // A sample may go to any rig; what a person asked for stays with this one.
      if (origin === 'sample') ledger.setJobState(offer.id, 'returned', details)
      else ledger.setJobState(offer.id, 'queued', details)
    } else {
      await giveBack(offer.id, false, failure.message)
      if (failure.code === 'internal') log.error('a job failed inside', { job: offer.id, message: failure.message })
      ledger.setJobState(offer.id, 'failed', { ...details, reason: failure.message })
    }
    announce(offer.id)
  }

  return {
    get running() {
      return running
    },
    decline: async (offer, message) => {
      await giveBack(offer.id, true, message)
      const row = ledger.jobRow(offer.id)
      // The network counted the attempt: after the last one it has given the job up.
      if (row?.state !== 'queued' || offer.attempt < MAX_ATTEMPTS) return
      ledger.setJobState(offer.id, 'failed', { reason: message })
      announce(offer.id)
    },
    run: async (offer, model, worker) => {
      const known = ledger.jobRow(offer.id)
      if (known !== null && FINAL_JOB_STATES.includes(known.state)) {
        // Cancelled between lease and beginning.
        await giveBack(offer.id, false, 'it was taken back')
        return null
      }
      const origin = begin(offer, model)
      running = { id: offer.id, kind: offer.kind, origin }
      cancelled = false
      lostLease = null
      const lease = keepLease(offer.id, worker)
      const startedAt = clock.monotonic()
      const before = parts.energyNow()
      const outcome: JobOutcome = {
        kind: offer.kind,
        origin,
        milliseconds: 0,
        accepted: false,
        creditMacs: 0n,
        macs: 0n,
      }
      try {
        const result = await worker.request('job.run', {
          jobId: offer.id,
          input: offer.input,
          model: { card: model.card, folder: model.folder },
        })
        lease.cancel()
        const energy = energyBetween(before, parts.energyNow())
        outcome.accepted = (await parts.submissions.job(offer, model.card, result, parts.deviceId, energy)) === true
        const row = ledger.jobRow(offer.id)
        outcome.creditMacs = outcome.accepted ? BigInt(row?.creditMacs ?? 0) : 0n
        outcome.macs = BigInt(row?.macs ?? 0)
      } catch (error) {
        lease.cancel()
        await concludeFailure(offer, origin, error, energyBetween(before, parts.energyNow()))
      } finally {
        running = null
        outcome.milliseconds = clock.monotonic() - startedAt
      }
      return outcome
    },
    cancel: (jobId, worker) => {
      if (running?.id !== jobId) return false
      cancelled = true
      endInWorker(jobId, worker)
      return true
    },
  }
}
