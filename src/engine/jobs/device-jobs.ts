/** The useful jobs of one device: which models it leases jobs for, how many it runs at once, and which rates it measures. */
import type { InstalledModel } from '#shared/domain/model-stages'
import type { JobKind } from '#shared/domain/job'
import { messageOf } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { RigContext } from '../base'
import type { WorkEnergy } from '../ledger'
import { expectedCredit, type NetworkLink } from '../network'
import { createBatchLimits } from './batch-limits'
import { runBatch } from './job-batch'
import { createJobRunner, hasCredit, type JobAnswer, type JobOutcome, type JobRunner } from './job-runner'
import { createJobSource, type LeasedJob, type WantedModel } from './job-source'
import type { JobRates } from './job-rates'
import { orderModels } from './model-choice'
import type { SyntheticJobBudget } from './synthetic-job-budget'
import { fitsMemory } from '../models'
import type { WorkerClient } from '../workers'

const ACTIVITIES = { chat: 'activity-chat', embed: 'activity-embed', ocr: 'activity-ocr' } as const

/** Results without an answer yet with which a device takes another job: it does not run far ahead of a network that is slow to check. */
const MOST_UNANSWERED = 16

export interface DeviceJobs {
  /** A job that somebody asked for may wait: running batches and the next `next` ask the network. */
  notifyWork(): void
  readonly workPending: boolean
  /** A leased job to do now, or null. Rejects with a Failure when the network does not answer. */
  next(syntheticJobsWanted: boolean): Promise<LeasedJob | null>
  /** Runs the job and those that join it. Returns the device's milliseconds that synthetic jobs took. Rejects with a Failure when no worker starts. */
  run(job: LeasedJob): Promise<number>
  /** Asks the worker to end a running job. False: the job does not run on this device. */
  cancel(jobId: string): boolean
  /** The device cannot go on now: running jobs end and wait for another attempt. */
  interrupt(reason: Message): void
  /** Takes what one run of the worker computed for several jobs. */
  computed: JobRunner['computed']
  /** A piece of a running job's text goes to whoever ordered it. */
  publish: JobRunner['publish']
  readonly running: JobRunner['running']
  /** Returns jobs that were leased and not begun. */
  release(): Promise<void>
}

/** What the jobs of a device need of the device and its loop. */
export interface DeviceJobsOptions {
  deviceId: string
  memoryBytes: number
  syntheticJobBudget: SyntheticJobBudget
  /** the models that are ready to run */
  models: () => readonly InstalledModel[]
  jobRates: JobRates
  /** joules of the device since an arbitrary start; null: not known */
  energyNow: () => WorkEnergy | null
  /** a job ended: its MACs, its expected credit and its time on the device */
  onWork: (work: { macs: bigint; creditMacs: number; milliseconds: number }) => void
  worker: { ensure(): Promise<WorkerClient>; readonly client: WorkerClient | null }
  isStopping: () => boolean
  /** whether no more jobs are begun */
  isFinishing: () => boolean
  show: (activity: Message, kind: JobKind) => void
}

/** The jobs of one device, put together from source, batches and runner. */
export function createDeviceJobs(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log'>,
  link: Pick<NetworkLink, 'networkName' | 'session' | 'submissions' | 'networkState'>,
  options: DeviceJobsOptions,
): DeviceJobs {
  const { log } = rig
  const { deviceId, jobRates, worker } = options
  const limits = createBatchLimits()
  /** hash of the model of the last job */
  let inUse = ''
  /** a job of another model, leased while the running batch was open: it comes next */
  let leasedAhead: { job: LeasedJob; lease: { cancel(): void } } | null = null
  let wake: () => void = () => undefined

  const jobs = createJobRunner(rig, link, options)

  const wanted = (): WantedModel[] => {
    const loaded = new Set(worker.client?.loadedModels.map(({ hash }) => hash))
    const standings = options
      .models()
      .filter((model) => fitsMemory(model.manifest, options.memoryBytes))
      .map((model) => {
        const rate = jobRates.of(deviceId, model.hash)
        return {
          model,
          ...(rate === null ? {} : { usualMilliseconds: rate.usualMilliseconds }),
          creditPerSecond: rate?.creditPerSecond ?? null,
          creditPerJoule: rate?.creditPerJoule ?? null,
          isInUse: model.hash === inUse,
          isLoaded: loaded.has(model.hash),
        }
      })
    return orderModels(standings)
  }

  const source = createJobSource(rig, link, { models: wanted, syntheticJobBudget: options.syntheticJobBudget })

  const learn = (model: InstalledModel, outcome: JobOutcome, answered: JobAnswer): void => {
    const credited = answered.answer === 'accepted' ? Number(answered.creditMacs) : 0
    options.onWork({ macs: answered.macs, creditMacs: credited, milliseconds: outcome.milliseconds })
    if (hasCredit(answered) && outcome.sizes !== null) {
      // What anybody's job of these sizes earns: a synthetic one earns less.
      const { creditMacs } = expectedCredit(link.networkState.current.models.get(model.hash), outcome.sizes)
      jobRates.record(deviceId, model.hash, { ...outcome, creditMacs: Number(creditMacs) })
    }
  }
  /** Results that the network has not answered yet. */
  const unanswered = new Set<Promise<void>>()
  const awaitAnswer = (model: InstalledModel, outcome: JobOutcome): void => {
    if (outcome.answered === null) {
      options.onWork({ macs: 0n, creditMacs: 0, milliseconds: outcome.milliseconds })
      return
    }
    const answered = outcome.answered
      .then((answer) => learn(model, outcome, answer))
      // It has no answer then, and is sent again by the next run.
      .catch((error: unknown) =>
        log.error('what the network answered to a result could not be taken', {
          device: deviceId,
          error: String(error),
        }),
      )
      .finally(() => unanswered.delete(answered))
    unanswered.add(answered)
  }

  const conclude = (model: InstalledModel, outcome: JobOutcome, together: number): void => {
    awaitAnswer(model, outcome)
    const ranOut = outcome.failure === 'out-of-memory'
    const died = outcome.failure === 'unavailable' && together > 1 && !options.isStopping()
    if (!ranOut && !died) return
    limits.tooMany(model.hash, together)
    log.warn('a device takes fewer jobs at once', {
      device: deviceId,
      model: model.manifest.id,
      atOnce: limits.of({ hash: model.hash, kind: model.manifest.kind }),
      reason: ranOut ? 'its memory ran out' : 'its worker was ended while they ran',
    })
  }

  return {
    notifyWork: () => {
      source.notifyWork()
      wake()
    },
    get workPending() {
      return source.workPending || leasedAhead !== null
    },
    next: async (syntheticJobsWanted) => {
      if (leasedAhead === null) return source.next(syntheticJobsWanted)
      const { job, lease } = leasedAhead
      leasedAhead = null
      lease.cancel()
      return job
    },
    run: async (job) => {
      const { model } = job
      const running = await worker.ensure().catch(async (error: unknown) => {
        source.notifyWork()
        await jobs.nack(job.offer, messageOf(error))
        throw error
      })
      inUse = model.hash
      let syntheticMilliseconds = 0
      await runBatch(
        {
          jobs,
          worker: running,
          model,
          limit: () => limits.of({ hash: model.hash, kind: model.manifest.kind }),
          next: () => source.next(false),
          isOpen: () => !options.isStopping() && !options.isFinishing() && unanswered.size < MOST_UNANSWERED,
          onOther: (other) => {
            leasedAhead = { job: other, lease: jobs.keepAlive(other.offer) }
          },
          woken: () =>
            new Promise((resolve) => {
              wake = resolve
            }),
          onCount: (count) => {
            const { kind, name } = model.manifest
            options.show(message(ACTIVITIES[kind], { jobs: count, model: name }), kind)
          },
          onOutcome: (outcome, together) => {
            conclude(model, outcome, together)
            // The network may have queued the job again.
            if (outcome.failure !== null) source.notifyWork()
            if (outcome.origin !== 'sample') return
            options.syntheticJobBudget.spent(outcome.milliseconds)
            syntheticMilliseconds += outcome.milliseconds
          },
        },
        job,
      )
      const takesMore = (): boolean => !options.isStopping() && !options.isFinishing()
      // Whoever stops the device wakes it: a network that never answers holds up no stop.
      while (unanswered.size >= MOST_UNANSWERED && takesMore())
        await Promise.race([...unanswered, new Promise<void>((resolve) => (wake = resolve))])
      return syntheticMilliseconds
    },
    cancel: (jobId) => worker.client !== null && jobs.cancel(jobId, worker.client),
    interrupt: (reason) => {
      if (worker.client !== null) jobs.interrupt(reason, worker.client)
    },
    computed: jobs.computed,
    publish: jobs.publish,
    get running() {
      return jobs.running
    },
    release: async () => {
      await source.release()
      const waiting = leasedAhead
      leasedAhead = null
      waiting?.lease.cancel()
      if (waiting !== null) await jobs.nack(waiting.job.offer, message('job-rig-stopped'))
    },
  }
}
