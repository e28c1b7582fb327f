/** A short measurement of each model that was never measured on a device: what its jobs would earn here. */
import { Failure } from '#shared/domain/errors'
import type { JobInput, JobKind } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { Log } from '../base'
import type { WorkEnergy } from '../ledger'
import { energyBetween } from '../power'
import { expectedCredit, type NetworkState } from '../network'
import type { JobRates } from './job-rates'
import { fitsMemory } from '../models'
import type { WorkerClient } from '../workers'

/** Mining comes first: its first shares, and the large tier's weights, are not held up. */
const FIRST_MILLISECONDS = 30_000
const BETWEEN_MILLISECONDS = 15_000

export interface ModelTrials {
  /** Mining begins. */
  begin(): void
  /** Tries one model where it is time; returns the milliseconds that it took, null: none is due. */
  runNext(worker: () => Promise<WorkerClient>, onBegin: (words: string) => void): Promise<number | null>
  /** A useful job waits: the trial is put off. */
  yield(): void
}

export interface ModelTrialsParts {
  deviceId: string
  memoryBytes: number
  clock: { monotonic(): number }
  log: Log
  models: () => readonly InstalledModel[]
  jobRates: JobRates
  networkState: Pick<NetworkState, 'current'>
  energyNow: () => WorkEnergy | null
  /** Work of a kind that nobody has seen before. */
  sample: (kind: JobKind) => Promise<JobInput>
}

export function createModelTrials(parts: ModelTrialsParts): ModelTrials {
  const { deviceId, clock, log, jobRates } = parts
  /** hashes of models that failed: not tried again before the next start */
  const failed = new Set<string>()
  let dueAt = 0
  let trials = 0
  let cancel: (() => void) | null = null

  const untried = (): InstalledModel | undefined =>
    parts
      .models()
      .find(
        ({ hash, manifest }) =>
          !failed.has(hash) && jobRates.of(deviceId, hash) === null && fitsMemory(manifest, parts.memoryBytes),
      )

  /** Twice the same work: the first run loads the weights and is not counted. */
  const tryOut = async (model: InstalledModel, running: WorkerClient): Promise<void> => {
    const input = await parts.sample(model.manifest.kind)
    const jobId = `trial-${deviceId}-${trials++}`
    cancel = () => void running.request('job.cancel', { jobId }).catch(() => undefined)
    const job = { jobId, input: JSON.stringify(input), model }
    await running.request('job.run', job)
    const before = parts.energyNow()
    const startedAt = clock.monotonic()
    const { sizes } = await running.request('job.run', job)
    jobRates.record(deviceId, model.hash, {
      milliseconds: clock.monotonic() - startedAt,
      creditMacs: Number(
        expectedCredit(parts.networkState.current.parameters, model.manifest, model.hash, sizes).creditMacs,
      ),
      joules: energyBetween(before, parts.energyNow())?.joules ?? null,
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
      onBegin(`Measuring what ${model.manifest.name} earns here`)
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
