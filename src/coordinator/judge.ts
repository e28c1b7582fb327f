/**
 * Judges deliveries: deadline, hashes, evidence, known answers, and the sizes that the appraiser derives; then credits or
 * refuses (protocol.md §§1, 3). What cannot be judged now stays kept, and is judged later.
 */
import { jobMacs } from '#shared/domain/manifest'
import { jobWork } from '#shared/domain/credit'
import { Failure } from '#shared/domain/errors'
import type { JobSizes } from '#shared/domain/job'
import type { RefusalCode } from '#shared/protocol/refusal'
import type { Signer } from '#shared/domain/signed'
import { normalizedEditDistance } from '#shared/domain/text-distance'
import type { Appraisal, Appraised, Appraiser } from './appraiser'
import type { CoordinatorConfiguration } from './configuration'
import type { DeliveryQueue } from './delivery-queue'
import { implausibility } from './plausibility'
import { fitsStore, signReceipt } from './receipts'
import type { Records } from './record'
import { hashOf } from './refusals'
import type { CoordinatorStore, DeliveryContent, QueuedJob, StoredDelivery } from './store'

/** A known answer is missed above this share of wrong characters (0 to 1). */
const KNOWN_ANSWER_DISTANCE = 0.1
/** Deliveries that `judgeDue` judges at a time, and contents that `removeOld` removes. */
const DUE_AT_ONCE = 16
const REMOVED_AT_ONCE = 100

export interface Judge {
  /** Judges a delivery, unless that is done or another caller does it. Afterwards it is settled, refused, or kept for later. */
  judge(ref: string): Promise<void>
  /** Judges deliveries that wait for it. `onJudged`: called with each one that is settled or refused now. */
  judgeDue(onJudged: (delivery: StoredDelivery) => void): Promise<void>
  /** Removes outputs and evidence that were kept long enough. */
  removeOld(): Promise<void>
}

interface Refused {
  code: RefusalCode
  message: string
  /** whether the job may be tried again */
  retry: boolean
  /** whether a known answer was missed */
  isMiss?: true
}
/** `later`: it stays kept. */
type Verdict = { sizes: JobSizes } | { refused: Refused } | 'later'

export function createJudge(deps: {
  store: CoordinatorStore
  deliveries: DeliveryQueue
  records: Records
  appraiser: Appraiser
  clock: { now(): number }
  signer: Signer
  configuration: CoordinatorConfiguration
}): Judge {
  const { store, deliveries, records, appraiser, clock, signer, configuration } = deps
  const { maximumAttempts, checkSeconds, evidenceSeconds, ownRig } = configuration
  /** by ref, of this coordinator */
  const underway = new Map<string, Promise<void>>()

  const credit = async (delivery: StoredDelivery, job: QueuedJob, sizes: JobSizes): Promise<void> => {
    if (!job.lease) return // another coordinator refused it meanwhile
    const { formula, factor, epoch } = job.lease
    const now = clock.now()
    const verification = job.knownText ? 'known-answer' : 'unchecked'
    // MACs by the formula leased with; a chat's two factors are blended by them.
    const counted = jobWork(jobMacs(formula, sizes), factor)
    // Nobody is paid for what nobody checked, but the rig that is one program with the network.
    const isPaid = verification !== 'unchecked' || delivery.rig === ownRig
    const work = isPaid ? counted : { ...counted, factorMilli: 0n }
    if (!fitsStore(work.macs, work.factorMilli)) {
      const message = 'The sizes are larger than any job is.'
      await deliveries.refuse(delivery.ref, { code: 'wrong-result', message, retry: true, maximumAttempts, now })
      return
    }
    const receipt = signReceipt(
      {
        network: signer.publicKeyHex,
        rig: delivery.rig,
        epoch,
        kind: 'job',
        ref: delivery.ref,
        ...work,
        verification,
        acceptedAt: now,
      },
      signer,
    )
    const isJudged = await deliveries.settle(delivery.ref, receipt, now)
    if (isJudged && job.knownText) await records.matched(delivery.rig)
  }

  const appraise = async (delivery: StoredDelivery, claim: Appraised): Promise<Verdict> => {
    const appraisal = await appraisalOf(appraiser, claim)
    switch (appraisal.state) {
      case 'derived':
        return { sizes: appraisal.sizes }
      case 'wrong':
        return refused('wrong-result', appraisal.message, true)
      case 'unappraisable':
        return refused('unappraisable', appraisal.message, true)
      case 'unavailable': {
        if (clock.now() <= delivery.deliveredAt + checkSeconds * 1000) return 'later'
        return refused('unappraisable', `Nobody could check it in time: ${appraisal.message}`, true)
      }
    }
  }

  const verdictOn = async (delivery: StoredDelivery, job: QueuedJob): Promise<Verdict> => {
    if (job.deadline !== undefined && delivery.deliveredAt > job.deadline) {
      return refused('deadline-missed', "The result came after the job's deadline.", false)
    }
    const [content, input] = await Promise.all([store.deliveryContent(delivery.ref), store.jobInput(job.id)])
    if (!content || !input) {
      const since = await store.delivery(delivery.ref)
      if (since && 'endedAt' in since.delivery) return 'later' // another coordinator judged it meanwhile
      throw new Error('the content of a delivery is kept until it was judged')
    }
    const { publicKeyHex } = signer
    const fault = bindingFault(job, delivery, content, publicKeyHex) ?? implausibility(input, content)
    if (fault !== undefined) return refused('wrong-result', fault, true)
    // A job whose answer is known was a test, which has ended.
    if (job.knownText && !isKnownAnswer(job.knownText, content)) {
      const message = 'The answer to this job is known, and the result is another.'
      return { refused: { code: 'wrong-result', message, retry: false, isMiss: true } }
    }
    return appraise(delivery, { model: job.model, input, ...content })
  }

  const judgeNow = async (ref: string): Promise<void> => {
    if (!(await deliveries.beginCheck(ref, clock.now()))) return
    const delivery = await store.delivery(ref)
    const job = delivery && (await store.job(delivery.job))
    if (!job) throw new Error('a delivery that is checked is in the store, and its job')
    const verdict = await verdictOn(delivery, job)
    if (verdict === 'later') return
    if ('sizes' in verdict) return credit(delivery, job, verdict.sizes)
    const { isMiss, ...refusal } = verdict.refused
    const isJudged = await deliveries.refuse(ref, { ...refusal, maximumAttempts, now: clock.now() })
    // Whoever judges again after a crash must not count the miss again.
    if (isJudged && isMiss) await records.missed(delivery.rig)
  }
  const judge = (ref: string): Promise<void> => {
    const own = underway.get(ref) ?? judgeNow(ref).finally(() => underway.delete(ref))
    underway.set(ref, own)
    return own
  }

  return {
    judge,
    judgeDue: async (onJudged) => {
      const failures: unknown[] = []
      for (const { ref } of await store.dueDeliveries(clock.now(), DUE_AT_ONCE)) {
        try {
          await judge(ref)
          const judged = await store.delivery(ref)
          if (judged && 'endedAt' in judged.delivery) onJudged(judged)
        } catch (error) {
          failures.push(error)
        }
      }
      // One that cannot be judged must not keep the others waiting.
      if (failures.length > 0) throw failures[0]
    },
    removeOld: () => store.removeDeliveryContents(clock.now() - evidenceSeconds * 1000, REMOVED_AT_ONCE),
  }
}

function refused(code: RefusalCode, message: string, retry: boolean): { refused: Refused } {
  return { refused: { code, message, retry } }
}

async function appraisalOf(appraiser: Appraiser, claim: Appraised): Promise<Appraisal> {
  try {
    return await appraiser.appraise(claim)
  } catch (error) {
    if (error instanceof Failure) return { state: 'unavailable', message: error.message }
    throw error
  }
}

/** Network, kind, model and hashes bind the result to the job, and output and evidence to the result. `network`: its key, hex. */
function bindingFault(
  job: QueuedJob,
  { result: { body } }: StoredDelivery,
  { output, evidence }: DeliveryContent,
  network: string,
): string | undefined {
  // Kept under a former key: nobody takes a receipt under this one for it.
  if (body.network !== network) return 'The result is for another network.'
  if (body.kind !== job.kind || body.model !== job.model) return 'The result is for another kind or model.'
  if (body.inputHash !== job.inputHash) return 'The result is for another input.'
  if (hashOf(output) !== body.outputHash) return 'The output is not the one that was signed.'
  if (hashOf(evidence) !== body.evidenceHash) return 'The evidence is not the one that was signed.'
  return undefined
}

/** Whether the text matches the known answer. The comparison takes time with the product of both lengths, so a text that is far too long is not compared. */
function isKnownAnswer(knownText: string[], { output }: DeliveryContent): boolean {
  const lines = typeof output === 'string' ? [output] : output.map((line) => ('text' in line ? line.text : ''))
  const length = (texts: string[]): number => texts.reduce((sum, text) => sum + text.length, 0)
  if (length(lines) > 4 * length(knownText) + 1000) return false
  return normalizedEditDistance(knownText, lines) <= KNOWN_ANSWER_DISTANCE
}
