/**
 * The requests of the engine to a worker or the verifier, over one message port (structured clone: bigint and typed
 * arrays travel). Requests are answered in any order; notifications carry the job of their request.
 */
import type { DeviceBenchmark } from '../domain/benchmark'
import type { ModelManifest } from '../domain/manifest'
import type { NativeDriver, NativePowerLimit, NativeSensors } from '../domain/driver'
import type { DriverCheckId } from '../domain/driver-checks'
import type { JobEvidence, JobInput, JobKind, JobOutput, JobRun, JobSizes } from '../domain/job'
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
      /** another run follows at once from the counter where this one ends: the threads compute its batches meanwhile */
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
   * A useful job waits: every `proof.run` under way answers within 200 ms, with the nonces that it has tried. A run that
   * still prepares its weights answers when they are ready, and tries no nonce.
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
  /** Checks and measures one tier in one call, for the trial of a backend. Benchmarks that are kept and shown are measured in samples. */
  'proof.benchmark': { params: ProofContext & { seconds: number }; result: DeviceBenchmark }
  /**
   * Runs one useful job. Emits `job.token` notifications for chat, and `jobs.computed` while several run at once. Rejects with a Failure value. Chats of the same model
   * run together, up to MAX_PARALLEL_CHATS; each answers at its own end.
   */
  'job.run': {
    /** `input`: JSON of a `JobInput`, as `EncodedInput` has it; the worker parses it */
    params: { jobId: string; input: string; model: InstalledModel }
    result: JobRun
  }
  'job.cancel': { params: { jobId: string }; result: null }
  /**
   * Derives the sizes of a result from input, output and evidence, with the model's tokenizer and template and the headers of
   * a file. `wrong`: they do not belong together, or the model does not take the input. `unappraisable`: it took longer or
   * more memory than one may. Rejects with `model-refused` where the model's files are at fault. Verifier only.
   */
  'job.appraise': {
    /** `input`: as of `job.run` */
    params: { input: string; model: InstalledModel; output: JobOutput; evidence: JobEvidence }
    result: { state: 'derived'; sizes: JobSizes } | { state: 'wrong' | 'unappraisable'; message: string }
  }
  /** Loads and runs a model once (a damaged ONNX file is refused here), and counts its MACs. */
  'model.probe': { params: InstalledModel; result: { macFormula: ModelManifest['macFormula']; context: number } }
  /** Makes a model's graph. Rejects with a Failure `model-refused`, or `data-folder` where the disk is full. */
  'model.convert': { params: ModelConversion; result: { name: string; licence: string } }
  /** Draws a synthetic job of a kind, with its known answer if there is one. Verifier only. */
  'sample.generate': { params: { kind: JobKind; seed: string }; result: { input: JobInput; knownText?: string[] } }
  /** Describes a driver and its devices. For a process that is thrown away, since the library may do anything. */
  'driver.describe': { params: { library: string }; result: NativeDriver }
  /** One check of the conformance kit; `seconds` for the long one. Never rejects for a fault of the driver. */
  'driver.check': {
    params: { library: string; check: DriverCheckId; seconds: number }
    result: { ok: boolean; detail: string; macsPerSecond?: number }
  }
  /** One reading of the device of `WorkerStart.driver`, also while it computes; null: it has no sensors. */
  'driver.sensors': { params: null; result: NativeSensors | null }
  /** null: the device has no power limit. */
  'driver.powerLimit': { params: null; result: NativePowerLimit | null }
  /** Answers with the limit that the device reports afterwards. */
  'driver.setPowerLimit': { params: { watts: number }; result: NativePowerLimit | null }
  /** Number of threads for all later work; takes effect on the next prepare. */
  configure: { params: { threads: number }; result: null }
}

export type WorkerMethod = keyof WorkerMethods

export interface WorkerNotifications {
  /** once a second, also while busy */
  heartbeat: { at: number; residentBytes: number; cpuSeconds: number; models: LoadedModel[] }
  'job.token': { jobId: string; text: string; index: number }
  /** The MACs of each job, after a run that computed for several jobs or for one of several. Sent before the answers, and not while one job runs alone. */
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
  /** for the weights of all models in memory; absent: no limit */
  modelMemoryBytes?: number
}

/** One device of a driver (native/include/lode_driver.h). */
export interface DriverDevice {
  /** absolute path of the library, already checked against the hash that the person approved */
  library: string
  /** as the driver names it */
  id: string
  /** for the weights of all epochs in memory; 0: no limit */
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
  /** the computer has several adapters of this name, of which WebGPU finds only one; absent: the name is unique */
  twin?: 'first' | 'later'
  /** the webgpu backend computes products on its matrix units, an experimental feature; absent: on its vector units */
  matrixUnits?: boolean
}
