/**
 * The coordinator's store. Every method is one transaction: changes that belong together are one call, and
 * unique constraints of the store decide races between coordinators. No method walks more rows than it returns,
 * `totals` excepted.
 */
import type { MacFormula } from '#shared/domain/manifest'
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { JobKind } from '#shared/domain/job'
import type { Epoch } from '#shared/protocol/epoch'
import type { StoredEpoch } from '#shared/protocol/stored'
import type { Hello } from '#shared/protocol/hello'
import type { JobDelivery, JobResult } from '#shared/protocol/job'
import type { ModelFactor, ModelListing, NetworkParameters } from '#shared/protocol/parameters'
import type { Receipt } from '#shared/protocol/receipt'
import type { RefusalCode } from '#shared/protocol/refusal'
import type { Signed } from '#shared/domain/signed'
import type { TierName } from '#shared/domain/tiers'

export interface CoordinatorStore {
  /** Keeps signed parameters by their id; the newest signature of the same id wins. */
  putParameters(parameters: Signed<NetworkParameters>): Promise<void>
  /** Undefined for parameters that are not known, or have the form of a former version. */
  parameters(id: string): Promise<Signed<NetworkParameters> | undefined>
  /** Keeps the listing of a model; the newest call for a model wins. */
  putListing(listing: Signed<ModelListing>): Promise<void>
  /** By the model's hash. */
  listing(model: string): Promise<Signed<ModelListing> | undefined>
  /** Listings from `since` (UTC ms) on, the newest first. */
  listings(request: { since: number; limit: number }): Promise<Signed<ModelListing>[]>

  /** The epochs with the highest numbers, highest first. */
  newestEpochs(count: number): Promise<Signed<StoredEpoch>[]>
  /** The epochs from that number on, lowest first. */
  epochsFrom(number: number, limit: number): Promise<Signed<StoredEpoch>[]>
  epoch(number: number): Promise<Signed<StoredEpoch> | undefined>
  /**
   * Epoch and secrets together, and the keys that it publishes are no longer due. False when an epoch of that number
   * exists: it stays as it is, its secrets too.
   */
  addEpoch(epoch: Signed<Epoch>, secrets: EpochSecrets): Promise<boolean>
  /** The secret that the epoch after this one reveals; undefined for an epoch of version 1. */
  nextSecret(number: number): Promise<string | undefined>
  /** Keys for checks whose `checkKeyDueAt` is before `now` (UTC ms) and that no epoch published, lowest number first. */
  dueCheckKeys(now: number, limit: number): Promise<Epoch['checkKeys']>
  /** Ids of an epoch's receipts in ascending order, those after `after`. */
  receiptIds(epoch: number, after: string, limit: number): Promise<string[]>

  /** A rig said hello: its devices' ramps start from 0, and it is suspended no more. */
  beginSession(session: { rig: string; at: number; devices: Hello['devices'] }): Promise<void>
  /** Suspends a rig until its next session, which may not begin before `until` (UTC ms). The latest call wins. */
  suspendRig(rig: string, until: number): Promise<void>
  suspendedUntil(rig: string): Promise<number | undefined>
  /** How many units this device had in its session before this call. */
  climbRamp(rig: string, device: string): Promise<number>
  /** How many synthetic jobs this rig was offered before this call; undefined: it was offered `most` in this epoch, and gets no other. */
  takeSyntheticTurn(rig: string, epoch: number, most: number): Promise<number | undefined>

  rigRecord(rig: string): Promise<RigRecord | undefined>
  /** False when the record is no longer as `expected` was read: it stays as it is. A rig without a record has one of zeros. */
  compareAndSetRecord(rig: string, expected: RigRecord, next: RigRecord): Promise<boolean>

  /** False when that number is taken in that epoch, or the rig holds as many units at `held.now` (UTC ms) as `held.most`. */
  addUnit(unit: UnitRecord, held?: { now: number; most: number }): Promise<boolean>
  /** How many units of this rig have not expired at `now` (UTC ms). */
  heldUnits(rig: string, now: number): Promise<number>
  unit(epoch: number, unit: number): Promise<UnitRecord | undefined>
  /** Forgets units that expired before `time`; their shares and receipts stay. */
  removeUnits(expiredBefore: number): Promise<void>

  share(key: ShareKey): Promise<AcceptedShare | undefined>
  /** Share and receipt together; the first of several with the same (rig, epoch, nonce) wins and is returned. */
  acceptShare(key: ShareKey, share: AcceptedShare): Promise<{ accepted: boolean; share: AcceptedShare }>

  /** Keeps a job as it is given, and its input. False when the id is taken, or the rig of its lease holds `mostHeld` jobs. */
  addJob(job: QueuedJob, input: EncodedInput, mostHeld?: number): Promise<boolean>
  /** How many jobs are leased to this rig. */
  heldJobs(rig: string): Promise<number>
  job(id: string): Promise<QueuedJob | undefined>
  /** The input of a job; undefined once the job has ended, since the store then keeps only its hash. It is not in the record because it may be large. */
  jobInput(id: string): Promise<EncodedInput | undefined>
  /**
   * The queued job that `chooseQueued` names among those that one of the offers can run and the rig has not declined;
   * synthetic jobs only if `syntheticJobs`.
   */
  nextQueuedJob(request: Pick<LeaseRequest, 'rig' | 'offers' | 'syntheticJobs' | 'now'>): Promise<QueuedJob | undefined>
  /** Jobs whose lease ended before `now`, and queued ones whose deadline passed before it (UTC ms); at most `limit` of each. */
  dueJobs(now: number, limit: number): Promise<QueuedJob[]>
  /**
   * Sets a job to `next` (transitions.ts) if it still is as `expected` was read, and removes its input once it has ended, and
   * the job itself where `isForgotten`.
   * A receipt that `next` has and `expected` has not is kept with it, and marks the work as credited in the receipt's epoch.
   * `mostHeld`: nothing is set where the rig of `next`'s lease holds so many jobs.
   */
  compareAndSetJob(expected: QueuedJob, next: QueuedJob, mostHeld?: number): Promise<JobSetOutcome>

  /** Keeps a new delivery with its content, and sets its job. `changed`: the job is another, or the delivery is kept already. */
  addDelivery(delivery: StoredDelivery, content: DeliveryContent, job: JobChange): Promise<'set' | 'changed'>
  delivery(ref: string): Promise<StoredDelivery | undefined>
  /** Output and evidence; undefined once they were removed. They are not in the record because they may be large. */
  deliveryContent(ref: string): Promise<DeliveryContent | undefined>
  /** Deliveries that nobody has begun to judge, and those whose next check is due at `now` (UTC ms): those that wait longest. */
  dueDeliveries(now: number, limit: number): Promise<StoredDelivery[]>
  /** Sets a delivery, and its job with it where it is judged, if both still are as they were read; the rest as `compareAndSetJob`. */
  compareAndSetDelivery(
    expected: StoredDelivery,
    next: Delivery,
    job?: JobChange,
  ): Promise<Exclude<JobSetOutcome, 'holds-most'>>
  /** Removes output and evidence of deliveries that were judged before `endedBefore` (UTC ms), of at most `limit`. Hashes and receipts stay. */
  removeDeliveryContents(endedBefore: number, limit: number): Promise<void>

  /** Number and credit of all receipts, or of one epoch's. */
  totals(epoch?: number): Promise<{ receipts: number; creditMacs: bigint }>
}

/** What an epoch committed to, each 32 bytes as hex. Nothing of it leaves the coordinator before its time. */
export interface EpochSecrets {
  /** for the seed of the next epoch */
  nextSecret: string
  checkKey: string
  /** UTC ms: the end of the epoch and its grace */
  checkKeyDueAt: number
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

/** What is known of a rig's known answers: see record.ts. */
export interface RigRecord {
  /** missed in a row */
  misses: number
  /** pauses that are not forgotten */
  pauses: number
  /** UTC ms of the last pause's end; 0: there was none */
  pausedUntil: number
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
  /** UTC ms after which it is not renewed */
  renewableUntil: number
  /** how the model counts its MACs, as it was listed when the rig took the job */
  formula: MacFormula
  /** the epoch that the work counts in, and its factor there: those of the lease, whenever the result comes */
  epoch: number
  factor: ModelFactor
}
/** `delivered`: a result is kept and not judged yet; nobody else may take the job, and its input stays. */
export type StoredJobState = 'queued' | 'leased' | 'delivered' | 'done' | 'failed' | 'cancelled'

export interface QueuedJob extends Omit<NewJob, 'input'> {
  inputHash: string
  /** of the normalized input: jobs of one model with the same are the same work */
  workHash: string
  state: StoredJobState
  attempts: number
  /** the present lease, or the last one until another rig takes the job */
  lease?: JobLease
  /** rigs that said that no rig can do it */
  declinedBy?: string[]
  /** why the job failed, or why it earned nothing */
  message?: string
  /** the delivery that is being judged, or was judged last */
  delivery?: string
  refusal?: RefusalCode
  receipt?: Signed<Receipt>
}

/** A job as it was read, and as it is to become. */
export interface JobChange {
  expected: QueuedJob
  next: QueuedJob
}

export interface StoredDelivery {
  /** id of the signed result */
  ref: string
  job: string
  rig: string
  result: Signed<JobResult>
  /** UTC ms */
  deliveredAt: number
  delivery: Delivery
}

/**
 * A result of a job: delivered, checked as often as it takes until somebody can judge it, then judged once. Times are UTC
 * ms. Whoever began the last check has the delivery to himself until `nextCheckAt`, so that one who died then is missed.
 */
export type Delivery =
  | { state: 'delivered' }
  | { state: 'checking'; checks: number; nextCheckAt: number }
  | { state: 'settled'; receipt: Signed<Receipt>; endedAt: number }
  | { state: 'refused'; code: RefusalCode; message: string; endedAt: number }

/** What travels beside a signed result, bound to it by its hashes. */
export type DeliveryContent = Pick<JobDelivery, 'output' | 'evidence'>

export interface LeaseRequest {
  rig: string
  /** in the rig's order of preference */
  offers: readonly (Pick<JobLease, 'formula' | 'factor'> & {
    kind: JobKind
    model: string
    usualMilliseconds?: number
  })[]
  syntheticJobs: boolean
  now: number
  /** of the lease */
  expiresAt: number
  renewableUntil: number
  epoch: number
  /** jobs that a rig may hold */
  mostHeld: number
}

/**
 * Nothing was set but for `set`. `changed`: another caller was faster. `already-credited`: the same work has a receipt of
 * the same epoch. `holds-most`: the rig holds as many jobs as it may.
 */
export type JobSetOutcome = 'set' | 'changed' | 'already-credited' | 'holds-most'
