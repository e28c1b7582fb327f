/**
 * Leases a device's useful jobs from the network. A job that somebody asked for is leased at once. A synthetic job is
 * requested in the background: the network has to draw it first, and the device goes on proving meanwhile.
 */
import { Failure } from '#shared/domain/errors'
import { message, refusalMessage } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { JobOffer } from '#shared/protocol/job'
import type { RigContext } from '../base'
import type { NetworkLink } from '../network'
import type { SyntheticJobBudget } from './synthetic-job-budget'

export interface LeasedJob {
  offer: JobOffer
  model: InstalledModel
}

/** A model that the device could run jobs of now. */
export interface WantedModel {
  model: InstalledModel
  /** how long a job of the model takes on this device; absent: not measured */
  usualMilliseconds?: number
}

export interface JobSource {
  /** A job that somebody asked for may wait: the next `next` asks the network. */
  notifyWork(): void
  /** A leased job to do now, or null. Rejects with a Failure when the network does not answer. */
  next(syntheticJobsWanted: boolean): Promise<LeasedJob | null>
  /** whether work was notified and the network was not asked after that */
  readonly workPending: boolean
  /** Returns a synthetic job that was leased and not begun. */
  release(): Promise<void>
}

export interface JobSourceOptions {
  /** the preferred first */
  models: () => readonly WantedModel[]
  syntheticJobBudget: SyntheticJobBudget
}

/** The source of one device's jobs. Its first `next` asks the network, since jobs may wait from before. */
export function createJobSource(
  { log }: Pick<RigContext, 'log'>,
  { session }: Pick<NetworkLink, 'session'>,
  { models: wantedModels, syntheticJobBudget }: JobSourceOptions,
): JobSource {
  let pending = true
  let asking: Promise<void> | null = null
  let ready: LeasedJob | null = null
  let unwanted = false

  const returnJob = async (offer: JobOffer, message: string): Promise<void> => {
    await session.returnJob({ job: offer.id, retry: true, message })
  }

  const lease = async (syntheticToo: boolean): Promise<LeasedJob | null> => {
    const models = wantedModels()
    if (models.length === 0) return null
    const answer = await session.leaseJob({
      models: models.map(({ model: { hash }, usualMilliseconds }) => ({
        model: hash,
        ...(usualMilliseconds === undefined ? {} : { usualMilliseconds }),
      })),
      samples: syntheticToo,
    })
    if (!answer.ok) {
      const { code, message: words } = answer.refusal
      // The job that waits is asked for again when the pause is over.
      if (code === 'over-budget')
        throw new Failure('network-refused', message('network-no-job', { refusal: refusalMessage(code) }))
      if (code !== 'no-work') log.warn('no job', { code, message: words })
      return null
    }
    const { kind, model: hash } = answer.value
    const wanted = models.find(({ model }) => model.hash === hash && model.manifest.kind === kind)
    if (wanted) return { offer: answer.value, model: wanted.model }
    await returnJob(answer.value, 'this rig no longer has the model')
    return null
  }

  const askForSyntheticJob = (): void => {
    unwanted = false
    asking = lease(true)
      .then(async (leased) => {
        if (leased === null) syntheticJobBudget.noneAvailable()
        else if (unwanted) await returnJob(leased.offer, 'the rig stopped')
        else ready = leased
      })
      .catch((error: unknown) => {
        syntheticJobBudget.noneAvailable()
        // An engine that stops ends its verifier and its session too: no reason for a warning.
        if (!unwanted && (!(error instanceof Failure) || error.code !== 'cancelled'))
          log.warn('no synthetic job', { error: String(error) })
      })
      .finally(() => {
        asking = null
      })
  }

  return {
    notifyWork: () => {
      pending = true
    },
    get workPending() {
      return pending
    },
    next: async (syntheticJobsWanted) => {
      if (pending) {
        // Cleared before the request: a notification that comes while it is answered counts for the next one.
        pending = false
        try {
          const leased = await lease(false)
          if (leased !== null) {
            // More jobs may wait.
            pending = true
            return leased
          }
        } catch (error) {
          pending = true
          throw error
        }
      }
      if (ready !== null) {
        const leased = ready
        ready = null
        return leased
      }
      if (syntheticJobsWanted && asking === null && syntheticJobBudget.isDue()) askForSyntheticJob()
      return null
    },
    release: async () => {
      unwanted = true
      const leased = ready
      ready = null
      if (leased !== null)
        await returnJob(leased.offer, 'the rig stopped').catch((error: unknown) =>
          log.warn('a synthetic job could not be returned', { error: String(error) }),
        )
    },
  }
}
