/**
 * Where a device's useful jobs come from. What somebody asked for is fetched at once; a generated sample is asked for in
 * the background, since the network has to draw it first and the device goes on proving meanwhile.
 */
import { Failure } from '#shared/domain/errors'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { JobOffer } from '#shared/protocol/job'
import type { Log } from '../base'
import type { VerifiedSession } from '../network'
import type { SampleBudget } from './sample-budget'

export interface LeasedJob {
  offer: JobOffer
  model: InstalledModel
}

/** A model that the device could run jobs of now. */
export interface WantedModel {
  model: InstalledModel
  /** what a job of it takes here; absent: not measured */
  usualMilliseconds?: number
}

export interface JobSource {
  /** A job that somebody asked for may wait: the next `next` asks the network. */
  notifyWork(): void
  /** A leased job to do now, or null. Rejects with a Failure when the network does not answer. */
  next(samplesWanted: boolean): Promise<LeasedJob | null>
  /** Work was notified, and the network was not asked since. */
  readonly workPending: boolean
  /** Returns a sample that was leased and not begun. */
  release(): Promise<void>
}

export function createJobSource(parts: {
  session: Pick<VerifiedSession, 'leaseJob' | 'returnJob'>
  /** the preferred first */
  models: () => readonly WantedModel[]
  sampleBudget: SampleBudget
  log: Log
}): JobSource {
  const { session, log, sampleBudget } = parts
  let pending = true
  let asking: Promise<void> | null = null
  let ready: LeasedJob | null = null
  let unwanted = false

  const returnJob = async (offer: JobOffer, message: string): Promise<void> => {
    await session.returnJob({ job: offer.id, retry: true, message })
  }

  const lease = async (samples: boolean): Promise<LeasedJob | null> => {
    const models = parts.models()
    if (models.length === 0) return null
    const answer = await session.leaseJob({
      models: models.map(({ model: { manifest, hash }, usualMilliseconds }) => ({
        kind: manifest.kind,
        model: hash,
        macFormula: manifest.macFormula,
        ...(usualMilliseconds === undefined ? {} : { usualMilliseconds }),
      })),
      samples,
    })
    if (!answer.ok) {
      const { code, message } = answer.refusal
      if (code !== 'no-work') log.warn('no job', { code, message })
      return null
    }
    const wanted = models.find(({ model }) => model.hash === answer.value.model)
    if (wanted) return { offer: answer.value, model: wanted.model }
    await returnJob(answer.value, 'this rig no longer has the model')
    return null
  }

  const askForSample = (): void => {
    unwanted = false
    asking = lease(true)
      .then(async (leased) => {
        if (leased === null) sampleBudget.declined()
        else if (unwanted) await returnJob(leased.offer, 'the rig stopped')
        else ready = leased
      })
      .catch((error: unknown) => {
        sampleBudget.declined()
        // An engine that stops ends its verifier too: that is expected.
        if (!unwanted && (!(error instanceof Failure) || error.code !== 'cancelled'))
          log.warn('no sample', { error: String(error) })
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
    next: async (samplesWanted) => {
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
      if (samplesWanted && asking === null && sampleBudget.isDue()) askForSample()
      return null
    },
    release: async () => {
      unwanted = true
      const leased = ready
      ready = null
      if (leased !== null)
        await returnJob(leased.offer, 'the rig stopped').catch((error: unknown) =>
          log.warn('a sample could not be returned', { error: String(error) }),
        )
    },
  }
}
