/** The proofs of one device: slices of nonces, the shares found, and what they cost. */
import { Failure } from '#shared/domain/errors'
import type { WorkEnergy } from '../ledger'
import type { DeviceDisplay, DeviceRunnerParts, MiningOptions } from '../device-loop'
import type { Slice } from './pacing'
import type { FoundShare } from '../network'
import { createProofMiner, type ProofMiner } from './proof-miner'
import { createShareAccount } from './share-account'
import type { WorkerClient } from '../workers'

export interface DeviceProofs {
  readonly macsPerSecond: number | null
  /** Mining begins: what came before is nobody's. */
  begin(): void
  /** One slice, none where a job waits; returns its milliseconds. Throws Failure when worker or network do not answer. */
  prove(worker: WorkerClient, options: MiningOptions, slice: Slice): Promise<number>
  /** A useful job waits. */
  yield(): void
  /** The worker or the network is another: weights and unit are. */
  forget(): void
  /** Other work took the device's joules since `before`. */
  otherWorkSince(before: WorkEnergy | null): void
  /** A share that could not be written down, until `forgive`. */
  readonly unwritten: Failure | null
  forgive(): void
}

export type DeviceProofsParts = Pick<
  DeviceRunnerParts,
  | 'deviceId'
  | 'rigKey'
  | 'network'
  | 'networkState'
  | 'clock'
  | 'log'
  | 'memoryBytes'
  | 'submissions'
  | 'energyNow'
  | 'onUnit'
  | 'onWork'
  | 'whileMining'
> & { show: DeviceDisplay['show']; display: Pick<DeviceDisplay, 'state'>; isJobWaiting: () => boolean }

export function createDeviceProofs(parts: DeviceProofsParts): DeviceProofs {
  const { deviceId, clock, log, show } = parts
  let miner: ProofMiner | null = null
  let unwritten: Failure | null = null
  /** monotonic; a new worker or unit does not begin the run anew */
  let miningSince = 0
  const sinceShare = createShareAccount(parts.energyNow)

  const submit = (found: FoundShare): void => {
    const { energy, milliseconds } = sinceShare.take()
    parts.submissions.share(found, deviceId, energy, milliseconds).catch((error: unknown) => {
      log.error('a share could not be stored', { device: deviceId, error: String(error) })
      // Mining must not pretend: work that cannot be written down is not done.
      unwritten = error instanceof Failure ? error : new Failure('internal', String(error))
    })
  }

  const minerFor = (worker: WorkerClient, options: MiningOptions): ProofMiner => {
    miner ??= createProofMiner({
      deviceId,
      rigKey: parts.rigKey,
      worker,
      network: parts.network,
      networkState: parts.networkState,
      clock,
      log,
      engine: options.engine,
      tier: options.tier,
      memoryBytes: parts.memoryBytes,
      startedAt: miningSince,
      onUnit: parts.onUnit,
    })
    return miner
  }

  return {
    get macsPerSecond() {
      return miner?.macsPerSecond ?? null
    },
    begin: () => {
      miningSince = clock.monotonic()
      sinceShare.begin()
    },
    prove: async (worker, options, slice) => {
      if (miner === null) {
        await parts.whileMining?.begin()
        sinceShare.beginWherePossible()
      }
      const proof = minerFor(worker, options)
      const words = `Proving capacity on ${proof.tier}`
      if (parts.display.state !== 'proving')
        show('proving', proof.macsPerSecond === null ? `Preparing the weights of ${proof.tier}` : words, 'proof')
      // A job that came while something was awaited above found no slice that could yield.
      if (parts.isJobWaiting()) return 0
      const report = await proof.slice(slice.milliseconds, slice.goesOn)
      show('proving', `Proving capacity on ${report.tier}`, 'proof')
      // A share took the slice that found it.
      sinceShare.worked(report.milliseconds)
      report.shares.forEach(submit)
      const factorMilli = parts.networkState.current.parameters.tierFactorsMilli[report.tier] ?? 0
      parts.onWork({
        macs: report.macs,
        creditMacs: (Number(report.macs) * factorMilli) / 1000,
        milliseconds: report.milliseconds,
      })
      return report.milliseconds
    },
    yield: () => miner?.yield(),
    forget: () => {
      miner = null
    },
    otherWorkSince: (before) => sinceShare.otherWorkSince(before),
    get unwritten() {
      return unwritten
    },
    forgive: () => {
      unwritten = null
    },
  }
}
