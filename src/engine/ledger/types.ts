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
import type { SignatureVerifier, Signed } from '#shared/domain/signed'
import type { JobState } from '#shared/domain/states'
import type { z } from 'zod'

export interface LedgerClock {
  /** UTC milliseconds */
  now(): number
}
export interface LedgerIds {
  /** a fresh UUIDv7 */
  uuid(): string
}
/** What every writer of the ledger needs. */
export interface WriterContext {
  clock: LedgerClock
  ids: LedgerIds
}

/** Something the person should know, found while opening: a damaged file moved aside, a ledger recreated, a backup restored. */
export interface LedgerNotice {
  severity: 'info' | 'warning' | 'error'
  code:
    | 'ledger-damaged'
    | 'ledger-begun-anew'
    | 'ledger-restored'
    | 'ledger-migrated'
    | 'metrics-begun-anew'
    | 'backup-failed'
  message: string
}

export interface OpenLedgerOptions {
  /** the data folder; made with mode 0700 when absent */
  folder: string
  clock: LedgerClock
  ids: LedgerIds
  onNotice: (notice: LedgerNotice) => void
  /** what electricity costs now; absent: rows have no cost */
  electricity?: () => ElectricityPrice
  /**
   * What to do with a damaged ledger, which is moved aside under another name in every case:
   * `fail` (default) throws `ledger-damaged`, so that the next start begins a new one with a notice;
   * `start-new` begins a new one now; `restore` puts the newest backup in its place.
   */
  onDamaged?: 'fail' | 'start-new' | 'restore'
}

/** Held as long as this engine has the folder; ends by itself when the process dies. */
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
  share: Signed<ShareSubmission>
  /** id of the signed unit, recorded before */
  unitId: string
  deviceId: string
  difficulty: bigint
  energy?: WorkEnergy
  /** time the device spent on it, if known */
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
  /** this receipt was stored before: nothing changed */
  repeated: boolean
  /** what was announced, where the receipt counts otherwise; null: it counts as announced */
  disputed: WorkAmount | null
}

/** What a start finds unfinished. */
export interface Recovery {
  /** jobs that were running and are now `interrupted` */
  interruptedJobIds: string[]
  /** sent or about to be sent, no answer stored: send again */
  shares: { workId: string; creditId: string; deviceId: string; share: Signed<ShareSubmission> }[]
  results: { jobId: string; creditId: string; deviceId: string; delivery: JobDelivery }[]
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
  /** failure sentence or code */
  reason?: string
  energy?: WorkEnergy
  /** kept also when the job failed or was cancelled, as far as it got */
  output?: JobOutput
}

export interface CreditTotals {
  epoch: bigint
  today: bigint
  total: bigint
  /** accepted credits ever */
  credits: number
}

/** Accepted credit of one local day or one kind. */
export interface KindTotal {
  count: number
  macs: bigint
  creditMacs: bigint
  /** of the work whose energy is known; null: of none */
  energy: WorkEnergy | null
  /** MACs of the work whose energy is known, for work per joule */
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
  code: string
  message: string
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
  /** network name → its pinned keys; a receipt of that network signed by any other key is a problem */
  networkKeys?: Readonly<Record<string, readonly string[]>>
}

/** Accepted jobs of one model. */
export interface ModelTotal {
  jobs: number
  creditMacs: bigint
  /** UTC ms of the last one */
  lastAt: number
}

/** Everything that can be asked, also while another process writes. */
export interface LedgerReader {
  readonly file: string

  creditTotals(now: { epoch?: { network: string; number: number }; dayStart: number }): CreditTotals
  /** Accepted shares, jobs and credit since `from`: what Home says about today. */
  acceptedSince(from: number): { creditMacs: bigint; shares: number; jobs: number }
  /** One entry a kind with at least one accepted credit in [from, to). */
  summaryByKind(range: CreditRange): (KindTotal & { kind: WorkKind })[]
  funnel(period: EarningsPeriod, range: CreditRange): Funnel
  /** Accepted credit per day. `days`: ascending bounds of local days at whole quarters of an hour, as the caller's time zone has them; days without credit are included. */
  creditDays(days: readonly { from: number; to: number }[]): DayTotal[]
  /** When the first credit was made; null: none yet. */
  firstCreditAt(): number | null
  /** What a model earned, by its content hash; null: no accepted job. */
  modelTotal(modelHash: string): ModelTotal | null

  /** Newest first. */
  creditPage(offset: number, limit: number): { total: number; rows: CreditRow[] }
  creditRow(creditId: string): CreditRow | null
  /** Oldest first, a page at a time: safe while the engine writes. */
  exportCredits(range?: CreditRange): Iterable<CreditLine>

  /** Newest first, 10^6 rows at full speed. */
  workPage(filter: WorkFilter, offset: number, limit: number): { total: number; rows: WorkRow[] }
  workRow(id: string): WorkRow | null
  workDetail(id: string): WorkDetail | null
  /** Oldest first: queued, running and interrupted jobs. */
  openJobs(): OpenJob[]
  /** Parsed and encoded again, which takes time for a picture; null: no such job, or its text is not Unicode. */
  jobInput(id: string): EncodedInput | null

  setting<T>(key: string, schema: z.ZodType<T>): T | null
  address(): PayoutAddress | null
  /** Newest first. */
  addressHistory(): z.infer<typeof addressHistoryRow>[]
  /** Newest first; null: of all devices. */
  benchmarks(deviceId: string | null, limit?: number): BenchmarkRow[]
  /** `evidence` null: a version that kept none measured it. */
  benchmark(id: string): { row: BenchmarkRow; evidence: BenchmarkEvidence | null } | null
  events(limit?: number): LedgerEvent[]
  /** The newest epoch that was recorded, as it was signed. */
  latestEpoch(network: string): Signed<Epoch> | null

  /** Recomputes sums and checks every signature, receipt, state and link, row by row. */
  verify(options: VerifyOptions): VerifyReport
  /** The same in steps of some milliseconds, so that an engine can go on between them. */
  verifyInSteps(options: VerifyOptions): Generator<{ checked: number; total: number }, VerifyReport>
  close(): void
}

/** The one writer. Every function is one transaction; a failed write is a `Failure` (`data-folder`, `ledger-damaged`). */
export interface Ledger extends LedgerReader {
  /** Once, at start: `running` becomes `interrupted`; what was submitted and not answered comes back. */
  recover(): Recovery

  recordDevice(device: KnownDevice): void
  /** Recording the same epoch or unit again is harmless. */
  recordEpoch(epoch: Signed<Epoch>): void
  recordUnit(unit: Signed<Unit>, deviceId: string): void

  /** Share and its credit as `submitted`, before sending. The same share again gives the same ids. */
  recordShare(record: ShareRecord): RecordedWork
  /** Receipt, work and credit as accepted, with the receipt's figures; a dispute where they are not those that were announced. Storing it twice is harmless. `conflict` for another receipt of the same work, `not-found` for unknown work. */
  accept(receipt: Signed<Receipt>): AcceptedWork
  /** Work and credit as rejected, with the network's code as the reason. */
  reject(ref: string, code: RefusalCode): RecordedWork

  /** A new job, `queued`. */
  insertJob(job: LedgerJob): void
  /** `conflict` when the state machine does not allow it. */
  setJobState(
    id: string,
    state: Exclude<JobState, 'submitted' | 'accepted' | 'rejected'>,
    details?: JobStateDetails,
  ): void
  /** Result and its credit as `submitted`, before sending. */
  recordJobResult(id: string, record: JobResultRecord): RecordedWork

  saveSetting(key: string, value: unknown): void
  /** The former address is kept in the history. */
  setAddress(address: PayoutAddress): void
  recordBenchmark(row: Omit<BenchmarkRow, 'id' | 'at' | 'samples'>, evidence: BenchmarkEvidence): BenchmarkRow
  recordEvent(event: Omit<LedgerEvent, 'id' | 'at'>): LedgerEvent

  /** A copy in `backups/` when the newest is older than a day; the newest three are kept. Pages are copied between other work. */
  backUpIfDue(): Promise<string | null>
}
