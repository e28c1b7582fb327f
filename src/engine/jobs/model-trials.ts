/** Measures each model that was never measured on a device: what jobs of the model would earn there. */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { JobInput, JobKind } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { RigContext } from '../base'
import type { WorkEnergy } from '../ledger'
import { energyBetween } from '../power'
import { expectedCredit, type NetworkLink } from '../network'
import type { JobRates } from './job-rates'
import { fitsMemory } from '../models'
import type { WorkerClient } from '../workers'

/** After the start of mining, before the first trial: trials must delay neither the first shares nor the large tier's weights. */
const FIRST_MILLISECONDS = 30_000
const BETWEEN_MILLISECONDS = 15_000

export interface ModelTrials {
  /** Mining begins. */
  begin(): void
  /** Tries one model if a trial is due. Returns the milliseconds that the trial took; null: none was due. */
  runNext(worker: () => Promise<WorkerClient>, onBegin: (activity: Message) => void): Promise<number | null>
  /** A useful job waits: cancels the trial under way. */
  yield(): void
}

export interface ModelTrialsOptions {
  deviceId: string
  memoryBytes: number
  models: () => readonly InstalledModel[]
  jobRates: JobRates
  energyNow: () => WorkEnergy | null
  /** Draws an input of a kind that no model has seen before. */
  generateInput: (kind: JobKind) => Promise<JobInput>
}

/** The trials of one device. A model that failed is not tried again before the next start. */
export function createModelTrials(
  { clock, log }: Pick<RigContext, 'clock' | 'log'>,
  { networkState }: Pick<NetworkLink, 'networkState'>,
  options: ModelTrialsOptions,
): ModelTrials {
  const { deviceId, jobRates } = options
  /** hashes of models that failed: not tried again before the next start */
  const failed = new Set<string>()
  let dueAt = 0
  let trials = 0
  let cancel: (() => void) | null = null

  const untried = (): InstalledModel | undefined =>
    options
      .models()
      .find(
        ({ hash, manifest }) =>
          !failed.has(hash) &&
          networkState.current.models.has(hash) &&
          jobRates.of(deviceId, hash) === null &&
          fitsMemory(manifest, options.memoryBytes),
      )

  /** Runs the same job twice: the first run loads the weights and is not counted. */
  const tryOut = async (model: InstalledModel, running: WorkerClient): Promise<void> => {
    const input = await options.generateInput(model.manifest.kind)
    const jobId = `trial-${deviceId}-${trials++}`
    cancel = () => void running.request('job.cancel', { jobId }).catch(() => undefined)
    const job = { jobId, input: JSON.stringify(input), model }
    await running.request('job.run', job)
    const before = options.energyNow()
    const startedAt = clock.monotonic()
    const { sizes } = await running.request('job.run', job)
    jobRates.record(deviceId, model.hash, {
      milliseconds: clock.monotonic() - startedAt,
      creditMacs: Number(expectedCredit(networkState.current.models.get(model.hash), sizes).creditMacs),
      joules: energyBetween(before, options.energyNow())?.joules ?? null,
    })
  }

  return {
    begin: () => {
      dueAt = clock.monotonic() + FIRST_MILLISECONDS
    },
    runNext: async (worker, onBegin) => {
      if (clock.monotonic() < dueAt) return null
      const model = untried()
      if (model === undefined) return null
      dueAt = clock.monotonic() + BETWEEN_MILLISECONDS
      const running = await worker()
      onBegin(message('activity-trying-model', { model: model.manifest.name }))
      const startedAt = clock.monotonic()
      try {
        await tryOut(model, running)
      } catch (error) {
        if (!(error instanceof Failure) || error.code === 'unavailable') throw error
        if (error.code !== 'cancelled') {
          failed.add(model.hash)
          log.warn('a model could not be measured', {
            device: deviceId,
            model: model.manifest.id,
            reason: error.message,
          })
        }
      } finally {
        cancel = null
      }
      return clock.monotonic() - startedAt
    },
    yield: () => cancel?.(),
  }
}
