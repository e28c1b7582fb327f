/** The proofs of one device: slices of nonces, the shares found, and what they cost. */
import { Failure, toFailureValue } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
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

/** The tier and the backend to prove with. `tier` null: small for the first minute, then base where memory allows it. */
export interface ProofOptions {
  tier: TierName | null
  backend: BackendName
}

/** How long the next slice may take, and whether another follows it without a rest. */
export interface Slice {
  milliseconds: number
  keepPipelineFull: boolean
}

export interface DeviceProofs {
  readonly macsPerSecond: number | null
  /** Mining begins: earlier time and joules count for no share. */
  begin(): void
  /** Runs one slice, or none if a job waits. Returns the milliseconds of the slice. Throws Failure when worker or network do not answer. */
  prove(worker: WorkerClient, wanted: ProofOptions, slice: Slice): Promise<number>
  /** A useful job waits: the slice under way ends. */
  yield(): void
  /** The worker was started anew or the network was lost: the weights and the unit are dropped. */
  forget(): void
  /** Other work took the device's joules since `before`: they are not the next share's. */
  otherWorkSince(before: WorkEnergy | null): void
  /** why a share could not be written into the ledger; null: all were. Stays until `clearFault`. */
  readonly unwritten: Failure | null
  /** Forgets `unwritten`: the person tries again. */
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
  /** Called before the first slice of a run. Never rejects. */
  beforeMining: () => Promise<void>
  show: (state: DeviceState, activity: Message, lane: 'proof') => void
  state: () => DeviceState
  isJobWaiting: () => boolean
}

export function createDeviceProofs(
  rig: Pick<RigContext, 'clock' | 'log'>,
  link: NetworkLink,
  options: DeviceProofsOptions,
): DeviceProofs {
  const { clock, log } = rig
  const { deviceId, show } = options
  let miner: ProofMiner | null = null
  let unwritten: Failure | null = null
  /** monotonic milliseconds of the start of mining; a new worker or unit does not change it */
  let miningSince = 0
  const sinceShare = createShareAccount(options.energyNow)

  const submit = (found: FoundShare): void => {
    const { energy, milliseconds } = sinceShare.take()
    link.submissions.share(found, deviceId, energy, milliseconds).catch((error: unknown) => {
      log.error('a share could not be stored', { device: deviceId, error: String(error) })
      // Work that cannot be written into the ledger earns nothing: mining must end, not go on for nothing.
      unwritten = error instanceof Failure ? error : Failure.from(toFailureValue(error))
    })
  }

  const minerFor = (worker: WorkerClient, wanted: ProofOptions): ProofMiner => {
    miner ??= createProofMiner(rig, link, {
      deviceId,
      worker,
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
      if (options.state() !== 'proving') {
        const isPreparing = proof.macsPerSecond === null
        show('proving', message(isPreparing ? 'activity-preparing-weights' : 'activity-proving', proof), 'proof')
      }
      // A job may have come while this function waited: there was no slice yet that could yield.
      if (options.isJobWaiting()) return 0
      const report = await proof.slice(slice.milliseconds, slice.keepPipelineFull)
      show('proving', message('activity-proving', report), 'proof')
      // The slice counts as work of the share that it found.
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
