/**
 * What the engine asks a worker or the verifier to do, over one message port (structured clone: bigint and typed
 * arrays travel). Requests are answered in any order; notifications carry the job of their request.
 */
import type { DeviceBenchmark } from '../domain/benchmark'
import type { ModelManifest } from '../domain/manifest'
import type { NativeDriver, NativePowerLimit, NativeSensors } from '../domain/driver'
import type { DriverCheckId } from '../domain/driver-checks'
import type { JobInput, JobKind, JobRun } from '../domain/job'
import type { InstalledModel, LoadedModel, ModelConversion } from '../domain/model-stages'
import type { TierName } from '../domain/tiers'
import type { BackendName } from '../domain/backend'

/**
 * Chats of one model that a worker computes together, one token of each at every step: that many `job.run` requests for
 * the same model may run at once and share the reading of its weights. More may be sent; they wait, in their order,
 * until one of these ends. Requests for different models, and other kinds of job, take turns.
 */
export const MAX_PARALLEL_CHATS = 8

/** Which epoch weights a call is about. */
export interface ProofContext {
  tier: TierName
  /** hex, 32 bytes */
  epochSeed: string
  backend: BackendName
}

export interface WorkerMethods {
  /** Expands the epoch's weights and builds the backend, off the event loop. Keeps the two contexts used last. */
  'proof.prepare': { params: ProofContext; result: { milliseconds: number } }
  /**
   * Tries nonces unit‖counter from `firstCounter` upwards until `budgetMilliseconds` are over (at least one batch),
   * a share was found and `stopAtShare`, or `maxNonces` were tried. Prepares first if needed.
   */
  'proof.run': {
    params: ProofContext & {
      publicKey: string
      unit: number
      firstCounter: bigint
      difficulty: bigint
      budgetMilliseconds: number
      maxNonces?: number
      stopAtShare?: boolean
      /** the same run follows at once from the counter where this one ends: meanwhile the threads compute batches for it */
      keepPipelineFull?: boolean
    }
    result: {
      /** counters firstCounter … firstCounter + nonces − 1 were tried */
      nonces: number
      shares: { nonce: bigint; digest: string }[]
      milliseconds: number
      /** share of `milliseconds` spent inside the backend's kernels */
      kernelMilliseconds: number
    }
  }
  /**
   * A useful job waits: every `proof.run` under way answers within 200 ms, with what it has tried. One that still
   * prepares its weights answers when they are there, and tries nothing.
   */
  'proof.yield': { params: null; result: null }
  /** One nonce's digest, hex. */
  'proof.digest': {
    params: ProofContext & { publicKey: string; nonce: bigint }
    result: { digest: string; milliseconds: number }
  }
  /**
   * Computes firstNonce … for `budgetMilliseconds` (at least one batch) or `maxNonces`, and answers with the digests of
   * the first `keep` of them.
   */
  'proof.digests': {
    params: ProofContext & {
      publicKey: string
      firstNonce: bigint
      budgetMilliseconds: number
      maxNonces?: number
      keep: number
    }
    result: { digests: string[]; nonces: number; milliseconds: number; kernelMilliseconds: number }
  }
  /** Computes nonces whose digests are known, firstNonce … and again from the start, until the time is over or one is wrong. */
  'proof.check': {
    params: ProofContext & {
      publicKey: string
      firstNonce: bigint
      /** hex, of firstNonce … */
      expected: string[]
      budgetMilliseconds: number
    }
    result: { nonces: number; milliseconds: number; wrong: { nonce: bigint; digest: string } | null }
  }
  /** Checks and measures one tier in one go: for trying a backend. What is kept and shown is measured by the backend in samples. */
  'proof.benchmark': { params: ProofContext & { seconds: number }; result: DeviceBenchmark }
  /**
   * Runs one useful job. Emits `job.token` notifications for chat, and `jobs.computed` while several run at once. Rejects with a Failure value. Chats of the same model
   * run together, up to MAX_PARALLEL_CHATS; each answers when it ends by itself.
   */
  'job.run': {
    /** `input`: JSON of a `JobInput`, as `EncodedInput` has it; the worker parses it */
    params: { jobId: string; input: string; model: InstalledModel }
    result: JobRun
  }
  'job.cancel': { params: { jobId: string }; result: null }
  /** Loads a model to see that it runs (a damaged ONNX is refused here), and counts its MACs. */
  'model.probe': { params: InstalledModel; result: { macFormula: ModelManifest['macFormula']; context: number } }
  /** Makes a model's graph. Rejects with a Failure `model-refused`, or `data-folder` where the disk is full. */
  'model.convert': { params: ModelConversion; result: { name: string; licence: string } }
  /** Draws a fresh sample of a kind, with its known answer where there is one. Verifier only. */
  'sample.generate': { params: { kind: JobKind; seed: string }; result: { input: JobInput; knownText?: string[] } }
  /** What a driver is and which devices it has: for a process that is thrown away, since the library may do anything. */
  'driver.describe': { params: { library: string }; result: NativeDriver }
  /** One check of the conformance kit; `seconds` for the long one. Never rejects for what the driver does wrong. */
  'driver.check': {
    params: { library: string; check: DriverCheckId; seconds: number }
    result: { ok: boolean; detail: string; macsPerSecond?: number }
  }
  /** One reading of the device of `WorkerStart.driver`, also while it computes; null: it has no sensors. */
  'driver.sensors': { params: null; result: NativeSensors | null }
  /** null: the device has no power limit. */
  'driver.powerLimit': { params: null; result: NativePowerLimit | null }
  /** Answers with what the device says afterwards. */
  'driver.setPowerLimit': { params: { watts: number }; result: NativePowerLimit | null }
  /** Threads for everything that follows; takes effect on the next prepare. */
  configure: { params: { threads: number }; result: null }
}

export type WorkerMethod = keyof WorkerMethods

export interface WorkerNotifications {
  /** once a second, also while busy */
  heartbeat: { at: number; residentBytes: number; cpuSeconds: number; models: LoadedModel[] }
  'job.token': { jobId: string; text: string; index: number }
  /** After a run for several jobs, or for one of several: what it computed for each. Before their answers, and not while one job runs alone. */
  'jobs.computed': { macs: { jobId: string; macs: number }[] }
}

export type WorkerNotification = keyof WorkerNotifications

/** Given to the child at start, as its one argument in JSON. */
export interface WorkerStart {
  role: 'worker' | 'verifier'
  deviceId: string
  threads: number
  /** the driver that backend `native` loads; absent: the one for CPUs that comes with Lode */
  driver?: DriverDevice
  /** the adapter that the backends for graphics processors open */
  gpu?: GpuAdapter
  /** for the weights of all models held at once; absent: no limit */
  modelMemoryBytes?: number
}

/** One device of a driver (native/include/lode_driver.h). */
export interface DriverDevice {
  /** absolute path of the library, already checked against the hash that the person approved */
  library: string
  /** as the driver names it */
  id: string
  /** for the weights of all epochs held at once; 0: no limit */
  memoryLimitBytes: number
}

/** One graphics processor, for the backends that can choose among several. */
export interface GpuAdapter {
  /** as the sensors name it; empty: it is the only one */
  name: string
  /** as the sensors name it */
  vendor?: string
  /** its place among those of its maker, by PCI address: CUDA's number; absent: 0 */
  index?: number
  /** the computer's other graphics processors */
  others?: { name: string; vendor: string }[]
  /** the computer has several of this name, and by their names WebGPU finds only one of them; absent: it has not */
  twin?: 'first' | 'later'
  /** the webgpu backend computes products on its matrix units, an experimental feature; absent: on its vector units */
  matrixUnits?: boolean
}
