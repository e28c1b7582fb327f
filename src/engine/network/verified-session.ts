/**
 * A rig's session with its network, as the rest of the engine uses it: nothing that the coordinator says is acted on
 * before it is checked. Schemas are checked by the session itself, epochs and parameters by network-state.ts, and what
 * is leased and acknowledged here.
 */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { creditMacs } from '#shared/domain/credit'
import { isGenuine, type Signed, type SignatureVerifier } from '#shared/domain/signed'
import { MAX_OFFERED_MODELS, sentenceOf } from '#shared/protocol/bounds'
import type { JobOffer, JobRequest } from '#shared/protocol/job'
import type { Receipt } from '#shared/protocol/receipt'
import type { Acknowledgement } from '#shared/protocol/refusal'
import type { RigSession } from '#shared/protocol/rig-session'
import type { Unit, UnitRequest } from '#shared/protocol/unit'
import type { RigContext } from '../base'
import type { NetworkState } from './network-state'

/**
 * Methods reject with Failure `network-refused` for what fails a check, and `unavailable` when the network does not
 * answer.
 */
export type VerifiedSession = Pick<
  RigSession,
  | 'leaseUnit'
  | 'submitShare'
  | 'leaseJob'
  | 'renewJob'
  | 'returnJob'
  | 'submitJob'
  | 'delivery'
  | 'publishTokens'
  | 'on'
>

export interface VerifiedSessionOptions {
  session: RigSession
  networkName: string
  networkState: Pick<NetworkState, 'current' | 'reread'>
  /** hex */
  rigKey: string
  signatures: SignatureVerifier
}

/** The session with every answer checked. */
export function createVerifiedSession(
  { clock }: Pick<RigContext, 'clock'>,
  { session, networkName, networkState, rigKey, signatures }: VerifiedSessionOptions,
): VerifiedSession {
  const refuse = (fault: Message): never => {
    throw new Failure('network-refused', message('network-wrong-answer', { network: networkName, fault }))
  }
  const networkNow = (): number => clock.now() + networkState.current.clockOffset

  const checkUnit = async (unit: Signed<Unit>, asked: UnitRequest): Promise<void> => {
    // Leased a moment after an epoch began: the network's present is read before the unit is judged.
    const known =
      unit.body.epoch === networkState.current.epoch.number ? networkState.current : await networkState.reread()
    if (!isGenuine('unit', unit, signatures, known.networkKey)) refuse(message('network-unit-not-signed'))
    const { body } = unit
    if (body.network !== known.networkKey) refuse(message('network-unit-of-other-network'))
    if (body.rig !== rigKey) refuse(message('network-unit-of-other-rig'))
    if (body.tier !== asked.tier)
      refuse(message('network-unit-for-other-tier', { tier: body.tier, wanted: asked.tier }))
    // Units of the next epoch are issued when it has begun.
    if (body.epoch !== known.epoch.number)
      refuse(message('network-unit-of-other-epoch', { epoch: String(body.epoch), now: String(known.epoch.number) }))
    if (BigInt(body.difficulty) === 0n) refuse(message('network-unit-without-difficulty'))
    if (body.expiresAt <= networkNow()) refuse(message('network-unit-expired'))
  }

  const checkOffer = (offer: JobOffer, asked: JobRequest): void => {
    const isWanted = asked.models.some(({ model }) => model === offer.model)
    if (!isWanted) refuse(message('network-job-for-other-model'))
    if (offer.input.kind !== offer.kind) refuse(message('network-job-of-other-kind'))
    if (offer.leaseExpiresAt <= networkNow()) refuse(message('network-job-lease-expired'))
  }

  const isOwnReceipt = (receipt: Signed<Receipt>, kind: Receipt['kind'], ref: string): boolean =>
    isGenuine('receipt', receipt, signatures, networkState.current.networkKey) &&
    receipt.body.kind === kind &&
    receipt.body.ref === ref &&
    receipt.body.rig === rigKey &&
    receipt.body.network === networkState.current.networkKey &&
    creditMacs(BigInt(receipt.body.macs), BigInt(receipt.body.factorMilli)) === BigInt(receipt.body.creditMacs)

  const checkReceipt = (answer: Acknowledgement, kind: Receipt['kind'], ref: string): Acknowledgement => {
    if (answer.ok && answer.state === 'accepted' && !isOwnReceipt(answer.receipt, kind, ref))
      refuse(message('network-receipt-not-genuine'))
    return answer
  }

  /** Every share is recomputed when it comes: credit that is held could not be asked for. */
  const checkShareAnswer = (answer: Acknowledgement, ref: string): Acknowledgement => {
    if (answer.ok && answer.state === 'held') refuse(message('network-share-not-judged'))
    return checkReceipt(answer, 'share', ref)
  }

  return {
    leaseUnit: async (request) => {
      const answer = await session.leaseUnit(request)
      if (answer.ok) await checkUnit(answer.value, request)
      return answer
    },
    leaseJob: async (request) => {
      // More than a message holds are not offered: what the rig prefers stands first.
      const answer = await session.leaseJob({ ...request, models: request.models.slice(0, MAX_OFFERED_MODELS) })
      if (!answer.ok) return answer
      checkOffer(answer.value, request)
      // Its model was listed a moment ago: what the job will earn has to be known when its result is kept.
      if (!networkState.current.models.has(answer.value.model)) await networkState.reread().catch(() => undefined)
      return answer
    },
    submitShare: async (share) => checkShareAnswer(await session.submitShare(share), share.id),
    submitJob: async (delivery) => checkReceipt(await session.submitJob(delivery), 'job', delivery.result.id),
    delivery: async ({ ref }) => checkReceipt(await session.delivery({ ref }), 'job', ref),
    renewJob: (request) => session.renewJob(request),
    returnJob: ({ message, ...request }) => session.returnJob({ ...request, message: sentenceOf(message) }),
    publishTokens: (piece) => session.publishTokens(piece),
    on: (event, listener) => session.on(event, listener),
  }
}
