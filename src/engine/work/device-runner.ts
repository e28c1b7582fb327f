/** One device at work: its worker process, and what it does next — a useful job first, a sample now and then, proof otherwise. */
import { Failure } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import type { DeviceState } from '#shared/domain/states'
import { Unanswered } from '#process/peer'
import type { WorkEnergy } from '../ledger'
import { energyBetween, energyMarkPast } from '../work-energy'
import { createBenchmarkQueue } from './benchmark-queue'
import { createJobSource, type LeasedJob } from './job-source'
import type { DeviceRunner, DeviceRunnerParts, MiningOptions } from './device-types'
import { createJobRunner } from './job-runner'
import { createProofMiner, type ProofMiner } from './proof-miner'
import { createRestraint } from './restraint'
import { startWorker, type WorkerClient } from './worker-client'

export type { DeviceRunner } from './device-types'

/** How a network that does not answer, or refuses, is asked again. */
const NETWORK_RETRY_MILLISECONDS = 2000
/** A worker without work keeps its models this long. */
const IDLE_STOP_MILLISECONDS = 60_000

const KIND_WORDS: Record<JobKind, string> = {
  chat: 'Answering a question with',
  embed: 'Computing embeddings with',
  ocr: 'Reading a picture with',
}

/** Starts nothing by itself: its process begins with the first work and ends after a minute without. */
export function createDeviceRunner(parts: DeviceRunnerParts): DeviceRunner {
  const { clock, deviceId, log } = parts
  let threads = parts.threads
  /** those that the worker was told: of `threads`, the throttle's share */
  let pacedThreads = threads
  let worker: WorkerClient | null = null
  let miner: ProofMiner | null = null
  let mining: MiningOptions | null = null
  let finishing = false
  let stopping = false
  let loop: Promise<void> | null = null
  let idleStop: { cancel(): void } | null = null
  let activity = ''
  let state: DeviceState = 'idle'
  let lane: DeviceRunner['lane'] = 'idle'
  let networkTrouble: string | null = null
  let unwritten: Failure | null = null
  let faulted: string | null = null
  let energyAtShare: WorkEnergy | null = null
  let millisecondsSinceShare = 0
  /** monotonic; a new worker or unit does not begin the run anew */
  let miningSince = 0
  let endPause: (() => void) | null = null
  const benchmarks = createBenchmarkQueue()

  const show = (nextState: DeviceState, words: string, nextLane: DeviceRunner['lane']): void => {
    if (state === nextState && activity === words) return
    state = nextState
    activity = words
    lane = nextLane
    parts.onChange()
  }

  const jobs = createJobRunner({
    deviceId,
    rigKey: parts.rigKey,
    network: parts.network,
    submissions: parts.submissions,
    clock,
    log,
    energyNow: parts.energyNow,
    isStopping: () => stopping,
    ...parts.jobParts,
  })

  const source = createJobSource({
    rigKey: parts.rigKey,
    network: parts.network,
    models: parts.models,
    sampleBudget: parts.sampleBudget,
    log,
  })

  const ensureWorker = async (): Promise<WorkerClient> => {
    // A step that was under way when stopping began must not bring back what stopping ended.
    if (stopping) throw new Failure('cancelled', 'the device is being stopped')
    if (worker === null) {
      pacedThreads = restraint.threads()
      show('starting', 'Starting', lane)
      worker = startWorker({
        ...parts,
        name: `worker ${deviceId}`,
        start: { role: 'worker', deviceId, threads: pacedThreads, ...parts.workerStart },
        onState: () => {
          if (worker?.state === 'waiting') {
            // One without work is not brought back.
            if (loop === null) void endWorker()
            else show('restarting', `Its worker stopped: ${worker.reason}. Starts again by itself.`, 'idle')
          }
          parts.onChange()
        },
      })
    }
    const wanted = worker
    await wanted.ready()
    return wanted
  }

  const energySinceShare = (): WorkEnergy | null => {
    const now = parts.energyNow()
    const since = energyBetween(energyAtShare, now)
    energyAtShare = now
    return since
  }

  const minerFor = (running: WorkerClient, options: MiningOptions): ProofMiner => {
    miner ??= createProofMiner({
      deviceId,
      rigKey: parts.rigKey,
      worker: running,
      network: parts.network,
      networkState: parts.networkState,
      clock,
      engine: options.engine,
      tier: options.tier,
      memoryBytes: parts.memoryBytes,
      startedAt: miningSince,
      onUnit: parts.onUnit,
      onShare: (found) => {
        const spent = millisecondsSinceShare
        millisecondsSinceShare = 0
        parts.submissions.share(found, deviceId, energySinceShare(), spent).catch((error: unknown) => {
          log.error('a share could not be stored', { device: deviceId, error: String(error) })
          // Mining must not pretend: work that cannot be written down is not done.
          unwritten = error instanceof Failure ? error : new Failure('internal', String(error))
        })
      },
    })
    return miner
  }

  const runJob = async (job: LeasedJob): Promise<void> => {
    const running = await ensureWorker().catch(async (error: unknown) => {
      source.hint()
      await jobs.decline(job.offer, error instanceof Error ? error.message : String(error))
      throw error
    })
    show('working', `${KIND_WORDS[job.offer.kind]} ${job.model.card.name}`, job.offer.kind)
    const before = parts.energyNow()
    const outcome = await jobs.run(job.offer, job.model, running)
    energyAtShare = energyMarkPast(energyAtShare, before, parts.energyNow())
    if (outcome === null) return
    parts.onWork({ macs: outcome.macs, creditMacs: Number(outcome.creditMacs), milliseconds: outcome.milliseconds })
    if (outcome.origin !== 'sample') return
    parts.sampleBudget.spent(outcome.milliseconds)
    await restraint.rest(outcome.milliseconds)
  }

  const prove = async (options: MiningOptions): Promise<number> => {
    const running = await ensureWorker()
    const proof = minerFor(running, options)
    const words = `Proving capacity on ${proof.tier}`
    if (state !== 'proving')
      show('proving', proof.macsPerSecond === null ? `Preparing the weights of ${proof.tier}` : words, 'proof')
    const report = await proof.slice(restraint.sliceMilliseconds())
    show('proving', `Proving capacity on ${report.tier}`, 'proof')
    networkTrouble = null
    millisecondsSinceShare += report.milliseconds
    const factorMilli = parts.networkState.current.parameters.tierFactorsMilli[report.tier] ?? 0
    parts.onWork({
      macs: report.macs,
      creditMacs: (Number(report.macs) * factorMilli) / 1000,
      milliseconds: report.milliseconds,
    })
    return report.milliseconds
  }

  const paceThreads = (): void => {
    const wanted = restraint.threads()
    if (wanted === pacedThreads) return
    pacedThreads = wanted
    worker
      ?.request('configure', { threads: wanted })
      .catch((error: unknown) => log.warn('threads not set', { device: deviceId, error: String(error) }))
  }

  const step = async (): Promise<boolean> => {
    if (unwritten !== null) throw unwritten
    if (await restraint.coolDown()) return !finishing
    paceThreads()
    if (await benchmarks.runNext(ensureWorker, () => show('benchmarking', 'Measuring', 'idle'))) return true
    const job = await source.next(mining !== null && !finishing && mining.samples)
    if (job) {
      await runJob(job)
      return true
    }
    if (mining === null || finishing) return false
    await restraint.rest(restraint.mayProve() ? await prove(mining) : 0)
    return true
  }

  /** Ends early when the device is stopped. */
  const pause = async (milliseconds: number): Promise<void> => {
    const timer = await new Promise<{ cancel(): void }>((resolve) => {
      const running = clock.setTimeout(() => resolve(running), milliseconds)
      endPause = () => resolve(running)
    })
    timer.cancel()
    endPause = null
  }

  const restraint = createRestraint({
    clock,
    pace: parts.pace,
    heat: parts.heat,
    allThreads: () => threads,
    sleep: pause,
    // A job that somebody waits for keeps to the level's threads, not to its duty cycle.
    isRestOver: () => stopping || finishing || mining === null || source.hinted || benchmarks.waiting,
    show: (words) => show('idle', words, 'paused'),
    onLook: paceThreads,
    onHot: (words) => log.warn('device rests', { device: deviceId, reason: words }),
  })

  /** Decides what a failed step means; true: go on. */
  const survive = async (error: unknown): Promise<boolean> => {
    if (stopping) return false
    if (!(error instanceof Failure)) throw error
    // A new worker knows no weights and no unit; a lost network gives a new unit.
    if (error instanceof Unanswered) {
      miner = null
      return true
    }
    if (error.code === 'unavailable' || error.code === 'network-refused') {
      miner = null
      // Finishing is about the job that ran; what waits at a network that is away goes on waiting there.
      if (finishing) return false
      networkTrouble = error.message
      log.warn('mining waits', { device: deviceId, reason: error.message })
      show('idle', 'Waits for the network', 'idle')
      await pause(NETWORK_RETRY_MILLISECONDS)
      return true
    }
    faulted = error.message
    log.error('device stopped', { device: deviceId, code: error.code, reason: error.message })
    show('faulted', error.message, 'idle')
    parts.onFault?.(error.message)
    return false
  }

  const runLoop = async (): Promise<void> => {
    idleStop?.cancel()
    try {
      for (;;) {
        if (stopping) break
        try {
          if (!(await step())) break
        } catch (error) {
          if (!(await survive(error))) break
        }
      }
    } catch (error) {
      faulted = error instanceof Error ? error.message : String(error)
      log.error('a device loop ended by a fault of ours', {
        device: deviceId,
        error: error instanceof Error ? (error.stack ?? '') : String(error),
      })
      show('faulted', faulted, 'idle')
    } finally {
      loop = null
      if (stopping || faulted !== null) {
        const reason = faulted === null ? 'the device was stopped' : `the device stopped: ${faulted}`
        benchmarks.cancelAll(reason)
      }
      restraint.reset()
      if (faulted === null) {
        networkTrouble = null
        show('idle', '', 'idle')
      }
      if (!stopping) {
        idleStop = clock.setTimeout(() => {
          if (loop === null) void endWorker()
        }, IDLE_STOP_MILLISECONDS)
        // Asked for while the last step was ending.
        if (benchmarks.waiting || (source.hinted && !finishing)) run()
      }
    }
  }

  const run = (): void => {
    if (loop === null && faulted === null && !stopping) loop = runLoop()
  }

  /** Somebody asks anew: what stopped it before may be over. */
  const forgive = (): void => {
    faulted = null
    unwritten = null
    if (worker?.state === 'open') worker.retry()
  }

  const endWorker = async (): Promise<void> => {
    const ending = worker
    worker = null
    miner = null
    await ending?.stop()
  }

  const stop = async (): Promise<void> => {
    stopping = true
    mining = null
    idleStop?.cancel()
    endPause?.()
    await endWorker()
    await loop
    await source.release()
    stopping = false
    finishing = false
    networkTrouble = null
    if (faulted === null) show('idle', '', 'idle')
  }

  return {
    deviceId,
    get state() {
      return state
    },
    get activity() {
      return activity
    },
    get lane() {
      return lane
    },
    get resting() {
      return state === 'idle' ? restraint.resting : null
    },
    get reason() {
      return faulted
    },
    get macsPerSecond() {
      return miner?.macsPerSecond ?? null
    },
    get engine() {
      return mining?.engine ?? null
    },
    get residentBytes() {
      return worker?.residentBytes ?? null
    },
    get restarts() {
      return worker?.restarts ?? 0
    },
    get runningJob() {
      return jobs.running
    },
    get networkTrouble() {
      return networkTrouble
    },
    startMining: (options) => {
      forgive()
      miningSince = clock.monotonic()
      mining = options
      finishing = false
      source.hint()
      energyAtShare = parts.energyNow()
      millisecondsSinceShare = 0
      run()
    },
    stop,
    finish: async () => {
      finishing = true
      await loop
      await stop()
    },
    wake: () => {
      source.hint()
      if (networkTrouble === null) endPause?.()
      run()
    },
    cancelJob: (jobId) => worker !== null && jobs.cancel(jobId, worker),
    retry: () => {
      forgive()
      source.hint()
      run()
    },
    setThreads: (wanted) => {
      threads = wanted
      paceThreads()
    },
    benchmark: async (engine, tier, seconds) => {
      if (stopping || faulted !== null) {
        const reason = faulted ?? 'it is being stopped'
        throw new Failure('device-unavailable', `${deviceId} cannot be measured: ${reason}`, 'Try again.')
      }
      const measured = benchmarks.add(engine, tier, seconds)
      run()
      return measured
    },
    readSensors: async () => (worker?.state === 'running' ? worker.request('driver.sensors', null) : null),
  }
}
