/** The proofs of one device: slices of nonces, the shares found, and what they cost. */
import { Failure } from '#shared/domain/errors'
import type { WorkEnergy } from '../ledger'
import type { Signed } from '#shared/domain/signed'
import type { DeviceState } from '#shared/domain/states'
import type { TierName } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { Unit } from '#shared/protocol/unit'
import type { RigContext } from '../base'
import type { FoundShare, NetworkLink } from '../network'
import { createProofMiner, type ProofMiner } from './proof-miner'
import { createShareAccount } from './share-account'
import type { WorkerClient } from '../workers'

/** What to prove, and on what. `tier` null: small for the first minute, then base where memory allows it. */
export interface ProofOptions {
  tier: TierName | null
  backend: BackendName
}

/** How long the next slice may take, and whether another follows it without a rest. */
export interface Slice {
  milliseconds: number
  goesOn: boolean
}

export interface DeviceProofs {
  readonly macsPerSecond: number | null
  /** Mining begins: time and joules from before count for no share. */
  begin(): void
  /** One slice, none where a job waits; returns its milliseconds. Throws Failure when worker or network do not answer. */
  prove(worker: WorkerClient, wanted: ProofOptions, slice: Slice): Promise<number>
  /** A useful job waits. */
  yield(): void
  /** The worker or the network is another: weights and unit are. */
  forget(): void
  /** Other work took the device's joules since `before`. */
  otherWorkSince(before: WorkEnergy | null): void
  /** A share that could not be written down, until `clearFault`. */
  readonly unwritten: Failure | null
  clearFault(): void
}

export interface DeviceProofsOptions {
  deviceId: string
  memoryBytes: number
  /** joules of the device since an arbitrary start; null where nothing is known */
  energyNow: () => WorkEnergy | null
  onUnit: (unit: Signed<Unit>) => void
  /** work done and its expected credit, as it happens */
  onWork: (work: { macs: bigint; creditMacs: number; milliseconds: number }) => void
  /** Before the first slice of a run. Never rejects. */
  beforeMining: () => Promise<void>
  show: (state: DeviceState, words: string, lane: 'proof') => void
  state: () => DeviceState
  isJobWaiting: () => boolean
}

export function createDeviceProofs(
  { clock, log }: Pick<RigContext, 'clock' | 'log'>,
  link: NetworkLink,
  options: DeviceProofsOptions,
): DeviceProofs {
  const { deviceId, show } = options
  let miner: ProofMiner | null = null
  let unwritten: Failure | null = null
  /** monotonic; a new worker or unit does not begin the run anew */
  let miningSince = 0
  const sinceShare = createShareAccount(options.energyNow)

  const submit = (found: FoundShare): void => {
    const { energy, milliseconds } = sinceShare.take()
    link.submissions.share(found, deviceId, energy, milliseconds).catch((error: unknown) => {
      log.error('a share could not be stored', { device: deviceId, error: String(error) })
      // Mining must not pretend: work that cannot be written down is not done.
      unwritten = error instanceof Failure ? error : new Failure('internal', String(error))
    })
  }

  const minerFor = (worker: WorkerClient, wanted: ProofOptions): ProofMiner => {
    miner ??= createProofMiner({
      deviceId,
      rigKey: link.rigKey,
      worker,
      session: link.session,
      networkState: link.networkState,
      clock,
      log,
      backend: wanted.backend,
      tier: wanted.tier,
      memoryBytes: options.memoryBytes,
      startedAt: miningSince,
      onUnit: options.onUnit,
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
    prove: async (worker, wanted, slice) => {
      if (miner === null) {
        await options.beforeMining()
        sinceShare.beginWherePossible()
      }
      const proof = minerFor(worker, wanted)
      const words = `Proving capacity on ${proof.tier}`
      if (options.state() !== 'proving')
        show('proving', proof.macsPerSecond === null ? `Preparing the weights of ${proof.tier}` : words, 'proof')
      // A job that came while something was awaited above found no slice that could yield.
      if (options.isJobWaiting()) return 0
      const report = await proof.slice(slice.milliseconds, slice.goesOn)
      show('proving', `Proving capacity on ${report.tier}`, 'proof')
      // A share took the slice that found it.
      sinceShare.worked(report.milliseconds)
      report.shares.forEach(submit)
      const factorMilli = link.networkState.current.parameters.tierFactorsMilli[report.tier] ?? 0
      options.onWork({
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
    clearFault: () => {
      unwritten = null
    },
  }
}
