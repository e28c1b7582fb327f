/**
 * From a found share or a finished job to a credit in the ledger: the work is written first, then sent, then answered.
 * Work without an answer is sent again, also after a crash; the network then gives its original receipt (protocol.md §5).
 * What the network holds until it is checked is asked for (held-credit.ts).
 */
import { Failure } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import { creditMacs, shareMacs } from '#shared/domain/credit'
import type { ModelManifest } from '#shared/domain/manifest'
import type { JobRun } from '#shared/domain/job'
import { modelHash } from '#shared/domain/model-hash'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { JobDelivery, JobOffer } from '#shared/protocol/job'
import type { ShareSubmission } from '#shared/protocol/share'
import { objectId, signObject, type Signed, type Signer } from '#shared/domain/signed'
import { TIERS } from '#shared/domain/tiers'
import type { Unit } from '#shared/protocol/unit'
import { backoffDelay } from '#process/backoff'
import type { RigContext } from '../base'
import type { Recovery, WorkEnergy } from '../ledger'
import { expectedCredit } from './expected-credit'
import { createHeldCredit } from './held-credit'
import type { NetworkState } from './network-state'
import { isOverBudget } from './patient-session'
import type { VerifiedSession } from './verified-session'

/** A nonce whose digest meets the difficulty of its unit. */
export interface FoundShare {
  unit: Signed<Unit>
  nonce: bigint
  /** hex, 32 bytes */
  digest: string
}

/** The network's answer to a result. `held`: it has the result, and credits it once it has checked it. */
export type DeliveryAnswer = 'accepted' | 'held' | 'refused'

export interface Submissions {
  /** Stores and sends a share. Settles when it is answered or put off. */
  share(found: FoundShare, deviceId: string, energy: WorkEnergy | null, milliseconds: number): Promise<void>
  /**
   * Stores and sends a job's result. Settles when it is stored: the device goes on while the network checks it. `answer`: null
   * when the network does not answer now, and the result is sent again in the background. What is held is asked for in the
   * background too.
   */
  job(
    offer: JobOffer,
    manifest: ModelManifest,
    run: JobRun,
    deviceId: string,
    energy: WorkEnergy | null,
  ): Promise<{ answer: Promise<DeliveryAnswer | null> }>
  /** Sends again what a former run left without an answer, and asks for what it left held. */
  recover(recovery: Pick<Recovery, 'shares' | 'results' | 'held'>): void
  /** number of shares and results that wait for an answer now; those that are held have one */
  readonly pending: number
  /** Settles when nothing waits, or after `milliseconds`. */
  drained(milliseconds: number): Promise<void>
  /** Sends nothing more; work without an answer is sent again by the next run. */
  stop(): void
}

/** Work without an answer is sent again as long as the engine runs. No circuit breaker opens, so a network that is back is noticed within half a minute. */
const RETRY_DELAYS = { firstDelayMilliseconds: 500, largestDelayMilliseconds: 30_000 }

export interface SubmissionsOptions {
  session: Pick<VerifiedSession, 'submitShare' | 'submitJob' | 'delivery' | 'on'>
  networkName: string
  networkState: Pick<NetworkState, 'current'>
  signer: Signer
}

/** The submissions of this rig to one network. */
export function createSubmissions(
  rig: Pick<RigContext, 'ledger' | 'clock' | 'events' | 'log' | 'randomFraction'>,
  options: SubmissionsOptions,
): Submissions {
  const { ledger, clock, events, log } = rig
  const { session, networkName, networkState, signer } = options
  let pending = 0
  let stopped = false
  const timers = new Set<{ cancel(): void }>()
  let idle: (() => void)[] = []

  const announce = (workId: string, creditId: string): void => {
    const row = ledger.workRow(workId)
    if (row) events.emit('job.changed', row)
    const credit = ledger.creditRow(creditId)
    if (credit) events.emit('credit.changed', credit)
  }

  /** Writes the network's answer down. */
  const settle = (ref: string, answer: Acknowledgement): DeliveryAnswer => {
    if (answer.ok && answer.state === 'held') {
      const { workId, creditId } = ledger.hold(ref)
      announce(workId, creditId)
      held.follow(ref)
      return 'held'
    }
    if (answer.ok) {
      const { workId, creditId, disputed } = ledger.accept(answer.receipt)
      if (disputed !== null) {
        const { factorMilli, creditMacs: credited } = answer.receipt.body
        const words = message('credit-disputed', {
          counted: credited,
          factorMilli: Number(factorMilli),
          announced: String(disputed.creditMacs),
          announcedFactorMilli: Number(disputed.factorMilli),
        })
        log.warn('a receipt counts otherwise than announced', { ref, message: inEnglish.text(words) })
        ledger.recordEvent({ severity: 'warning', words })
      }
      announce(workId, creditId)
      return 'accepted'
    }
    log.warn('the network refused work', { ref, code: answer.refusal.code, message: answer.refusal.message })
    const { workId, creditId } = ledger.refuse(ref, answer.refusal.code)
    announce(workId, creditId)
    return 'refused'
  }
  const held = createHeldCredit(rig, { session, settle })

  const wait = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, milliseconds)
      timers.add(timer)
    })

  /** Sends until the network judges it; while it does not answer, or is over the rig's budget, sends again after growing pauses. `onPutOff`: called before each pause. Null: stopped. */
  const deliver = async (
    ref: string,
    send: () => Promise<Acknowledgement>,
    onPutOff?: () => void,
  ): Promise<DeliveryAnswer | null> => {
    pending++
    try {
      for (let attempt = 0; !stopped; attempt++) {
        try {
          const answer = await send()
          if (answer.ok || !isOverBudget(answer)) return settle(ref, answer)
          log.warn('the network judges no more now; the work is sent again', { ref, reason: answer.refusal.message })
        } catch (error) {
          if (stopped) return null
          if (!(error instanceof Failure)) throw error
          log.warn('work has no answer yet; it is sent again', { ref, reason: error.message })
        }
        onPutOff?.()
        await wait(backoffDelay(attempt, rig.randomFraction(), RETRY_DELAYS))
      }
      return null
    } finally {
      pending--
      if (pending === 0) {
        for (const resolve of idle) resolve()
        idle = []
      }
    }
  }

  const deliverShare = async (workId: string, deviceId: string, share: Signed<ShareSubmission>): Promise<void> => {
    const change = { id: workId, nonce: share.body.nonce, tier: share.body.tier, deviceId }
    events.emit('share.changed', { ...change, state: 'submitted' })
    const answer = await deliver(share.id, () => session.submitShare(share))
    if (stopped || answer === null || answer === 'held') return
    const reason = answer === 'accepted' ? null : (ledger.workRow(workId)?.reason ?? null)
    events.emit('share.changed', {
      ...change,
      state: answer,
      // The words of refused work are the refusal code.
      ...(reason === null ? {} : { code: inEnglish.text(reason) }),
    })
  }

  return {
    share: async (found, deviceId, energy, milliseconds) => {
      const { body } = found.unit
      const share = signObject(
        'share',
        {
          network: body.network,
          rig: body.rig,
          epoch: body.epoch,
          tier: body.tier,
          nonce: found.nonce.toString(),
          digest: found.digest,
        },
        signer,
      )
      const macs = shareMacs(BigInt(body.difficulty), TIERS[body.tier].macs)
      const factorMilli = BigInt(networkState.current.parameters.tierFactorsMilli[body.tier] ?? 0)
      const { workId, creditId } = ledger.recordShare({
        network: networkName,
        share,
        unitId: found.unit.id,
        deviceId,
        difficulty: BigInt(body.difficulty),
        macs,
        factorMilli,
        creditMacs: creditMacs(macs, factorMilli),
        milliseconds,
        ...(energy ? { energy } : {}),
      })
      announce(workId, creditId)
      await deliverShare(workId, deviceId, share)
    },
    job: async (offer, manifest, run, deviceId, energy) => {
      const hash = modelHash(manifest)
      const result = signObject(
        'job-result',
        {
          network: networkState.current.networkKey,
          rig: signer.publicKeyHex,
          job: offer.id,
          kind: offer.kind,
          model: hash,
          inputHash: offer.input.hash,
          outputHash: objectId(run.output),
          evidenceHash: objectId(run.evidence),
          milliseconds: run.milliseconds,
        },
        signer,
      )
      const delivery: JobDelivery = { result, output: run.output, evidence: run.evidence }
      const { workId, creditId } = ledger.recordJobResult(offer.id, {
        result,
        output: run.output,
        evidence: run.evidence,
        sizes: run.sizes,
        epoch: offer.epoch,
        deviceId,
        milliseconds: run.milliseconds,
        ...expectedCredit(networkState.current.models.get(hash), run.sizes, offer.factor),
        ...(energy ? { energy } : {}),
      })
      announce(workId, creditId)
      const answer = new Promise<DeliveryAnswer | null>((resolve, reject) => {
        let isPutOff = false
        const putOff = (): void => {
          isPutOff = true
          resolve(null)
        }
        deliver(result.id, () => session.submitJob(delivery), putOff).then(resolve, (error: unknown) => {
          if (isPutOff) log.error('a result could not be sent again', { job: offer.id, error: String(error) })
          else reject(error)
        })
      })
      return { answer }
    },
    recover: (recovery) => {
      const failed = (error: unknown): void =>
        log.error('a submission of a former run could not be sent again', { error: String(error) })
      for (const { workId, deviceId, share } of recovery.shares) deliverShare(workId, deviceId, share).catch(failed)
      for (const { delivery } of recovery.results)
        deliver(delivery.result.id, () => session.submitJob(delivery)).catch(failed)
      for (const ref of recovery.held) held.follow(ref, 'at-once')
    },
    get pending() {
      return pending
    },
    drained: (milliseconds) =>
      pending === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            const timer = clock.setTimeout(() => settled(), milliseconds)
            timers.add(timer)
            const settled = (): void => {
              timer.cancel()
              timers.delete(timer)
              idle = idle.filter((other) => other !== settled)
              resolve()
            }
            idle.push(settled)
          }),
    stop: () => {
      stopped = true
      held.stop()
      for (const timer of timers) timer.cancel()
      timers.clear()
      // Nothing is answered any more: callers of `drained` must not wait on.
      for (const settled of idle) settled()
    },
  }
}
