/** Benchmarks and stress tests: measured under recorded conditions and signed; a device with a wrong digest is quarantined. */
import type { BenchmarkRow, Device } from '#shared/contract/devices'
import {
  BENCHMARK_EPOCH,
  BENCHMARK_PUBLIC_KEY,
  DEFAULT_BENCHMARK_SECONDS,
  type BenchmarkProgress,
  median,
  spreadOf,
} from '#shared/domain/benchmark'
import type { BenchmarkReport } from '#shared/domain/benchmark-report'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { checksumOf, goldenDigests } from '#shared/domain/golden'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { backendNames, type BackendName } from '#shared/domain/backend'
import { processorClockHertz, type Quarantine } from '../devices'
import type { RigContext } from '../base'
import type { BenchmarkOutcome, BenchmarkPlan } from './benchmark-task'
import { recompute } from '../workers'
import type { DevicePowers } from '../power'

export interface BenchmarkRequest {
  id: string
  backend?: string | undefined
  tier?: TierName | undefined
  seconds?: number | undefined
  stressMinutes?: number | undefined
}

export interface Benchmarks {
  /**
   * Measures a device between its other work. A device that computes wrongly is quarantined, and the row says so.
   * Throws Failure `device-unavailable`, `wrong-usage`, `conflict` (a stress test while mining), `cancelled`.
   */
  run(request: BenchmarkRequest): Promise<BenchmarkRow>
  /** Cancels the benchmark of a device. False: none is under way. */
  cancel(deviceId: string): boolean
  /** A benchmark as a signed report. Throws Failure `not-found`, or `conflict` for a row without digests to verify. */
  export(benchmarkId: string): Signed<BenchmarkReport>
}

/** What a benchmark needs of a device's loop. */
export interface BenchmarkRunner {
  /** the backend it mines on; null: it does not mine */
  readonly backend: BackendName | null
  /** progress of the benchmark under way; null: there is none */
  readonly benchmarkProgress: BenchmarkProgress | null
  /**
   * Measures the device between its other work; a start of mining ends the benchmark. Rejects with Failure `cancelled` then, `device-unavailable`
   * where the device cannot work.
   */
  benchmark(plan: BenchmarkPlan): Promise<BenchmarkOutcome & { threads: number }>
  /** Cancels the benchmark. False: none was requested. */
  cancelBenchmark(): boolean
}

/** The rig's devices, as far as a benchmark needs them. */
export interface BenchmarkedDevices {
  /** Throws Failure `not-found`. */
  get(id: string): Device
  runner(id: string): BenchmarkRunner
  heat(id: string): { limitCelsius: number }
}

export interface BenchmarksOptions {
  devices: BenchmarkedDevices
  powers: Pick<DevicePowers, 'of' | 'atFullLoad' | 'clockHertz'>
  /** settles when every device was tried */
  settled: () => Promise<void>
  quarantine: Quarantine['put']
  signer: Signer
}

/** How long another backend computes the digests that a stress test is checked against. */
const CHECK_MILLISECONDS = { least: 1000, most: 10_000, share: 0.1 }
const MOST_KNOWN = 256

export function createBenchmarks(
  rig: Pick<RigContext, 'ledger' | 'log' | 'host' | 'version' | 'randomBytes'>,
  options: BenchmarksOptions,
): Benchmarks {
  const { ledger, log } = rig
  const { devices, powers, signer } = options

  /** Reference digests for a stress test: the golden file's, then those that another backend of the processor computes. */
  const knownDigests = async (
    tested: { device: Device; backend: BackendName; tier: TierName; milliseconds: number },
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const golden = goldenDigests(tested.tier)
    const processor = devices.get('cpu0')
    const backend = processor.backends.find((name) => tested.device.id !== 'cpu0' || name !== tested.backend)
    const checking = backendNames.find((name) => name === backend)
    if (checking === undefined) return golden
    const { least, most, share } = CHECK_MILLISECONDS
    try {
      const { digests } = await recompute(
        { host: rig.host, threads: processor.threads?.inUse ?? 1, signal },
        (checker) =>
          checker.digests({
            backend: checking,
            tier: tested.tier,
            epochSeed: BENCHMARK_EPOCH,
            publicKey: BENCHMARK_PUBLIC_KEY,
            firstNonce: BigInt(golden.length),
            budgetMilliseconds: Math.min(most, Math.max(least, tested.milliseconds * share)),
            maxNonces: MOST_KNOWN - golden.length,
            keep: MOST_KNOWN,
          }),
      )
      return [...golden, ...digests]
    } catch (error) {
      if (error instanceof Failure && error.code === 'cancelled') throw error
      log.warn('a stress test is checked against the golden digests alone', { reason: String(error) })
      return golden
    }
  }

  const rowOf = (
    device: Device,
    asked: { backend: BackendName; tier: TierName; stress: boolean },
    measured: BenchmarkOutcome & { threads: number },
  ): Omit<BenchmarkRow, 'id' | 'at' | 'samples'> => {
    const { samples, wrong, measuredWatts } = measured
    const noncesPerSecond = samples.length === 0 || wrong !== null ? 0 : median(samples)
    const macsPerSecond = noncesPerSecond * Number(TIERS[asked.tier].macs)
    const estimate = powers.atFullLoad(device.id)
    const isMeasured = macsPerSecond > 0
    const watts = isMeasured ? (measuredWatts ?? estimate.watts) : null
    const certainty = measuredWatts === null ? estimate.certainty : 'measured'
    return {
      deviceId: device.id,
      mode: asked.stress ? 'stress' : 'benchmark',
      backend: asked.backend,
      tier: asked.tier,
      noncesPerSecond,
      macsPerSecond,
      spread: spreadOf(samples),
      milliseconds: measured.milliseconds,
      watts,
      wattsCertainty: watts === null ? null : certainty,
      wattsSource: estimate.source,
      macsPerJoule: watts === null ? null : macsPerSecond / watts,
      temperatureCelsius: measured.temperatureCelsius,
      clockHertz: measured.clockHertz,
      powerLimitWatts: device.powerLimit?.currentWatts ?? null,
      threads: device.threads === null ? null : measured.threads,
      driver: device.detail.driver ?? null,
      lodeVersion: rig.version,
      checksum: wrong === null ? 'ok' : 'mismatch',
      checksumSha256: checksumOf(measured.checksumDigests),
      noncesChecked: measured.noncesChecked,
      ended: measured.ended,
      wrongNonce: wrong === null ? null : wrong.nonce.toString(),
    }
  }

  return {
    run: async ({ id, backend, tier = 'itp1-base', seconds = DEFAULT_BENCHMARK_SECONDS, stressMinutes }) => {
      await options.settled()
      const device = devices.get(id)
      if (!device.canMine)
        throw new Failure(
          'device-unavailable',
          message('benchmark-device-unable', { device: id, reason: device.reason ?? message('device-cannot-mine') }),
        )
      const name = backend ?? device.backends[0]
      const known = backendNames.find((candidate) => candidate === name)
      if (known === undefined || !device.backends.includes(known)) {
        throw new Failure(
          'wrong-usage',
          message('backend-not-there', { device: id, backend: name ?? '', has: device.backends }),
        )
      }
      const stress = stressMinutes !== undefined
      const runner = devices.runner(id)
      if (stress && runner.backend !== null)
        throw new Failure('conflict', message('stress-test-while-mining', { device: id }))
      const milliseconds = (stressMinutes === undefined ? seconds : stressMinutes * 60) * 1000
      const tested = { device, backend: known, tier, milliseconds }
      const measured = await runner.benchmark({
        backend: known,
        tier,
        milliseconds,
        publicKey: signer.publicKeyHex,
        // A random first nonce, so that nobody can have computed these digests before. It is far from the end of the nonces.
        firstNonce: new DataView(Uint8Array.from(rig.randomBytes(8)).buffer).getBigUint64(0) >> 1n,
        stress: stress ? (signal) => knownDigests(tested, signal) : null,
        read: () => {
          const { watts, certainty, temperatureCelsius } = powers.of(id)
          return {
            measuredWatts: certainty === 'measured' ? watts : null,
            temperatureCelsius,
            temperatureLimitCelsius: devices.heat(id).limitCelsius,
            clockHertz: powers.clockHertz(id) ?? (id === 'cpu0' ? processorClockHertz() : null),
          }
        },
      })
      const now = devices.get(id)
      const row = ledger.recordBenchmark(rowOf(now, { backend: known, tier, stress }, measured), {
        device: {
          id,
          kind: now.kind,
          name: now.name,
          vendor: now.detail.vendor,
          memoryBytes: now.memoryBytes,
          instructionSets: now.detail.instructionSets,
          driver: now.detail.driver ?? null,
        },
        samples: measured.samples,
        checksumDigests: measured.checksumDigests,
        digests: measured.digests.map(({ nonce, digest }) => ({ nonce: nonce.toString(), digest })),
      })
      if (measured.wrong !== null) {
        const { nonce } = measured.wrong
        await options.quarantine(id, message('device-computes-wrongly', { nonce: String(nonce), tier, backend: known }))
      }
      return row
    },
    cancel: (deviceId) => devices.runner(deviceId).cancelBenchmark(),
    export: (benchmarkId) => {
      const found = ledger.benchmark(benchmarkId)
      if (found === null) throw new Failure('not-found', message('benchmark-not-found', { benchmark: benchmarkId }))
      const { row, evidence } = found
      if (evidence === null || row.checksum !== 'ok' || row.lodeVersion === null || row.checksumSha256 === null) {
        throw new Failure('conflict', message('benchmark-not-signed', { why: row.checksum === 'ok' ? 'old' : 'wrong' }))
      }
      return signObject(
        'benchmark',
        {
          version: 2,
          rig: signer.publicKeyHex,
          lodeVersion: row.lodeVersion,
          at: row.at,
          mode: row.mode,
          ...evidence,
          backend: row.backend,
          threads: row.threads,
          tier: row.tier,
          epochSeed: BENCHMARK_EPOCH,
          milliseconds: row.milliseconds ?? 0,
          noncesPerSecond: row.noncesPerSecond,
          macsPerSecond: row.macsPerSecond,
          spread: row.spread,
          watts: row.watts,
          wattsCertainty: row.wattsCertainty,
          wattsSource: row.wattsSource,
          macsPerJoule: row.macsPerJoule,
          temperatureCelsius: row.temperatureCelsius,
          clockHertz: row.clockHertz,
          powerLimitWatts: row.powerLimitWatts,
          checksum: row.checksumSha256,
        },
        signer,
      )
    },
  }
}
