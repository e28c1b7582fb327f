/**
 * Proving capacity on one device: leases units, climbs the difficulty ramp, runs slices of nonces and hands over shares.
 * One slice at a time, which yields when a useful job waits.
 */
import { Failure } from '#shared/domain/errors'
import type { Unit } from '#shared/protocol/unit'
import type { Signed } from '#shared/domain/signed'
import { MAX_COUNTER } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { ProofContext } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { Clock } from '#process/clock'
import type { Log } from '../base'
import type { FoundShare, NetworkState, VerifiedSession } from '../network'
import type { WorkerClient } from '../workers'

/** The first measurement of a tier on a device. */
const CALIBRATION_MILLISECONDS = 150
/** A difficulty that no digest meets, for measuring. */
const UNREACHABLE_DIFFICULTY = 1n << 255n
/** Units that aim at quick shares end with their first share, so that the next one aims longer (protocol.md §2). */
const RAMP_UNITS = 2
/** The small tier's share of a run: until then the large tier's weights are made ready. */
const SMALL_TIER_MILLISECONDS = 60_000
const PREPARE_BASE_AFTER_MILLISECONDS = 40_000
/** Weights of itp1-base, packed, here and in the verifier, and room for the rest of the computer. */
export const BASE_TIER_MEMORY_BYTES = 4 * 1024 ** 3
/** How quickly the measured rate follows: a slice weighs this much, the first ones more. */
const RATE_WEIGHT = 0.1
/** A unit's difficulty follows the rate at its lease; when the rate has left it this far behind, another unit is leased. */
const RATE_DRIFT = 1.5
const RATE_DRIFT_AFTER_MILLISECONDS = 5000

export interface SliceReport {
  tier: TierName
  macs: bigint
  milliseconds: number
  kernelMilliseconds: number
  /** found in it */
  shares: FoundShare[]
}

export interface ProofMiner {
  /** One slice of about this length, `goesOn`: another follows at once. Throws Failure when worker or network do not answer. */
  slice(budgetMilliseconds: number, goesOn: boolean): Promise<SliceReport>
  /** A useful job waits: the slice under way ends within 200 ms. Preparing weights goes on beside the job. */
  yield(): void
  /** MACs per second on the tier in use, null before the first measurement */
  readonly macsPerSecond: number | null
  readonly tier: TierName
  readonly backend: BackendName
}

export interface ProofMinerParts {
  deviceId: string
  rigKey: string
  worker: WorkerClient
  session: Pick<VerifiedSession, 'leaseUnit'>
  networkState: NetworkState
  clock: Clock
  log: Log
  backend: BackendName
  /** fixed by the person, or chosen: small first, then base */
  tier: TierName | null
  memoryBytes: number
  /** monotonic milliseconds of the start of mining */
  startedAt: number
  /** a unit was leased: recorded before it is used */
  onUnit: (unit: Signed<Unit>) => void
  /** Never throws; the share is stored before it is sent. */
}

export function createProofMiner(parts: ProofMinerParts): ProofMiner {
  const { worker, session, networkState, clock } = parts
  const rates = new Map<TierName, { macsPerSecond: number; slices: number }>()
  const leased = new Map<TierName, number>()
  let unit: Signed<Unit> | null = null
  let nextCounter = 0n
  let prepared = ''
  let leasedAt = { milliseconds: 0, macsPerSecond: 1 }
  let askedAhead = ''
  /** a useful job waits: the slice under way ends */
  let yielding = false
  let endWaiting: (() => void) | null = null

  const context = (tier: TierName, epochSeed: string): ProofContext => ({ tier, epochSeed, backend: parts.backend })

  const chooseTier = (): TierName => {
    if (parts.tier !== null) return parts.tier
    if (parts.memoryBytes < BASE_TIER_MEMORY_BYTES) return 'itp1-small'
    return clock.monotonic() - parts.startedAt < SMALL_TIER_MILLISECONDS ? 'itp1-small' : 'itp1-base'
  }

  const prepare = async (tier: TierName, epochSeed: string): Promise<void> => {
    const key = `${tier}/${epochSeed}`
    if (prepared === key) return
    await worker.request('proof.prepare', context(tier, epochSeed))
    prepared = key
  }

  /** False: a job came before the weights were there. */
  const preparedBeforeYield = async (tier: TierName, epochSeed: string): Promise<boolean> => {
    const yielded = new Promise<false>((resolve) => {
      endWaiting = () => resolve(false)
    })
    if (isYielding()) return false
    try {
      const ready = prepare(tier, epochSeed).then(
        () => true,
        // Making room for a job may have ended it: asked again by the next slice.
        (error: unknown) => {
          if (error instanceof Failure && error.code === 'cancelled') return false
          throw error
        },
      )
      // Whoever waits no longer hears of a failure at the next slice.
      ready.catch(() => undefined)
      return await Promise.race([ready, yielded])
    } finally {
      endWaiting = null
    }
  }

  /** The next epoch's weights, and the large tier's, are made ready while mining goes on; a failure shows when they are needed. */
  const prepareAhead = (tier: TierName): void => {
    const { next, epoch } = networkState.current
    const elapsed = clock.monotonic() - parts.startedAt
    const soonBase =
      parts.tier === null &&
      tier === 'itp1-small' &&
      parts.memoryBytes >= BASE_TIER_MEMORY_BYTES &&
      elapsed > PREPARE_BASE_AFTER_MILLISECONDS
    const ahead = next ? context(tier, next.seed) : soonBase ? context('itp1-base', epoch.seed) : null
    if (ahead === null) return
    const key = `${ahead.tier}/${ahead.epochSeed}`
    if (askedAhead === key) return
    askedAhead = key
    worker.request('proof.prepare', ahead).catch(() => {
      // Asked again: a job that could not wait may have ended it.
      if (askedAhead === key) askedAhead = ''
    })
  }

  const note = (tier: TierName, nonces: number, milliseconds: number): void => {
    if (nonces === 0 || milliseconds <= 0) return
    const rate = (Number(TIERS[tier].macs) * nonces * 1000) / milliseconds
    const before = rates.get(tier) ?? { macsPerSecond: rate, slices: 0 }
    const weight = Math.max(RATE_WEIGHT, 1 / (before.slices + 1))
    rates.set(tier, {
      macsPerSecond: before.macsPerSecond + weight * (rate - before.macsPerSecond),
      slices: before.slices + 1,
    })
  }

  /** Null: a job came before there was anything to measure. */
  const measure = async (tier: TierName, epochSeed: string): Promise<number | null> => {
    const known = rates.get(tier)
    if (known !== undefined) return known.macsPerSecond
    const run = await worker.request('proof.run', {
      ...context(tier, epochSeed),
      publicKey: parts.rigKey,
      unit: 0,
      firstCounter: 0n,
      difficulty: UNREACHABLE_DIFFICULTY,
      budgetMilliseconds: CALIBRATION_MILLISECONDS,
    })
    note(tier, run.nonces, run.milliseconds)
    return rates.get(tier)?.macsPerSecond ?? null
  }

  const lease = async (tier: TierName, epochSeed: string): Promise<Signed<Unit> | null> => {
    const macsPerSecond = await measure(tier, epochSeed)
    if (macsPerSecond === null) return null
    const answer = await session.leaseUnit({ device: parts.deviceId, tier, macsPerSecond })
    if (!answer.ok) throw new Failure('network-refused', `the network gave no unit: ${answer.refusal.message}`)
    leased.set(tier, (leased.get(tier) ?? 0) + 1)
    nextCounter = 0n
    leasedAt = { milliseconds: clock.monotonic(), macsPerSecond }
    parts.onUnit(answer.value)
    return answer.value
  }

  const isYielding = (): boolean => yielding

  const hasDrifted = (tier: TierName): boolean => {
    const ratio = (rates.get(tier)?.macsPerSecond ?? 1) / leasedAt.macsPerSecond
    const aged = clock.monotonic() - leasedAt.milliseconds >= RATE_DRIFT_AFTER_MILLISECONDS
    return aged && (ratio > RATE_DRIFT || ratio < 1 / RATE_DRIFT)
  }

  return {
    get macsPerSecond() {
      return rates.get(chooseTier())?.macsPerSecond ?? null
    },
    get tier() {
      return chooseTier()
    },
    backend: parts.backend,
    yield: () => {
      yielding = true
      endWaiting?.()
      worker
        .request('proof.yield', null)
        .catch((error: unknown) => parts.log.warn('a proof did not yield', { error: String(error) }))
    },
    slice: async (budgetMilliseconds, goesOn) => {
      const tier = chooseTier()
      const nothing = { tier, macs: 0n, milliseconds: 0, kernelMilliseconds: 0, shares: [] }
      yielding = false
      const { epoch } = await networkState.refresh()
      if (!(await preparedBeforeYield(tier, epoch.seed))) return nothing
      if (unit === null || unit.body.epoch < epoch.number || unit.body.tier !== tier || nextCounter > MAX_COUNTER) {
        unit = await lease(tier, epoch.seed)
      }
      // `yield` may have been called while the network was asked.
      if (unit === null || isYielding()) return nothing
      // It was leased for an epoch that began meanwhile: the next slice has its weights.
      if (unit.body.epoch !== epoch.number) return nothing
      const used = unit
      const inRamp = (leased.get(tier) ?? 0) <= RAMP_UNITS
      const run = await worker.request('proof.run', {
        ...context(tier, epoch.seed),
        publicKey: parts.rigKey,
        unit: used.body.unit,
        firstCounter: nextCounter,
        difficulty: BigInt(used.body.difficulty),
        budgetMilliseconds,
        stopAtShare: inRamp,
        keepPipelineFull: goesOn,
      })
      nextCounter += BigInt(run.nonces)
      note(tier, run.nonces, run.milliseconds)
      if ((inRamp && run.shares.length > 0) || hasDrifted(tier)) unit = null
      prepareAhead(tier)
      return {
        tier,
        macs: TIERS[tier].macs * BigInt(run.nonces),
        milliseconds: run.milliseconds,
        kernelMilliseconds: run.kernelMilliseconds,
        shares: run.shares.map(({ nonce, digest }) => ({ unit: used, nonce, digest })),
      }
    },
  }
}
