/** Results of useful jobs: checked for signature, lease, hashes, sizes and known answers, then credited once (protocol.md §§1, 3). */
import { jobMacs } from '#shared/domain/manifest'
import { jobWork } from '#shared/domain/credit'
import type { JobDelivery } from '#shared/protocol/job'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { Verification } from '#shared/protocol/receipt'
import type { Signer, SignatureVerifier } from '#shared/domain/signed'
import { normalizedEditDistance } from '#shared/domain/text-distance'
import type { CoordinatorConfiguration } from './configuration'
import type { JobQueue } from './job-queue'
import { notHeld, unknownJob } from './jobs'
import type { KeptBounds } from './kept-bounds'
import { implausibility } from './plausibility'
import { fitsStore, signReceipt } from './receipts'
import type { Records } from './record'
import { hashOf, isSignedBy, refuse } from './refusals'
import type { CoordinatorStore, QueuedJob } from './store'
import { deliveryOf, isHeldBy } from './transitions'

/** A known answer is missed above this share of wrong characters (0 to 1). */
export const KNOWN_ANSWER_DISTANCE = 0.1

export function createResults(deps: {
  store: CoordinatorStore
  queue: JobQueue
  bounds: KeptBounds
  records: Records
  clock: { now(): number }
  signer: Signer
  signatures: SignatureVerifier
  configuration: CoordinatorConfiguration
}): (delivery: JobDelivery) => Promise<Acknowledgement> {
  const { store, queue, bounds, records, clock, signer, signatures, configuration } = deps

  const credit = async (
    job: QueuedJob,
    delivery: JobDelivery,
    verification: Verification,
  ): Promise<Acknowledgement> => {
    const { body, id, signature } = delivery.result
    if (!job.lease) throw new Error('a held job has a lease')
    const { formula, factor, epoch } = job.lease
    // MACs by the formula leased with; a chat's two factors are blended by them.
    const counted = jobWork(jobMacs(formula, body.sizes), factor)
    const isCredited = verification !== 'unchecked' || body.rig === configuration.ownRig
    const work = isCredited ? counted : { ...counted, factorMilli: 0n }
    if (!fitsStore(work.macs, work.factorMilli))
      return turnDown(job, delivery, 'The sizes are larger than any job is.', true)
    const receipt = signReceipt(
      {
        network: signer.publicKeyHex,
        rig: body.rig,
        epoch,
        kind: 'job',
        ref: id,
        ...work,
        verification,
        acceptedAt: clock.now(),
      },
      signer,
    )
    const outcome = await queue.acceptResult({ job: job.id, rig: body.rig, signature, receipt })
    if (outcome === 'accepted') return { ok: true, state: 'accepted', receipt, repeated: false }
    const settled = await store.job(job.id)
    return answeredBefore(settled, body.rig, signature) ?? notHeld(settled)
  }
  /** Refuses a result without credit. The job is tried again, unless its answer was known (such a job was a test, which has ended) or its deadline has passed. */
  const turnDown = async (
    job: QueuedJob,
    delivery: JobDelivery,
    message: string,
    retry: boolean,
    code: 'wrong-result' | 'deadline-missed' = 'wrong-result',
  ): Promise<Acknowledgement> => {
    const { body, signature } = delivery.result
    const refused = { job: job.id, rig: body.rig, signature, code, retry, message }
    await queue.refuseResult({ ...refused, maximumAttempts: configuration.maximumAttempts })
    return refuse(code, message)
  }

  return async (delivery) => {
    const { body, signature } = delivery.result
    if (body.network !== signer.publicKeyHex) return refuse('malformed', 'The result is for another network.')
    if (!isSignedBy('job-result', delivery.result, signatures, body.rig)) {
      return refuse('wrong-key', 'The signature is not that of the rig that the result names.')
    }
    const job = await store.job(body.job)
    if (!job) return unknownJob()
    const before = answeredBefore(job, body.rig, signature)
    if (before) return before
    if (!isHeldBy(job, body.rig)) return notHeld(job)

    if (job.deadline !== undefined && clock.now() > job.deadline) {
      return turnDown(job, delivery, "The result came after the job's deadline.", false, 'deadline-missed')
    }
    const allowed = await bounds.of(job.id)
    if (!allowed) return notHeld(await store.job(job.id))

    const mismatch = bindingFault(job, delivery) ?? implausibility(allowed, delivery)
    if (mismatch) return turnDown(job, delivery, mismatch, true)
    if (job.knownText && !isKnownAnswer(job.knownText, delivery)) {
      await records.missed(body.rig)
      return turnDown(job, delivery, 'The answer to this job is known, and the result is another.', false)
    }
    if (job.knownText) await records.matched(body.rig)
    return credit(job, delivery, job.knownText ? 'known-answer' : 'unchecked')
  }
}

/** The original answer to exactly this result, if it was judged before. */
function answeredBefore(job: QueuedJob | undefined, rig: string, signature: string): Acknowledgement | undefined {
  const delivery = job && deliveryOf(job, rig, signature)
  if (delivery?.state === 'settled') return { ok: true, state: 'accepted', receipt: delivery.receipt, repeated: true }
  return delivery?.state === 'refused' ? refuse(delivery.code, delivery.message) : undefined
}

/** Kind, model and hashes bind the result to the job, and output and evidence to the result. */
function bindingFault(job: QueuedJob, { result: { body }, output, evidence }: JobDelivery): string | undefined {
  if (body.kind !== job.kind || body.model !== job.model) return 'The result is for another kind or model.'
  if (body.inputHash !== job.inputHash) return 'The result is for another input.'
  if (hashOf(output) !== body.outputHash) return 'The output is not the one that was signed.'
  if (hashOf(evidence) !== body.evidenceHash) return 'The evidence is not the one that was signed.'
  return undefined
}

/** Whether the text matches the known answer. The comparison takes time with the product of both lengths, so a text that is far too long is not compared. */
function isKnownAnswer(knownText: string[], { output }: JobDelivery): boolean {
  const lines = typeof output === 'string' ? [output] : output.map((line) => ('text' in line ? line.text : ''))
  const length = (texts: string[]): number => texts.reduce((sum, text) => sum + text.length, 0)
  if (length(lines) > 4 * length(knownText) + 1000) return false
  return normalizedEditDistance(knownText, lines) <= KNOWN_ANSWER_DISTANCE
}
