/** Units: ranges of 2³² nonces, leased to one rig for one epoch and tier at one difficulty (protocol.md §2). */
import { TIERS } from '#shared/domain/tiers'
import type { Unit, UnitRequest } from '#shared/protocol/unit'
import type { Answer } from '#shared/protocol/refusal'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import type { CoordinatorConfiguration } from './configuration'
import type { Epochs } from './epochs'
import type { ObservedRates } from './observed-rates'
import { fitsStore } from './receipts'
import { refuse } from './refusals'
import type { CoordinatorStore } from './store'
import type { Suspensions } from './suspensions'

/** difficulty = max(1, round(macsPerSecond × aimSeconds / MACs of a nonce)), at most `limit`. */
export function difficultyFor(macsPerSecond: number, aimSeconds: number, macsOfNonce: bigint, limit: bigint): bigint {
  const nonces = Math.round((macsPerSecond * aimSeconds) / Number(macsOfNonce))
  if (nonces < 1) return 1n
  return nonces < Number(limit) ? BigInt(nonces) : limit
}

/** The highest difficulty whose credit the store can hold. A power of two. */
export function difficultyLimit(macsOfNonce: bigint, factorMilli: bigint): bigint {
  let limit = 1n << 48n
  while (limit > 1n && !fitsStore(limit * macsOfNonce, factorMilli)) limit >>= 1n
  return limit
}

export function createUnits(deps: {
  store: CoordinatorStore
  epochs: Epochs
  suspensions: Suspensions
  observed: ObservedRates
  random: (bytes: number) => Uint8Array
  signer: Signer
  configuration: CoordinatorConfiguration
}): (rig: string, request: UnitRequest) => Promise<Answer<Signed<Unit>>> {
  const { store, epochs, suspensions, observed, random, signer, configuration } = deps
  const most = configuration.mostHeldUnits
  return async (rig, { device, tier, macsPerSecond }) => {
    if (!configuration.tiers.includes(tier)) return refuse('wrong-tier', `This network takes no work on ${tier}.`)
    const suspended = await suspensions.refusal(rig)
    if (suspended) return suspended

    const { current, now } = await epochs.present()
    const parameters = current.parameters.body
    const step = await store.climbRamp(rig, device)
    const aimSeconds = configuration.rampSeconds[step] ?? parameters.shareIntervalSeconds
    const { macs } = TIERS[tier]
    const limit = difficultyLimit(macs, BigInt(parameters.tierFactorsMilli[tier]))
    const believed = Math.max(macsPerSecond, observed.floor({ rig, device, tier }))
    const difficulty = difficultyFor(believed, aimSeconds, macs, limit)
    const epoch = current.epoch.body
    const expiresAt = epoch.endsAt + parameters.graceSeconds * 1000

    for (;;) {
      const unit = new DataView(Uint8Array.from(random(4)).buffer).getUint32(0)
      const record = { epoch: epoch.number, unit, rig, tier, difficulty, expiresAt }
      if (!(await store.addUnit(record, { now, most }))) {
        if ((await store.heldUnits(rig, now)) < most) continue // that number is taken: draw another
        return refuse('too-many-leases', `This rig holds ${most} units, as many as it may.`)
      }
      observed.leased({ epoch: epoch.number, unit }, { rig, device, tier })
      const body: Unit = {
        network: signer.publicKeyHex,
        unit,
        rig,
        epoch: epoch.number,
        tier,
        difficulty: difficulty.toString(),
        issuedAt: now,
        expiresAt,
      }
      return { ok: true, value: signObject('unit', body, signer) }
    }
  }
}
