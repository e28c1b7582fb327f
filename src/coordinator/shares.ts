/** Shares: every one is recomputed, credited once, and refused with exactly one code (protocol.md §2). */
import { shareMacs } from '#shared/domain/credit'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Acknowledgement } from '#shared/protocol/refusal'
import { isShare, unitOf } from '#shared/domain/share'
import type { Signed, Signer, SignatureVerifier } from '#shared/domain/signed'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { Budgets } from './budgets'
import type { Epochs } from './epochs'
import type { ObservedRates } from './observed-rates'
import { signReceipt } from './receipts'
import { isSignedBy, refuse } from './refusals'
import type { AcceptedShare, CoordinatorStore, UnitRecord } from './store'
import type { Suspensions } from './suspensions'
import { unitRefusal } from './transitions'

/** Recomputes one nonce. Rejects when it cannot: the share is then neither accepted nor refused, and the rig sends it again. */
export interface Verifier {
  /** The digest of a nonce, hex. */
  digest(context: { tier: TierName; epochSeed: string; publicKey: string; nonce: bigint }): Promise<string>
}

/** Wrong shares that are remembered at once, the oldest forgotten first. */
const MOST_WRONG = 10_000
const MAX_NONCE = (1n << 64n) - 1n

export function createShares(deps: {
  store: CoordinatorStore
  epochs: Epochs
  suspensions: Suspensions
  observed: ObservedRates
  budgets: Budgets
  verifier: Verifier
  clock: { now(): number }
  signer: Signer
  signatures: SignatureVerifier
}): (share: Signed<ShareSubmission>) => Promise<Acknowledgement> {
  const { store, epochs, suspensions, observed, budgets, verifier, clock, signer, signatures } = deps
  /** ids of shares whose digest was recomputed to another: under any signature they cost nothing more */
  const wrong = new Set<string>()
  const underway = new Map<string, Promise<Acknowledgement>>()

  const judge = async (share: Signed<ShareSubmission>): Promise<Acknowledgement> => {
    const { body, signature } = share
    const nonce = BigInt(body.nonce)
    const key = { rig: body.rig, epoch: body.epoch, nonce }
    const earlier = await store.share(key)
    // The same share again is answered forever, also after its epoch: a rig sends it again after a crash.
    if (earlier?.signature === signature) return repeated(earlier)

    if (wrong.has(share.id)) return wrongDigest()
    const suspended = await suspensions.refusal(body.rig)
    if (suspended) return suspended
    const open = await epochs.open(body.epoch)
    if (!open) return refuse('stale-epoch', `Shares of epoch ${body.epoch} are not taken now.`)
    const unit = await store.unit(body.epoch, unitOf(nonce))
    const fault = unitRefusal(unit, { rig: body.rig, tier: body.tier, now: clock.now() })
    if (!unit || fault === 'foreign-unit') return refuse('foreign-unit', 'No unit of this rig has that nonce.')
    if (fault === 'expired-unit') return refuse(fault, 'The unit has expired.')
    if (fault === 'wrong-tier') return refuse(fault, `The unit is for ${unit.tier}, not for ${body.tier}.`)
    if (earlier) return replayed()
    if (!isShare(body.digest, unit.difficulty))
      return refuse('above-target', "The digest does not meet the unit's difficulty.")
    const macs = Number(TIERS[unit.tier].macs)
    const slowed = budgets.take({ role: 'rig', key: body.rig }, 'verification', macs)
    if (slowed) return slowed
    const { seed } = open.epoch.body
    const digest = await verifier.digest({ tier: unit.tier, epochSeed: seed, publicKey: body.rig, nonce })
    if (digest !== body.digest) {
      rememberWrong(share.id)
      await suspensions.suspend(body.rig)
      return wrongDigest()
    }

    const factorMilli = BigInt(open.parameters.body.tierFactorsMilli[unit.tier])
    const taken = await store.acceptShare(key, { signature, receipt: receiptFor(share, unit, factorMilli) })
    if (taken.accepted) {
      observed.accepted(unit, shareMacs(unit.difficulty, TIERS[unit.tier].macs))
      return { ok: true, state: 'accepted', receipt: taken.share.receipt, repeated: false }
    }
    return taken.share.signature === signature ? repeated(taken.share) : replayed()
  }
  const rememberWrong = (id: string): void => {
    wrong.add(id)
    for (const oldest of wrong) {
      if (wrong.size <= MOST_WRONG) break
      wrong.delete(oldest)
    }
  }
  const receiptFor = (share: Signed<ShareSubmission>, unit: UnitRecord, factorMilli: bigint) =>
    signReceipt(
      {
        network: signer.publicKeyHex,
        rig: unit.rig,
        epoch: unit.epoch,
        kind: 'share',
        ref: share.id,
        macs: shareMacs(unit.difficulty, TIERS[unit.tier].macs),
        factorMilli,
        verification: 'recomputed',
        acceptedAt: clock.now(),
      },
      signer,
    )

  return async (share) => {
    if (share.body.network !== signer.publicKeyHex) return refuse('malformed', 'The share is for another network.')
    if (BigInt(share.body.nonce) > MAX_NONCE) return refuse('malformed', 'The share is malformed. A nonce has 64 bits.')
    if (!isSignedBy('share', share, signatures, share.body.rig)) {
      return refuse('wrong-key', 'The signature is not that of the rig that the share names.')
    }
    // One recomputation for a share that arrives several times at once.
    const arrival = `${share.id}${share.signature}`
    const twin = underway.get(arrival)
    if (twin) return twin.then((answer) => (answer.ok ? { ...answer, repeated: true } : answer))
    const judged = judge(share).finally(() => underway.delete(arrival))
    underway.set(arrival, judged)
    return judged
  }
}

function repeated(share: AcceptedShare): Acknowledgement {
  return { ok: true, state: 'accepted', receipt: share.receipt, repeated: true }
}

function wrongDigest(): Acknowledgement {
  return refuse('wrong-digest', 'Recomputing that nonce gave another digest.')
}

function replayed(): Acknowledgement {
  return refuse('replayed-nonce', 'That nonce was credited before.')
}
