/** The interface of a device's loop, and what the loop is made of. */
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
import type { JobRates, JobRunner, ModelTrialsOptions, SyntheticJobBudget } from '../jobs'
import type { WorkEnergy } from '../ledger'
import type { MiningRunner } from '../mining'
import type { NetworkLink } from '../network'
import type { AskDriver, WorkerClientOptions } from '../workers'

export interface DeviceRunner extends DeviceWork, MiningRunner, BenchmarkRunner {
  readonly runningJobs: JobRunner['running']
  readonly lane: LaneSpan['activity'] | 'idle'
  /** milliseconds that the device spent in each lane of the chart since the last call */
  takeLaneTimes(): Partial<Record<LaneSpan['activity'] | 'idle', number>>
  /** whether its worker process runs now */
  readonly hasWorker: boolean
  /** whether it runs jobs, and has a model for one */
  readonly takesJobs: boolean
  /** whether jobs of the model fit into its memory */
  canRun(model: InstalledModel): boolean
  /** A job may wait for this device: it asks the network, also when it does not mine. */
  wake(): void
  /** Ends a running job. False: it does not run on this device. */
  cancelJob(jobId: string): boolean
  /** Tries a device again that a fault stopped. */
  retry(): void
  /** The number of threads at full load; the throttle allows a share of them. */
  setThreads(threads: number): void
  /** Asks the driver of the device, in its worker. Rejects with PeerUnavailable if no worker runs. */
  askDriver: AskDriver
}

/** What is the same for the loops of all devices. */
export interface DeviceLoopContext {
  rig: RigContext
  link: NetworkLink
  syntheticJobBudget: SyntheticJobBudget
  jobRates: JobRates
  /** what mining may take of a device now */
  pace: () => Pace
  /** draws an input of a kind that no model has seen before, for measuring a model; null: models are measured by their jobs alone */
  generateInput: ModelTrialsOptions['generateInput'] | null
  /** a state that screens show has changed */
  onChange: () => void
}

/** What differs from device to device. */
export interface DeviceLoopOptions {
  deviceId: string
  threads: number
  memoryBytes: number
  /** starts its worker */
  host: ProcessHost
  /** the device that the worker drives; empty: the processor */
  workerStart: Pick<WorkerStart, 'driver' | 'gpu'>
  /** shorter than those for any device */
  deadlines?: WorkerClientOptions['deadlines']
  /** the models whose jobs it runs */
  models: () => readonly InstalledModel[]
  /** sets and resets the driver's power limit when the device begins and ends mining; neither rejects */
  whileMining?: { begin(): Promise<void>; end(): Promise<void> }
  /** °C now, null where not known, and the limit at which it pauses */
  heat: () => { celsius: number | null; limitCelsius: number }
  /** joules of the device since an arbitrary start; null: not known */
  energyNow: () => WorkEnergy | null
  /** Called when a fault of the device stopped it; it stays stopped until the person retries. */
  onFault: (fault: Failure) => void
  onUnit: (unit: Signed<Unit>) => void
  /** work done and its expected credit, as it happens */
  onWork: (work: { macs: bigint; creditMacs: number; milliseconds: number }) => void
}
