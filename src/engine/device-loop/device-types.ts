/** What a device runner offers and what it is put together from. */
import type { BenchmarkProgress } from '#shared/domain/benchmark'
import type { Network } from '#shared/protocol/network'
import type { Unit } from '#shared/protocol/unit'
import type { Signed } from '#shared/domain/signed'
import type { DeviceState } from '#shared/domain/states'
import type { TierName } from '#shared/domain/tiers'
import type { Failure } from '#shared/domain/errors'
import type { InstalledModel, LoadedModel } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerStart } from '#shared/ipc/worker'
import type { ProofEngine } from '#shared/domain/backend'
import type { LaneSpan } from '#shared/contract/engine'
import type { Pace } from '#shared/contract/throttle'
import type { Clock } from '#process/supervisor'
import type { WorkEnergy } from '../ledger'
import type { Log } from '../base'
import type { BenchmarkOutcome, BenchmarkPlan } from '../benchmark'
import type { JobRates, JobRunner, JobRunnerParts, ModelTrialsParts, SampleBudget } from '../jobs'
import type { NetworkState, Submissions } from '../network'
import type { WorkerClientParts } from '../workers'

export interface MiningOptions {
  tier: TierName | null
  engine: ProofEngine
  samples: boolean
}

export type AskDriver = <M extends 'driver.sensors' | 'driver.powerLimit' | 'driver.setPowerLimit'>(
  method: M,
  params: WorkerMethods[M]['params'],
) => Promise<WorkerMethods[M]['result']>

export interface DeviceRunner {
  readonly deviceId: string
  readonly state: DeviceState
  readonly activity: string
  readonly lane: LaneSpan['activity'] | 'idle'
  /** how long it was in which lane since the last call, milliseconds */
  takeLaneTimes(): Partial<Record<LaneSpan['activity'] | 'idle', number>>
  /** why it rests although it could work: too hot, or its duty cycle is 0 now; `activity` has the words */
  readonly resting: 'heat' | 'throttle' | null
  /** why it stopped, when it is faulted */
  readonly reason: string | null
  readonly macsPerSecond: number | null
  readonly engine: ProofEngine | null
  readonly residentBytes: number | null
  /** its process runs now, from its first moment on */
  readonly hasWorker: boolean
  readonly restarts: number
  readonly runningJobs: JobRunner['running']
  /** whose weights are in memory, the one used last at the end */
  readonly loadedModels: readonly LoadedModel[]
  /** whether it runs jobs, and has a model for one */
  readonly takesJobs: boolean
  /** whether jobs of the model fit into its memory */
  canRun(model: InstalledModel): boolean
  readonly networkTrouble: string | null
  startMining(options: MiningOptions): void
  /** Within two seconds, also in the middle of a job. */
  stop(): Promise<void>
  /** After the running job. */
  finish(): Promise<void>
  /** There may be a job to do; also when not mining. */
  wake(): void
  cancelJob(jobId: string): boolean
  retry(): void
  setThreads(threads: number): void
  /** Of the driver's device. Rejects with Unanswered where no worker runs. */
  askDriver: AskDriver
  /** the one under way; null: none is */
  readonly benchmarkProgress: BenchmarkProgress | null
  /**
   * Measures between other work; a start of mining ends it. Rejects with Failure `cancelled` then, `device-unavailable`
   * where the device cannot work.
   */
  benchmark(plan: BenchmarkPlan): Promise<BenchmarkOutcome & { threads: number }>
  /** False: none was asked for. */
  cancelBenchmark(): boolean
}

export interface DeviceRunnerParts extends Omit<
  WorkerClientParts,
  'name' | 'start' | 'onState' | 'onToken' | 'onComputed'
> {
  deviceId: string
  threads: number
  memoryBytes: number
  /** what its worker drives; absent: the processor */
  workerStart?: Pick<WorkerStart, 'driver' | 'gpu'>
  /** it stopped for a reason of its own and stays so until it is tried again */
  onFault?: (fault: Failure) => void
  /** what its driver sets while it mines, and only then; neither rejects */
  whileMining?: { begin(): Promise<void>; end(): Promise<void> }
  rigKey: string
  network: Network
  networkState: NetworkState
  clock: Clock
  log: Log
  submissions: Submissions
  sampleBudget: SampleBudget
  models: () => readonly InstalledModel[]
  jobRates: JobRates
  /** work of a kind that nobody has seen before, for measuring a model; absent: models are measured by their jobs alone */
  sample?: ModelTrialsParts['sample']
  jobParts: Pick<JobRunnerParts, 'ledger' | 'events'>
  /** what mining may take of the device now */
  pace: () => Pace
  /** °C now, null where not known, and the limit at which it pauses */
  heat: () => { celsius: number | null; limitCelsius: number }
  energyNow: () => WorkEnergy | null
  onToken: NonNullable<WorkerClientParts['onToken']>
  onUnit: (unit: Signed<Unit>) => void
  /** work done and its expected credit, as it happens */
  onWork: (work: { macs: bigint; creditMacs: number; milliseconds: number }) => void
  onChange: () => void
}
