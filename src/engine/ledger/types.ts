/**
 * The ledger as the engine sees it: types and signatures. All functions are synchronous unless they say otherwise.
 * MACs and credit are bigint, times UTC milliseconds, row ids UUIDv7; `ref` is the id of a signed share or job result.
 */
import type { BenchmarkRow, DeviceKind } from '#shared/contract/devices'
import type { BenchmarkEvidence } from '#shared/domain/benchmark-report'
import type { CreditLine, CreditRow, EarningsPeriod, Funnel, VerifyReport } from '#shared/contract/earnings'
import type { WorkDetail, WorkFilter, WorkRow, WorkKind } from '#shared/contract/jobs'
import type { addressHistoryRow, PayoutAddress } from '#shared/contract/settings'
import type { ElectricityPrice } from '#shared/domain/electricity'
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { WorkEnergy } from '#shared/domain/energy'
import type { JobEvidence, JobKind, JobOutput, JobSizes } from '#shared/domain/job'
import type { Epoch } from '#shared/protocol/epoch'
import type { JobDelivery, JobResult } from '#shared/protocol/job'
import type { Receipt } from '#shared/protocol/receipt'
import type { RefusalCode } from '#shared/protocol/refusal'
import type { ShareSubmission } from '#shared/protocol/share'
import type { Unit } from '#shared/protocol/unit'
import type { StoredEpoch } from '#shared/protocol/stored'
import type { SignatureVerifier, Signed } from '#shared/domain/signed'
import type { JobState } from '#shared/domain/states'
import type { z } from 'zod'
import type { Message } from '#shared/domain/messages'

export interface LedgerClock {
  /** UTC milliseconds */
  now(): number
}
export interface LedgerIds {
  /** a fresh UUIDv7 */
  uuid(): string
}
/** The context of every writer of the ledger. */
export interface WriterContext {
  clock: LedgerClock
  ids: LedgerIds
}

/** Something the person should know, found while opening: a damaged file moved aside, a ledger recreated, a backup restored. */
export interface LedgerNotice {
  severity: 'info' | 'warning' | 'error'
  words: Message
}

export interface OpenLedgerOptions {
  /** the data folder; created with mode 0700 when absent */
  folder: string
  clock: LedgerClock
  ids: LedgerIds
  onNotice: (notice: LedgerNotice) => void
  /** the present price of electricity; absent: rows have no cost */
  electricity?: () => ElectricityPrice
  /**
   * What to do with a damaged ledger, which is moved aside under another name in every case:
   * `fail` (default) throws `ledger-damaged`, so that the next start begins a new one with a notice;
   * `start-new` begins a new one now; `restore` puts the newest backup in its place.
   */
  onDamaged?: 'fail' | 'start-new' | 'restore'
}

/** The lock of a data folder. It ends by itself when the process dies. */
export interface EngineLock {
  release(): void
}

export interface WorkAmount {
  macs: bigint
  factorMilli: bigint
  /** ⌊macs × factorMilli / 1000⌋, checked */
  creditMacs: bigint
}

export interface ShareRecord extends WorkAmount {
  /** name of the network; the signed share has its key */
  network: string
  share: Signed<ShareSubmission>
  /** id of the signed unit, recorded before */
  unitId: string
  deviceId: string
  difficulty: bigint
  energy?: WorkEnergy
  /** time that the device spent on the share, if known */
  milliseconds?: number
}

export interface LedgerJob {
  /** the network's job id */
  id: string
  kind: JobKind
  origin: WorkRow['origin']
  network: string
  /** name for the screen */
  modelName: string
  modelId: string
  modelHash: string
  input: EncodedInput
}

export interface JobResultRecord extends WorkAmount {
  result: Signed<JobResult>
  output: JobOutput
  evidence: JobEvidence
  sizes: JobSizes
  epoch: number
  deviceId: string
  /** wall time inside the worker */
  milliseconds: number
  energy?: WorkEnergy
}

export interface RecordedWork {
  workId: string
  creditId: string
}
export interface AcceptedWork extends RecordedWork {
  /** whether this receipt was stored before, so that nothing changed */
  repeated: boolean
  /** the announced amount, if the receipt has another one; null: the receipt has the announced amount */
  disputed: WorkAmount | null
}

/** The unfinished work that a start finds. */
export interface Recovery {
  /** jobs that were running and are now `interrupted` */
  interruptedJobIds: string[]
  /** sent or about to be sent, without a stored answer: to be sent again */
  shares: { workId: string; creditId: string; deviceId: string; share: Signed<ShareSubmission> }[]
  results: { jobId: string; creditId: string; deviceId: string; delivery: JobDelivery }[]
  /** ids of signed results whose credit the network holds: to be asked for */
  held: string[]
}

/** A job that is not in a final state nor submitted. */
export interface OpenJob extends Omit<LedgerJob, 'input'> {
  at: number
  state: JobState
  deviceId: string | null
  attempts: number
}

export interface JobStateDetails {
  deviceId?: string
  /** why it came so */
  reason?: Message
  energy?: WorkEnergy
  /** kept also for a job that failed or was cancelled: the output until then */
  output?: JobOutput
}

export interface CreditTotals {
  epoch: bigint
  today: bigint
  total: bigint
  /** waits for a check; in none of the sums above */
  held: bigint
  /** accepted credits ever */
  credits: number
}

/** Accepted credit of one local day or one kind. */
export interface KindTotal {
  count: number
  macs: bigint
  creditMacs: bigint
  /** energy of the work whose energy is known; null: of no work */
  energy: WorkEnergy | null
  /** MACs of the work whose energy is known; for work per joule */
  macsWithEnergy: number
}
export interface DayTotal {
  /** [from, to) of the local day */
  from: number
  to: number
  creditMacs: bigint
  kinds: Record<WorkKind, KindTotal>
}

export interface LedgerEvent {
  id: string
  at: number
  severity: 'info' | 'warning' | 'error'
  /** of the message; earlier versions wrote codes of their own */
  code: string
  words: Message
}

export interface KnownDevice {
  id: string
  kind: DeviceKind
  name: string
}

export interface CreditRange {
  /** inclusive */
  from?: number
  /** exclusive */
  to?: number
}

export interface VerifyOptions {
  signatures: SignatureVerifier
  /** network name → its pinned keys; work or a receipt of a network of that name with any other key is a problem */
  networkKeys?: Readonly<Record<string, readonly string[]>>
}

/** Accepted jobs of one model. */
export interface ModelTotal {
  jobs: number
  creditMacs: bigint
  /** UTC ms of the last one */
  lastAt: number
}

/** All queries; they also work while another process writes. */
export interface LedgerReader {
  readonly file: string

  /** Sums of accepted credit: of all time, of the epoch, and since `dayStart` (UTC ms); and of what is held. */
  creditTotals(now: { epoch?: { network: string; number: number }; dayStart: number }): CreditTotals
  /** Accepted shares, jobs and credit since `from`, for the Home screen. */
  acceptedSince(from: number): { creditMacs: bigint; shares: number; jobs: number }
  /** One entry a kind with at least one accepted credit in [from, to). */
  summaryByKind(range: CreditRange): (KindTotal & { kind: WorkKind })[]
  /** Credit by state in the range. */
  funnel(period: EarningsPeriod, range: CreditRange): Funnel
  /** Accepted credit per day. `days`: ascending bounds of local days at whole quarters of an hour, as the caller's time zone has them; days without credit are included. */
  creditDays(days: readonly { from: number; to: number }[]): DayTotal[]
  /** UTC ms of the first credit; null: there is none. */
  firstCreditAt(): number | null
  /** Totals of a model by its content hash; null: it has no accepted job. */
  modelTotal(modelHash: string): ModelTotal | null

  /** Newest first. */
  creditPage(offset: number, limit: number): { total: number; rows: CreditRow[] }
  creditRow(creditId: string): CreditRow | null
  /** Oldest first, a page at a time: safe while the engine writes. */
  exportCredits(range?: CreditRange): Iterable<CreditLine>

  /** A page of the Jobs table, newest first. As fast with 10^6 rows as with few. */
  workPage(filter: WorkFilter, offset: number, limit: number): { total: number; rows: WorkRow[] }
  workRow(id: string): WorkRow | null
  workDetail(id: string): WorkDetail | null
  /** Queued, running and interrupted jobs, oldest first. */
  openJobs(): OpenJob[]
  /** The input of a job, parsed and encoded again, which takes time for a picture; null: no such job, or its text is not Unicode. */
  jobInput(id: string): EncodedInput | null

  /** A stored setting; null: not set, or it does not fit the schema. */
  setting<T>(key: string, schema: z.ZodType<T>): T | null
  /** The payout address; null: none is set. */
  address(): PayoutAddress | null
  /** Newest first. */
  addressHistory(): z.infer<typeof addressHistoryRow>[]
  /** Newest first; null: of all devices. */
  benchmarks(deviceId: string | null, limit?: number): BenchmarkRow[]
  /** One benchmark; null: not found. `evidence` null: it was measured by a version that kept no evidence. */
  benchmark(id: string): { row: BenchmarkRow; evidence: BenchmarkEvidence | null } | null
  /** Recorded events, newest first. */
  events(limit?: number): LedgerEvent[]
  /** The newest recorded epoch of the networks of that name, with its signature. */
  latestEpoch(network: string): Signed<StoredEpoch> | null
  /** The newest recorded epoch of the network with that name and key, or the one with that number; none of version 1. */
  epochUnder(network: string, key: string, number?: number): Signed<Epoch> | null

  /** Recomputes sums and checks every signature, receipt, state and link, row by row. */
  verify(options: VerifyOptions): VerifyReport
  /** As `verify`, in steps of some milliseconds, so that the engine works between them. */
  verifyInSteps(options: VerifyOptions): Generator<{ checked: number; total: number }, VerifyReport>
  close(): void
}

/** The one writer. Every function is one transaction; a failed write is a `Failure` (`data-folder`, `ledger-damaged`). */
export interface Ledger extends LedgerReader {
  /** Once, at start: `running` becomes `interrupted`; returns the work that was submitted and not answered, and what is held. */
  recover(): Recovery

  recordDevice(device: KnownDevice): void
  /** Records an epoch. Recording the same epoch or unit again changes nothing. `network`: its name. */
  recordEpoch(epoch: Signed<Epoch>, network: string): void
  /** Records a leased unit, before its first share. */
  recordUnit(unit: Signed<Unit>, deviceId: string, network: string): void

  /** Writes a share and its credit as `submitted`, before it is sent. The same share again gives the same ids. */
  recordShare(record: ShareRecord): RecordedWork
  /** Stores a receipt, and its work and credit as accepted, with the receipt's figures; `disputed` if these differ from the announced ones. Storing a receipt twice changes nothing. Throws Failure `conflict` for another receipt of the same work, `not-found` for unknown work. */
  accept(receipt: Signed<Receipt>): AcceptedWork
  /** Marks work and credit as held: the network has the result, and checks it before it credits it. Holding what is held changes nothing. Throws as `accept`. */
  hold(ref: string): RecordedWork
  /** Ends work and credit without credit, with the network's code as the reason: as forfeited by that code, as refused by any other. The same code again changes nothing. Throws as `accept`. */
  refuse(ref: string, code: RefusalCode): RecordedWork

  /** Writes a new job as `queued`. */
  insertJob(job: LedgerJob): void
  /** Changes the state of a job. Throws Failure `conflict` for a change that the state machine does not allow. */
  setJobState(
    id: string,
    state: Exclude<JobState, 'submitted' | 'held' | 'accepted' | 'refused' | 'forfeited'>,
    details?: JobStateDetails,
  ): void
  /** Writes a result and its credit as `submitted`, before it is sent. */
  recordJobResult(id: string, record: JobResultRecord): RecordedWork

  saveSetting(key: string, value: unknown): void
  /** Sets the payout address; the former one stays in the history. */
  setAddress(address: PayoutAddress): void
  /** Stores a benchmark and its evidence; returns the row with its id. */
  recordBenchmark(row: Omit<BenchmarkRow, 'id' | 'at' | 'samples'>, evidence: BenchmarkEvidence): BenchmarkRow
  recordEvent(event: Omit<LedgerEvent, 'id' | 'at' | 'code'>): LedgerEvent

  /** Copies the ledger into `backups/` if the newest copy is older than a day; the newest three are kept. Other work goes on while pages are copied. */
  backUpIfDue(): Promise<string | null>
}
