/**
 * The coordinator's store. Every method is one transaction: changes that belong together are one call, and
 * unique constraints of the store decide races between coordinators. No method walks more rows than it returns,
 * `totals` excepted.
 */
import type { MacFormula } from '#shared/domain/manifest'
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { JobKind } from '#shared/domain/job'
import type { Epoch } from '#shared/protocol/epoch'
import type { Hello } from '#shared/protocol/hello'
import type { NetworkParameters } from '#shared/protocol/parameters'
import type { Receipt } from '#shared/protocol/receipt'
import type { RefusalCode } from '#shared/protocol/refusal'
import type { Signed } from '#shared/domain/signed'
import type { TierName } from '#shared/domain/tiers'

export interface CoordinatorStore {
  /** Keeps signed parameters by their id; the newest signature of the same id wins. */
  putParameters(parameters: Signed<NetworkParameters>): Promise<void>
  parameters(id: string): Promise<Signed<NetworkParameters> | undefined>

  /** The epochs with the highest numbers, highest first. */
  newestEpochs(count: number): Promise<Signed<Epoch>[]>
  epoch(number: number): Promise<Signed<Epoch> | undefined>
  /** False when an epoch of that number exists: it stays as it is. */
  addEpoch(epoch: Signed<Epoch>): Promise<boolean>

  /** A rig said hello: its devices' ramps start from 0. */
  beginSession(session: { rig: string; at: number; devices: Hello['devices'] }): Promise<void>
  /** How many units this device had in its session before this call. */
  climbRamp(rig: string, device: string): Promise<number>
  /** How many synthetic jobs this rig was offered before this call. */
  takeSyntheticTurn(rig: string): Promise<number>

  /** False when that number is taken in that epoch. */
  addUnit(unit: UnitRecord): Promise<boolean>
  unit(epoch: number, unit: number): Promise<UnitRecord | undefined>
  /** Forgets units that expired before `time`; their shares and receipts stay. */
  removeUnits(expiredBefore: number): Promise<void>

  share(key: ShareKey): Promise<AcceptedShare | undefined>
  /** Share and receipt together; the first of several with the same (rig, epoch, nonce) wins and is returned. */
  acceptShare(key: ShareKey, share: AcceptedShare): Promise<{ accepted: boolean; share: AcceptedShare }>

  /** Adds a job. False when the id is taken. With `lease` the job is leased at once, and its first attempt counts. */
  addJob(job: NewJob, lease?: JobLease): Promise<boolean>
  job(id: string): Promise<QueuedJob | undefined>
  /** The input of a job; undefined once the job has ended, since the store then keeps only its hash. It is not in the record because it may be large. */
  jobInput(id: string): Promise<EncodedInput | undefined>
  /**
   * Leases the queued job that `chooseQueued` names among those that one of the offers can run; synthetic jobs only
   * if `syntheticJobs`. Counts the attempt.
   */
  leaseNextJob(request: LeaseRequest): Promise<QueuedJob | undefined>
  /** Queues jobs again whose lease ended; those out of attempts fail with `message`, queued ones past their deadline with `late`. */
  expireLeases(rule: { now: number; maximumAttempts: number; message: string; late: string }): Promise<void>
  /** Extends a lease. False when the job is not leased to the rig. */
  renewLease(renewal: { job: string; rig: string; expiresAt: number }): Promise<boolean>
  /** Takes the job from the rig: queued again if `retry` and attempts are left, failed otherwise. False when the job is not leased to the rig. */
  releaseJob(release: {
    job: string
    rig: string
    retry: boolean
    maximumAttempts: number
    message: string
  }): Promise<boolean>
  /** False when the job is finished or unknown. */
  cancelJob(id: string): Promise<boolean>

  /** Receipt, the job's end and the mark that this work was credited in the epoch: all or nothing. */
  acceptResult(result: AcceptedResult): Promise<ResultOutcome>
  /** The rig's result was wrong: no credit, and the job is treated as by `releaseJob`. False when the job is not leased to the rig. */
  refuseResult(refused: RefusedResult): Promise<boolean>

  /** Number and credit of all receipts, or of one epoch's. */
  totals(epoch?: number): Promise<{ receipts: number; creditMacs: bigint }>
}

export interface UnitRecord {
  epoch: number
  /** 32 bits, unique in its epoch */
  unit: number
  rig: string
  tier: TierName
  difficulty: bigint
  /** UTC ms */
  expiresAt: number
}

export interface ShareKey {
  rig: string
  epoch: number
  /** 64 bits */
  nonce: bigint
}
export interface AcceptedShare {
  signature: string
  receipt: Signed<Receipt>
}

export type Buyer = 'person' | 'gateway' | 'sample'
/** Priority of a job by its buyer: the lowest number is served first. */
export const BUYER_PRIORITY: Readonly<Record<Buyer, number>> = { person: 0, gateway: 1, sample: 2 }

export interface NewJob {
  id: string
  kind: JobKind
  /** model hash */
  model: string
  input: EncodedInput
  buyer: Buyer
  /** lines that a right answer has, where they are known; forgotten once the job has ended */
  knownText?: string[]
  createdAt: number
  /** UTC ms by which it must be done; absent: no deadline */
  deadline?: number
}
export interface JobLease {
  rig: string
  /** UTC ms */
  expiresAt: number
  /** how the rig's model counts its MACs, as the rig stated when it took the job */
  formula: MacFormula
}
export type StoredJobState = 'queued' | 'leased' | 'done' | 'failed' | 'cancelled'

export interface QueuedJob extends Omit<NewJob, 'input'> {
  inputHash: string
  state: StoredJobState
  attempts: number
  /** the present lease, or the last one until another rig takes the job */
  lease?: JobLease
  /** why the job failed, or why it earned nothing */
  message?: string
  /** the result that was judged */
  resultSignature?: string
  refusal?: RefusalCode
  receipt?: Signed<Receipt>
}

export interface LeaseRequest {
  rig: string
  /** in the rig's order of preference */
  offers: readonly { kind: JobKind; model: string; formula: MacFormula; usualMilliseconds?: number }[]
  syntheticJobs: boolean
  now: number
  expiresAt: number
}

export interface AcceptedResult {
  job: string
  rig: string
  signature: string
  receipt: Signed<Receipt>
}
export type ResultOutcome = 'accepted' | 'repeated' | 'already-credited' | 'lease-lost'

export interface RefusedResult {
  job: string
  rig: string
  signature: string
  code: RefusalCode
  retry: boolean
  maximumAttempts: number
  message: string
}

/** The sentence of the refusal `already-credited`. */
export const ALREADY_CREDITED_MESSAGE = 'The same work was credited in this epoch before.'

/** Whether a rig may still deliver a job: the job is leased to it, or was leased to it last. */
export function isHeldBy(job: Pick<QueuedJob, 'state' | 'lease'>, rig: string): boolean {
  return (job.state === 'leased' || job.state === 'queued') && job.lease?.rig === rig
}
