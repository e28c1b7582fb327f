/** Useful jobs on their way to a rig and back into the queue: enqueued, leased, renewed, returned (protocol.md §3). */
import { bytesToHex } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { EncodedInput } from '#shared/domain/encoded-input'
import { jobKinds, type JobInput, type JobKind } from '#shared/domain/job'
import { isNetworkKey } from '#shared/domain/signed'
import type { JobOffer, JobRequest, NewBuyerJob } from '#shared/protocol/job'
import type { ListedModel } from '#shared/protocol/parameters'
import type { Answer } from '#shared/protocol/refusal'
import type { BuyerJobState } from '#shared/protocol/buyer-session'
import { v7 } from 'uuid'
import type { CoordinatorConfiguration } from './configuration'
import type { Epochs } from './epochs'
import type { JobQueue } from './job-queue'
import { leasedFactor } from './kind-factors'
import type { ListedModels } from './listed-models'
import type { Records } from './record'
import { sentenceOf } from '#shared/protocol/bounds'
import { refuse } from './refusals'
import type { Buyer, CoordinatorStore, JobLease, LeaseRequest, QueuedJob, StoredJobState } from './store'
import type { Suspensions } from './suspensions'
import { isHeldBy } from './transitions'

/** Draws synthetic jobs, which nobody has seen before. Rejects with Failure `unavailable` when it cannot draw now. */
export interface SyntheticJobSource {
  /** Draws an input from a seed (hex), with its known answer if there is one. */
  generate(kind: JobKind, seed: string): Promise<{ input: JobInput; knownText?: string[] }>
}

/** What rigs (`rig`: their key) and buyers may do with jobs: see rig-session.ts and buyer-session.ts of the protocol. */
export interface Jobs {
  leaseJob(rig: string, request: JobRequest): Promise<Answer<JobOffer>>
  renewJob(rig: string, job: string): Promise<Answer<{ leaseExpiresAt: number }>>
  returnJob(rig: string, job: string, reason: { retry: boolean; message: string }): Promise<Answer<null>>
  /** Queues a job. The same id with the same work again changes nothing. */
  enqueueJob(buyer: Buyer, job: NewBuyerJob): Promise<Answer<null>>
  /** Cancels a job that is not finished; a rig that works on it learns this when it renews the lease. */
  cancelJob(buyer: Buyer, job: string): Promise<Answer<null>>
  jobState(buyer: Buyer, job: string): Promise<Answer<BuyerJobState>>
  /** Ends the leases and fails the jobs whose time is over. */
  expireLeases(): Promise<void>
}

export function createJobs(deps: {
  store: CoordinatorStore
  queue: JobQueue
  epochs: Epochs
  models: ListedModels
  suspensions: Suspensions
  records: Records
  syntheticJobs: SyntheticJobSource
  clock: { now(): number }
  random: (bytes: number) => Uint8Array
  configuration: CoordinatorConfiguration
}): Jobs {
  const { store, queue, epochs, models, suspensions, records, syntheticJobs, clock, random, configuration } = deps
  const { maximumAttempts, wordsToGiveUp, mostHeldJobs } = configuration
  const leaseEnd = (now: number): number => now + configuration.leaseSeconds * 1000
  /** What a lease that begins now is bound to. */
  const leaseTerms = async () => {
    const { epoch } = (await epochs.present()).current
    const now = clock.now()
    const renewableUntil = now + configuration.longestLeaseSeconds * 1000
    return { now, expiresAt: leaseEnd(now), renewableUntil, epoch: epoch.body.number }
  }
  const expireLeases = (): Promise<void> =>
    queue.expireLeases({
      now: clock.now(),
      maximumAttempts,
      message: `No rig finished it in ${maximumAttempts} attempts.`,
      late: 'Nobody could do it by its deadline.',
    })

  const offerOf = (job: LeasedJob, input: EncodedInput): JobOffer => {
    const { id, kind, model, buyer, lease, attempts, deadline } = job
    return {
      id,
      kind,
      model,
      input,
      epoch: lease.epoch,
      ...(buyer === 'sample' && { factor: lease.factor }),
      leaseExpiresAt: lease.expiresAt,
      attempt: attempts,
      ...(deadline === undefined ? {} : { deadline }),
    }
  }
  /** Answers no-work when the job was cancelled while it was being leased. */
  const offerQueued = async ({ lease, ...job }: QueuedJob): Promise<Answer<JobOffer>> => {
    const input = await store.jobInput(job.id)
    if (!input || !lease) return refuse('no-work', 'The job was taken back.')
    return { ok: true, value: offerOf({ ...job, lease }, input) }
  }
  const leaseSyntheticJob = async (rig: string, request: JobRequest): Promise<Answer<JobOffer>> => {
    const listed: ListedModel[] = []
    let unlisted: Answer<ListedModel> | undefined
    for (const { model } of request.models) {
      const answer = await models.findOrList(model)
      if (answer.ok) listed.push(answer.value)
      else unlisted = answer
    }
    if (listed.length === 0 && unlisted?.ok === false) return unlisted
    const { mostSyntheticJobs } = configuration
    const { number } = (await epochs.present()).current.epoch.body
    const turn = await store.takeSyntheticTurn(rig, number, mostSyntheticJobs)
    if (turn === undefined)
      return refuse(
        'no-work',
        `No job is waiting, and this rig had the ${mostSyntheticJobs} synthetic jobs of its epoch.`,
      )
    const choice = chooseInTurn(listed, turn)
    if (!choice)
      return refuse('no-work', 'No job is waiting, and this rig runs no kind of which synthetic jobs are drawn.')
    const drawn = await syntheticJobs.generate(choice.kind, bytesToHex(random(32)))
    const input = EncodedInput.of(drawn.input)
    const { now: createdAt, ...terms } = await leaseTerms()
    const id = v7({ random: Uint8Array.from(random(16)), msecs: createdAt })
    const deadline = createdAt + configuration.syntheticJobSeconds * 1000
    const job = { id, kind: choice.kind, model: choice.hash, input, buyer: 'sample' as const, createdAt, deadline }
    const lease = { rig, ...terms, formula: choice.macFormula, factor: leasedFactor(job.buyer, choice.factorMilli) }
    const known = drawn.knownText ? { ...job, knownText: drawn.knownText } : job
    if (!(await queue.addJob(known, lease, mostHeldJobs))) return holdsMost()
    return { ok: true, value: offerOf({ ...job, attempts: 1, lease }, input) }
  }

  /** What the network knows of the models that a rig offers; those that it does not list earn nothing. */
  const offersOf = async (request: JobRequest) => {
    const offers: LeaseRequest['offers'][number][] = []
    const unlisted: string[] = []
    for (const { model, usualMilliseconds } of request.models) {
      const listed = await models.find(model)
      if (!listed) {
        unlisted.push(model)
        continue
      }
      const { kind, macFormula: formula, factorMilli: factor } = listed
      offers.push({ kind, model, formula, factor, ...(usualMilliseconds === undefined ? {} : { usualMilliseconds }) })
    }
    return { offers, unlisted }
  }

  const holdsMost = () => refuse('too-many-leases', `This rig holds ${mostHeldJobs} jobs, as many as it may.`)

  return {
    expireLeases,

    enqueueJob: async (buyer, { id, input, model, deadline }) => {
      const listed = await models.findOrList(model)
      if (!listed.ok) return listed
      if (listed.value.kind !== input.kind) {
        return refuse('malformed', `${listed.value.name} is a model for ${listed.value.kind}, not for ${input.kind}.`)
      }
      const job = { id, kind: input.kind, model, input, buyer, createdAt: clock.now() }
      if (await queue.addJob({ ...job, ...(deadline === undefined ? {} : { deadline }) })) return done
      const existing = await store.job(id)
      const isSame = existing?.inputHash === input.hash && existing.model === model && existing.buyer === buyer
      return isSame ? done : refuse('malformed', 'Another job has that id.')
    },

    cancelJob: async (buyer, id) => {
      if ((await store.job(id))?.buyer !== buyer) return unknownJob()
      if (await queue.cancelJob(id)) return done
      const job = await store.job(id)
      if (!job) return unknownJob()
      return job.state === 'cancelled' ? done : refuse('lease-lost', `The job is ${job.state}.`)
    },

    jobState: async (buyer, id) => {
      await expireLeases()
      const job = await store.job(id)
      if (job?.buyer !== buyer) return unknownJob()
      const { state, attempts, message, refusal, receipt } = job
      const value = {
        state,
        attempts,
        ...(message && { message: sentenceOf(message) }),
        ...(refusal && { refusal }),
        // A receipt of the first version has a form that no wire carries any more.
        ...(receipt && isNetworkKey(receipt.body.network) && { receipt }),
      }
      return { ok: true, value }
    },

    leaseJob: async (rig, request) => {
      const suspended = (await suspensions.refusal(rig)) ?? (await records.refusal(rig))
      if (suspended) return suspended
      await expireLeases()
      const terms = await leaseTerms()
      const { offers, unlisted } = await offersOf(request)
      models.listInBackground(unlisted)
      const queued = await queue.leaseNextJob({
        rig,
        offers,
        syntheticJobs: request.samples,
        ...terms,
        mostHeld: mostHeldJobs,
      })
      if (queued) return offerQueued(queued)
      if ((await store.heldJobs(rig)) >= mostHeldJobs) return holdsMost()
      if (!request.samples) return refuse('no-work', noJobMessage(unlisted))
      try {
        return await leaseSyntheticJob(rig, request)
      } catch (error) {
        if (error instanceof Failure && error.code === 'unavailable') {
          return refuse('no-work', `No job is waiting, and no synthetic job can be drawn now: ${error.message}.`)
        }
        throw error
      }
    },

    renewJob: async (rig, id) => {
      const now = clock.now()
      const expiresAt = leaseEnd(now)
      if (await queue.renewLease({ job: id, rig, now, expiresAt, mostHeld: mostHeldJobs })) {
        return { ok: true, value: { leaseExpiresAt: expiresAt } }
      }
      const job = await store.job(id)
      if (!job || !isHeldBy(job, rig)) return notHeld(job)
      return now > job.lease.renewableUntil
        ? refuse('lease-lost', 'The lease has lasted as long as a lease may.')
        : holdsMost()
    },

    returnJob: async (rig, id, { retry, message }) => {
      if (await queue.releaseJob({ job: id, rig, retry, maximumAttempts, wordsToGiveUp, message })) return done
      return notHeld(await store.job(id))
    },
  }
}

type LeasedJob = Pick<QueuedJob, 'id' | 'kind' | 'model' | 'buyer' | 'attempts' | 'deadline'> & { lease: JobLease }

const done: Answer<null> = { ok: true, value: null }

export function unknownJob() {
  return refuse('unknown-job', 'This network knows no such job.')
}

/** Why a rig cannot answer for a job. */
export function notHeld(job: QueuedJob | undefined) {
  if (!job) return unknownJob()
  const reasons: Record<StoredJobState, string> = {
    queued: 'The job is no longer leased to this rig.',
    leased: 'The job is leased to another rig.',
    delivered: 'A result of the job is being checked.',
    done: 'The job is finished.',
    failed: 'The job has failed.',
    cancelled: 'The job was cancelled.',
  }
  return refuse('lease-lost', reasons[job.state])
}

function noJobMessage(unlisted: readonly string[]): string {
  if (unlisted.length === 0) return 'No job is waiting that this rig can run.'
  const named = unlisted.slice(0, 3).map((hash) => hash.slice(0, 16))
  const more = unlisted.length > named.length ? ` and ${unlisted.length - named.length} more` : ''
  return `No job is waiting that this rig can run; the network does not list its models ${named.join(', ')}${more}.`
}

/** Kinds take turns, and the models of a kind among themselves. */
function chooseInTurn(models: readonly ListedModel[], turn: number): ListedModel | undefined {
  const groups = jobKinds
    .map((kind) => models.filter((model) => model.kind === kind))
    .filter((group) => group.length > 0)
  const group = groups[turn % groups.length]
  return group?.[Math.floor(turn / groups.length) % group.length]
}
