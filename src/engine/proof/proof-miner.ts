/**
 * Proves capacity on one device: leases units, climbs the difficulty ramp, runs slices of nonces and returns shares. One
 * slice runs at a time, and it yields when a useful job waits.
 */
import { Failure } from '#shared/domain/errors'
import { message, refusalMessage } from '#shared/domain/messages'
import type { Unit } from '#shared/protocol/unit'
import type { Signed } from '#shared/domain/signed'
import { MAX_COUNTER } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { ProofContext } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { RigContext } from '../base'
import type { FoundShare, NetworkLink } from '../network'
import type { WorkerClient } from '../workers'

/** The first measurement of a tier on a device. */
const CALIBRATION_MILLISECONDS = 150
/** A difficulty that no digest meets, for measuring. */
const UNREACHABLE_DIFFICULTY = 1n << 255n
/** Units that aim at quick shares end with their first share, so that the next one aims longer (protocol.md §2). */
const RAMP_UNITS = 2
/** How long a run stays on the small tier: the large tier's weights are made ready meanwhile. */
const SMALL_TIER_MILLISECONDS = 60_000
const PREPARE_BASE_AFTER_MILLISECONDS = 40_000
/** The packed weights of itp1-base in the worker and in the verifier, and what the rest of the computer needs. */
export const BASE_TIER_MEMORY_BYTES = 4 * 1024 ** 3
/** Weight of one slice in the running mean of the rate; the first slices weigh more. */
const RATE_WEIGHT = 0.1
/** A unit's difficulty was set for the rate at its lease; when the rate has changed by this factor, another unit is leased. */
const RATE_DRIFT = 1.5
const RATE_DRIFT_AFTER_MILLISECONDS = 5000

export interface SliceReport {
  tier: TierName
  macs: bigint
  milliseconds: number
  kernelMilliseconds: number
  /** shares found in the slice */
  shares: FoundShare[]
}

export interface ProofMiner {
  /** Runs one slice of about this length. `keepPipelineFull`: another slice follows at once. Throws Failure when worker or network do not answer. */
  slice(budgetMilliseconds: number, keepPipelineFull: boolean): Promise<SliceReport>
  /** A useful job waits: the slice under way ends within 200 ms. Preparing weights goes on beside the job. */
  yield(): void
  /** MACs per second on the tier in use, null before the first measurement */
  readonly macsPerSecond: number | null
  readonly tier: TierName
  readonly backend: BackendName
}

export interface ProofMinerOptions {
  deviceId: string
  worker: WorkerClient
  backend: BackendName
  /** fixed by the person, or chosen: small first, then base */
  tier: TierName | null
  memoryBytes: number
  /** monotonic milliseconds of the start of mining */
  startedAt: number
  /** Called with each leased unit, which is recorded before it is used. */
  onUnit: (unit: Signed<Unit>) => void
}

export function createProofMiner(
  { clock, log }: Pick<RigContext, 'clock' | 'log'>,
  { session, networkState, rigKey }: Pick<NetworkLink, 'session' | 'networkState' | 'rigKey'>,
  options: ProofMinerOptions,
): ProofMiner {
  const { worker } = options
  const rates = new Map<TierName, { macsPerSecond: number; slices: number }>()
  const leased = new Map<TierName, number>()
  let unit: Signed<Unit> | null = null
  let nextCounter = 0n
  let prepared = ''
  let leasedAt = { milliseconds: 0, macsPerSecond: 1 }
  let askedAhead = ''
  /** whether a useful job waits, so that the slice under way ends */
  let yielding = false
  let endWaiting: (() => void) | null = null

  const context = (tier: TierName, epochSeed: string): ProofContext => ({ tier, epochSeed, backend: options.backend })

  const chooseTier = (): TierName => {
    if (options.tier !== null) return options.tier
    if (options.memoryBytes < BASE_TIER_MEMORY_BYTES) return 'itp1-small'
    return clock.monotonic() - options.startedAt < SMALL_TIER_MILLISECONDS ? 'itp1-small' : 'itp1-base'
  }

  const prepare = async (tier: TierName, epochSeed: string): Promise<void> => {
    const key = `${tier}/${epochSeed}`
    if (prepared === key) return
    await worker.request('proof.prepare', context(tier, epochSeed))
    prepared = key
  }

  /** Makes the weights ready. False: a job came before they were. */
  const preparedBeforeYield = async (tier: TierName, epochSeed: string): Promise<boolean> => {
    const yielded = new Promise<false>((resolve) => {
      endWaiting = () => resolve(false)
    })
    if (isYielding()) return false
    try {
      const ready = prepare(tier, epochSeed).then(
        () => true,
        // The worker may have dropped the preparation to free memory for a job: the next slice asks again.
        (error: unknown) => {
          if (error instanceof Failure && error.code === 'cancelled') return false
          throw error
        },
      )
      // After a yield nobody awaits `ready`: the next slice reports its failure.
      ready.catch(() => undefined)
      return await Promise.race([ready, yielded])
    } finally {
      endWaiting = null
    }
  }

  /** Makes the weights of the next epoch, or of the large tier, ready while mining goes on. A failure is reported when the weights are needed. */
  const prepareAhead = (tier: TierName): void => {
    const { next, epoch } = networkState.current
    const elapsed = clock.monotonic() - options.startedAt
    const soonBase =
      options.tier === null &&
      tier === 'itp1-small' &&
      options.memoryBytes >= BASE_TIER_MEMORY_BYTES &&
      elapsed > PREPARE_BASE_AFTER_MILLISECONDS
    const ahead = next ? context(tier, next.seed) : soonBase ? context('itp1-base', epoch.seed) : null
    if (ahead === null) return
    const key = `${ahead.tier}/${ahead.epochSeed}`
    if (askedAhead === key) return
    askedAhead = key
    worker.request('proof.prepare', ahead).catch(() => {
      // The worker may have dropped the preparation for a job: the next slice asks again.
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

  /** MACs per second on the tier. Null: a job came before a nonce was computed. */
  const measure = async (tier: TierName, epochSeed: string): Promise<number | null> => {
    const known = rates.get(tier)
    if (known !== undefined) return known.macsPerSecond
    const run = await worker.request('proof.run', {
      ...context(tier, epochSeed),
      publicKey: rigKey,
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
    const answer = await session.leaseUnit({ device: options.deviceId, tier, macsPerSecond })
    if (!answer.ok)
      throw new Failure('network-refused', message('network-no-unit', { refusal: refusalMessage(answer.refusal.code) }))
    leased.set(tier, (leased.get(tier) ?? 0) + 1)
    nextCounter = 0n
    leasedAt = { milliseconds: clock.monotonic(), macsPerSecond }
    options.onUnit(answer.value)
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
    backend: options.backend,
    yield: () => {
      yielding = true
      endWaiting?.()
      worker
        .request('proof.yield', null)
        .catch((error: unknown) => log.warn('a proof did not yield', { error: String(error) }))
    },
    slice: async (budgetMilliseconds, keepPipelineFull) => {
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
        publicKey: rigKey,
        unit: used.body.unit,
        firstCounter: nextCounter,
        difficulty: BigInt(used.body.difficulty),
        budgetMilliseconds,
        stopAtShare: inRamp,
        keepPipelineFull,
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
