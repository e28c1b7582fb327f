/** What a device's loop offers, and what it is put together from. */
import type { InstalledModel } from '#shared/domain/model-stages'
import type { LaneSpan } from '#shared/contract/engine'
import type { Pace } from '#shared/contract/throttle'
import type { Failure } from '#shared/domain/errors'
import type { Signed } from '#shared/domain/signed'
import type { WorkerStart } from '#shared/ipc/worker'
import type { Unit } from '#shared/protocol/unit'
import type { ProcessHost } from '#process/host'
import type { RigContext } from '../base'
import type { BenchmarkRunner } from '../benchmark'
import type { DeviceWork } from '../devices'
import type { JobRates, JobRunner, ModelTrialsParts, SampleBudget } from '../jobs'
import type { WorkEnergy } from '../ledger'
import type { MiningRunner } from '../mining'
import type { NetworkLink } from '../network'
import type { AskDriver, WorkerClientParts } from '../workers'

export interface DeviceRunner extends DeviceWork, MiningRunner, BenchmarkRunner {
  readonly runningJobs: JobRunner['running']
  readonly lane: LaneSpan['activity'] | 'idle'
  /** how long it was in which lane since the last call, milliseconds */
  takeLaneTimes(): Partial<Record<LaneSpan['activity'] | 'idle', number>>
  /** its process runs now, from its first moment on */
  readonly hasWorker: boolean
  /** whether it runs jobs, and has a model for one */
  readonly takesJobs: boolean
  /** whether jobs of the model fit into its memory */
  canRun(model: InstalledModel): boolean
  /** There may be a job to do; also when not mining. */
  wake(): void
  cancelJob(jobId: string): boolean
  retry(): void
  setThreads(threads: number): void
  /** Of the driver's device. Rejects with PeerUnavailable where no worker runs. */
  askDriver: AskDriver
}

/** What the loops of all devices share. */
export interface DeviceLoopContext {
  rig: RigContext
  link: NetworkLink
  sampleBudget: SampleBudget
  jobRates: JobRates
  /** what mining may take of a device now */
  pace: () => Pace
  /** work of a kind that nobody has seen before, for measuring a model; absent: models are measured by their jobs alone */
  generateInput?: ModelTrialsParts['sample']
  /** a state that screens show has changed */
  onChange: () => void
}

/** What is one device's own. */
export interface DeviceLoopOptions {
  deviceId: string
  threads: number
  memoryBytes: number
  /** starts its worker */
  host: ProcessHost
  /** what its worker drives; empty: the processor */
  workerStart: Pick<WorkerStart, 'driver' | 'gpu'>
  /** shorter than those for any device */
  deadlines?: WorkerClientParts['deadlines']
  /** whose jobs it runs */
  models: () => readonly InstalledModel[]
  /** what its driver sets while it mines, and only then; neither rejects */
  whileMining?: { begin(): Promise<void>; end(): Promise<void> }
  /** °C now, null where not known, and the limit at which it pauses */
  heat: () => { celsius: number | null; limitCelsius: number }
  /** joules since an arbitrary start; null where nothing is known */
  energyNow: () => WorkEnergy | null
  /** it stopped for a reason of its own and stays so until it is tried again */
  onFault: (fault: Failure) => void
  onUnit: (unit: Signed<Unit>) => void
  /** work done and its expected credit, as it happens */
  onWork: (work: { macs: bigint; creditMacs: number; milliseconds: number }) => void
}
