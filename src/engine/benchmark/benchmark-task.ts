/** One benchmark of one device, in slices: the device does its other work between them. */
import {
  BENCHMARK_EPOCH,
  BENCHMARK_PUBLIC_KEY,
  median,
  type BenchmarkProgress,
  type benchmarkPhases,
} from '#shared/domain/benchmark'
import { goldenDigests } from '#shared/domain/golden'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { WorkerClient } from '../workers'

/** The sensors and settings of a device at one moment; null: not available. */
export interface BenchmarkReading {
  measuredWatts: number | null
  temperatureCelsius: number | null
  temperatureLimitCelsius: number
  clockHertz: number | null
}

export interface BenchmarkPlan {
  backend: BackendName
  tier: TierName
  /** the time-box, counted while the device works on the benchmark. The golden digests are computed even if they take longer. */
  milliseconds: number
  /** the rig's key; the samples are computed under it, so that no other rig has these digests */
  publicKey: string
  firstNonce: bigint
  /** null: no stress test. Otherwise returns the known digests of nonces 0 … of the benchmark epoch and key; called before the test. */
  stress: ((signal: AbortSignal) => Promise<readonly string[]>) | null
  read: () => BenchmarkReading
}

export interface BenchmarkOutcome {
  /** why it ended */
  ended: 'time' | 'too-hot' | 'wrong-digest'
  /** as computed, of nonces 0 … of the golden file */
  checksumDigests: string[]
  /** the first nonce with a wrong digest */
  wrong: { nonce: bigint; digest: string } | null
  /** nonces a second, one figure a sample */
  samples: number[]
  /** number of nonces that were computed in the samples */
  nonces: number
  milliseconds: number
  /** digests that were compared with known ones */
  noncesChecked: number
  /** some of the sampled nonces, under the plan's key */
  digests: { nonce: bigint; digest: string }[]
  /** means over the samples, null where no reading was there */
  measuredWatts: number | null
  clockHertz: number | null
  /** the highest */
  temperatureCelsius: number | null
}

export interface BenchmarkTask {
  readonly progress: BenchmarkProgress
  /** Runs one slice. Returns the outcome after the last slice, null before it. */
  slice(worker: WorkerClient): Promise<BenchmarkOutcome | null>
  cancel(): void
}

/** Number of samples in a time-box: each is so long that starting and ending it hardly counts. */
const SAMPLES_WANTED = 16
const SAMPLE_MILLISECONDS = { least: 100, most: 500 }
/** The share of the time-box before the first sample, in which clocks and caches settle. */
const WARM_UP_SHARE = 0.2
const STRESS_SLICE_MILLISECONDS = 1000
/** A longer stress test has longer samples, not more. */
const MOST_STRESS_SAMPLES = 600
/** Instead of a time-box, for digests that must be computed. */
const UNBOUNDED_MILLISECONDS = 3_600_000
/** Number of digests that are kept: of one sample, and of all. */
const KEPT_OF_SAMPLE = 8
const MOST_KEPT = 96

export function createBenchmarkTask(plan: BenchmarkPlan, clock: { now(): number; monotonic(): number }): BenchmarkTask {
  const { backend, tier, stress } = plan
  const context = { backend, tier, epochSeed: BENCHMARK_EPOCH }
  const golden = { ...context, publicKey: BENCHMARK_PUBLIC_KEY, firstNonce: 0n }
  const cancelling = new AbortController()
  const syntheticMilliseconds = Math.min(
    SAMPLE_MILLISECONDS.most,
    Math.max(SAMPLE_MILLISECONDS.least, plan.milliseconds / SAMPLES_WANTED),
  )
  let phase: (typeof benchmarkPhases)[number] = 'preparing'
  let known: readonly string[] = goldenDigests(tier)
  let spent = 0
  /** monotonic milliseconds when the slice under way began; null: no slice is under way */
  let sliceBeganAt: number | null = null
  let hasBegun = false
  let warmedUp = 0
  let nextNonce = plan.firstNonce
  const outcome: BenchmarkOutcome = {
    ended: 'time',
    checksumDigests: [],
    wrong: null,
    samples: [],
    nonces: 0,
    milliseconds: 0,
    noncesChecked: 0,
    digests: [],
    measuredWatts: null,
    clockHertz: null,
    temperatureCelsius: null,
  }
  const watts: number[] = []
  const clocks: number[] = []

  const look = (): BenchmarkReading => {
    const reading = plan.read()
    if (reading.measuredWatts !== null) watts.push(reading.measuredWatts)
    if (reading.clockHertz !== null) clocks.push(reading.clockHertz)
    if (reading.temperatureCelsius !== null)
      outcome.temperatureCelsius = Math.max(reading.temperatureCelsius, outcome.temperatureCelsius ?? -Infinity)
    return reading
  }
  const finish = (ended: BenchmarkOutcome['ended']): BenchmarkOutcome => ({
    ...outcome,
    ended,
    measuredWatts: mean(watts),
    clockHertz: mean(clocks),
  })
  const begun = { nonces: 0, milliseconds: 0 }
  /** Adds the nonces of a run to the sample under way; the sample ends once it has lasted `leastMilliseconds`. */
  const record = (nonces: number, milliseconds: number, leastMilliseconds: number): void => {
    outcome.nonces += nonces
    outcome.milliseconds += milliseconds
    begun.nonces += nonces
    begun.milliseconds += milliseconds
    if (begun.milliseconds < leastMilliseconds && outcome.samples.length > 0) return
    outcome.samples.push((begun.nonces * 1000) / Math.max(begun.milliseconds, Number.EPSILON))
    begun.nonces = 0
    begun.milliseconds = 0
  }

  const prepare = async (worker: WorkerClient): Promise<null> => {
    if (stress !== null) known = await stress(cancelling.signal)
    await worker.request('proof.prepare', context)
    phase = 'checking'
    return null
  }

  const checkGolden = async (worker: WorkerClient): Promise<BenchmarkOutcome | null> => {
    const right = goldenDigests(tier)
    const { digests } = await worker.request('proof.digests', {
      ...golden,
      budgetMilliseconds: UNBOUNDED_MILLISECONDS,
      maxNonces: right.length,
      keep: right.length,
    })
    outcome.checksumDigests = digests
    outcome.noncesChecked = digests.length
    const index = right.findIndex((digest, nonce) => digests[nonce] !== digest)
    phase = stress === null ? 'warming-up' : 'measuring'
    if (index < 0) return null
    outcome.wrong = { nonce: BigInt(index), digest: digests[index] ?? '' }
    return finish('wrong-digest')
  }

  const sample = async (worker: WorkerClient): Promise<BenchmarkOutcome | null> => {
    const isWarm = phase === 'measuring'
    const { digests, nonces, milliseconds } = await worker.request('proof.digests', {
      ...context,
      publicKey: plan.publicKey,
      firstNonce: nextNonce,
      budgetMilliseconds: syntheticMilliseconds,
      keep: isWarm ? KEPT_OF_SAMPLE : 0,
    })
    if (isWarm) {
      look()
      record(nonces, milliseconds, 0)
      const kept = digests.map((digest, index) => ({ nonce: nextNonce + BigInt(index), digest }))
      outcome.digests.push(...kept.slice(0, MOST_KEPT - outcome.digests.length))
    } else {
      warmedUp += milliseconds
      if (warmedUp >= plan.milliseconds * WARM_UP_SHARE) phase = 'measuring'
    }
    nextNonce += BigInt(nonces)
    return null
  }

  const stressSlice = async (worker: WorkerClient): Promise<BenchmarkOutcome | null> => {
    const { nonces, milliseconds, wrong } = await worker.request('proof.check', {
      ...golden,
      expected: [...known],
      budgetMilliseconds: STRESS_SLICE_MILLISECONDS,
    })
    record(nonces, milliseconds, plan.milliseconds / MOST_STRESS_SAMPLES)
    outcome.noncesChecked += nonces
    const { temperatureCelsius, temperatureLimitCelsius } = look()
    outcome.wrong = wrong
    if (wrong !== null) return finish('wrong-digest')
    if (temperatureCelsius !== null && temperatureCelsius >= temperatureLimitCelsius) return finish('too-hot')
    return null
  }

  /** Whether time counts: the preparation of a stress test does not. */
  const isCounted = (): boolean => stress === null || phase === 'measuring'
  const spentNow = (): number => spent + (sliceBeganAt !== null && isCounted() ? clock.monotonic() - sliceBeganAt : 0)

  const work = (worker: WorkerClient): Promise<BenchmarkOutcome | null> => {
    switch (phase) {
      case 'preparing':
        return prepare(worker)
      case 'checking':
        return checkGolden(worker)
      case 'warming-up':
      case 'measuring':
        return stress === null ? sample(worker) : stressSlice(worker)
    }
  }

  return {
    get progress() {
      const { samples, noncesChecked } = outcome
      return {
        phase,
        tier,
        isStress: stress !== null,
        endsAt: hasBegun ? clock.now() + Math.max(0, plan.milliseconds - spentNow()) : null,
        milliseconds: plan.milliseconds,
        samples: samples.length,
        macsPerSecond: samples.length === 0 ? null : median(samples) * Number(TIERS[tier].macs),
        noncesChecked,
      }
    },
    slice: async (worker) => {
      hasBegun = true
      const beganAt = clock.monotonic()
      sliceBeganAt = beganAt
      try {
        const counts = isCounted()
        const ended = await work(worker)
        if (counts) spent += clock.monotonic() - beganAt
        return ended ?? (spent >= plan.milliseconds && outcome.samples.length > 0 ? finish('time') : null)
      } finally {
        sliceBeganAt = null
      }
    },
    cancel: () => cancelling.abort(),
  }
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
