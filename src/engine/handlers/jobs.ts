import type { Handlers } from '#shared/contract/index'
import { Failure, messageOf } from '#shared/domain/errors'
import { message, type Message, refusalMessage } from '#shared/domain/messages'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobInput } from '#shared/domain/job'
import { DELIVERED_JOB_STATES } from '#shared/domain/states'
import type { EngineContext } from '../context'
import { localMidnight } from '../base'

/** How long after the deadline the job is looked at: until the deadline the network may still lease it to a rig. */
const LATE_LOOK_MILLISECONDS = 50

export function jobHandlers(
  context: EngineContext,
): Pick<Handlers, 'jobs.page' | 'jobs.get' | 'jobs.summary' | 'jobs.submit' | 'jobs.cancel'> {
  const { ledger, models, networkName, buyer, events, devices, clock } = context
  const announce = (id: string): void => {
    const row = ledger.workRow(id)
    if (row) events.emit('job.changed', row)
  }
  /** Fails the job in the ledger if no device could begin it in time, as the network does, so that the screens show it. */
  const failWhenLate = (id: string, withinSeconds: number): void => {
    const look = async (): Promise<void> => {
      if (context.isClosed() || ledger.workRow(id)?.state !== 'queued') return
      const answer = await buyer.job({ job: id })
      if (!answer.ok || answer.value.state !== 'failed' || ledger.workRow(id)?.state !== 'queued') return
      ledger.setJobState(id, 'failed', { reason: gaveUp(answer.value.message) })
      announce(id)
    }
    clock.setTimeout(
      () =>
        void look().catch((error: unknown) =>
          context.log.error('a late job was not ended', { job: id, error: String(error) }),
        ),
      withinSeconds * 1000 + LATE_LOOK_MILLISECONDS,
    )
  }
  return {
    'jobs.page': async ({ filter, offset, limit }) => ledger.workPage(filter, offset, limit),
    'jobs.get': async ({ id }) => {
      const job = ledger.workDetail(id)
      if (job === null) throw new Failure('not-found', message('job-not-found', { job: id }))
      return job
    },
    'jobs.summary': async () =>
      ledger
        .summaryByKind({ from: localMidnight(clock.now()) })
        .map(({ kind, count, macs, creditMacs, energy, macsWithEnergy }) => ({
          kind,
          count,
          macs: macs.toString(),
          creditMacs: creditMacs.toString(),
          macsPerJoule: energy === null || energy.joules <= 0 ? null : macsWithEnergy / energy.joules,
          joulesCertainty: energy?.certainty ?? null,
          // The energy of some jobs is unknown, their MACs are known: the MACs say how many jobs the known joules belong to.
          joulesPerJob:
            energy === null || macsWithEnergy <= 0 ? null : (energy.joules / count) * (Number(macs) / macsWithEnergy),
        })),
    'jobs.submit': async ({ input, model: wanted, withinSeconds }) => {
      refuseUnusable(input)
      const encoded = encode(input)
      const model = models.resolve(input.kind, wanted)
      const runners = devices.usableRunners().filter((runner) => runner.takesJobs)
      if (runners.length === 0) {
        throw new Failure('device-unavailable', message('job-needs-processor'))
      }
      if (!runners.some((runner) => runner.canRun(model))) {
        throw new Failure('device-unavailable', message('job-model-too-large', { model: model.manifest.name }))
      }
      const stopped = runners.flatMap((runner) =>
        runner.reason === null ? [] : [{ name: runner.deviceId, reason: runner.reason }],
      )
      if (stopped.length === runners.length) {
        throw new Failure('device-unavailable', message('job-devices-stopped', { devices: stopped }))
      }
      const id = context.ids.uuid()
      ledger.insertJob({
        id,
        kind: input.kind,
        origin: 'person',
        network: networkName,
        modelName: model.manifest.name,
        modelId: model.manifest.id,
        modelHash: model.hash,
        input: encoded,
      })
      announce(id)
      try {
        const answer = await buyer.submit({
          id,
          input: encoded,
          model: model.hash,
          ...(withinSeconds === undefined ? {} : { deadline: clock.now() + Math.round(withinSeconds * 1000) }),
        })
        if (!answer.ok) {
          const refusal = refusalMessage(answer.refusal.code)
          throw new Failure('network-refused', message('job-not-taken', { refusal }))
        }
      } catch (error) {
        // The caller gets the error, so the job must not run later.
        ledger.setJobState(id, 'failed', { reason: messageOf(error) })
        announce(id)
        throw error
      }
      if (withinSeconds !== undefined) failWhenLate(id, withinSeconds)
      return { id }
    },
    'jobs.cancel': async ({ id }) => {
      const job = ledger.workRow(id)
      if (job === null || job.kind === 'proof') throw new Failure('not-found', message('job-not-found', { job: id }))
      if (DELIVERED_JOB_STATES.includes(job.state)) return null
      const cancelRunning = (): boolean => devices.runners().some((runner) => runner.cancelJob(id))
      if (cancelRunning()) return null
      await buyer.cancel({ job: id })
      // It may have begun, or ended, while the network was asked.
      const state = ledger.workRow(id)?.state ?? 'cancelled'
      if (cancelRunning() || DELIVERED_JOB_STATES.includes(state)) return null
      ledger.setJobState(id, 'cancelled', { reason: message('job-cancelled') })
      announce(id)
      return null
    },
  }
}

/** Throws Failure `invalid-input` for an input that no model can process, before anything starts. */
function refuseUnusable(input: JobInput): void {
  const texts =
    input.kind === 'chat' ? input.messages.map(({ content }) => content) : input.kind === 'embed' ? input.texts : []
  if (texts.some((text) => text.includes('\0'))) {
    throw new Failure('invalid-input', message('job-text-with-zeros'))
  }
  if (input.kind === 'chat' && texts.every((text) => text.trim() === '')) {
    throw new Failure('invalid-input', message('job-question-empty'))
  }
}

/** Encodes an input once, for the ledger, the network and the worker. Throws Failure `invalid-input`. */
function encode(input: JobInput): EncodedInput {
  const encoded = EncodedInput.tryOf(input)
  if (encoded !== undefined) return encoded
  throw new Failure('invalid-input', message('job-text-half-character'))
}

/** Why the network gave a job up: its words are quoted, since they are not Lode's. */
function gaveUp(words: string | undefined): Message {
  return words === undefined ? message('job-network-gave-up') : message('job-network-says', { words })
}
