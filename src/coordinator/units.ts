/** Units: ranges of 2³² nonces, leased to one rig for one epoch and tier at one difficulty (protocol.md §2). */
import { TIERS } from '#shared/domain/tiers'
import type { Unit, UnitRequest } from '#shared/protocol/unit'
import type { Answer } from '#shared/protocol/refusal'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import type { CoordinatorConfiguration } from './configuration'
import type { Epochs } from './epochs'
import { fitsStore } from './receipts'
import { refuse } from './refusals'
import type { CoordinatorStore } from './store'

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
  random: (bytes: number) => Uint8Array
  signer: Signer
  configuration: CoordinatorConfiguration
}): (rig: string, request: UnitRequest) => Promise<Answer<Signed<Unit>>> {
  const { store, epochs, random, signer, configuration } = deps
  return async (rig, { device, tier, macsPerSecond }) => {
    if (!configuration.tiers.includes(tier)) return refuse('wrong-tier', `This network takes no work on ${tier}.`)

    const { current, now } = await epochs.present()
    const parameters = current.parameters.body
    const step = await store.climbRamp(rig, device)
    const aimSeconds = configuration.rampSeconds[step] ?? parameters.shareIntervalSeconds
    const { macs } = TIERS[tier]
    const limit = difficultyLimit(macs, BigInt(parameters.tierFactorsMilli[tier]))
    const difficulty = difficultyFor(macsPerSecond, aimSeconds, macs, limit)
    const epoch = current.epoch.body
    const expiresAt = epoch.endsAt + parameters.graceSeconds * 1000

    for (;;) {
      const unit = new DataView(Uint8Array.from(random(4)).buffer).getUint32(0)
      const added = await store.addUnit({ epoch: epoch.number, unit, rig, tier, difficulty, expiresAt })
      if (!added) continue // the number is taken: another one is drawn
      const body: Unit = {
        network: configuration.network,
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
