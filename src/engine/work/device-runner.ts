/** One device at work: its worker process, and what it does next — a useful job first, a sample now and then, proof otherwise. */
import { Failure } from '#shared/domain/errors'
import type { JobKind } from '#shared/domain/job'
import { Unanswered } from '#process/peer'
import { createBenchmarkQueue } from './benchmark-queue'
import { createDeviceDisplay } from './device-display'
import type { DeviceRunner, DeviceRunnerParts, MiningOptions } from './device-types'
import { createDeviceWorker } from './device-worker'
import { createJobRunner } from './job-runner'
import { createJobSource, type LeasedJob } from './job-source'
import { createProofMiner, type ProofMiner } from './proof-miner'
import { createRestraint } from './restraint'
import { createShareAccount } from './share-account'
import { createWorkLoop } from './work-loop'
import type { WorkerClient } from './worker-client'

export type { DeviceRunner } from './device-types'

/** How a network that does not answer, or refuses, is asked again. */
const NETWORK_RETRY_MILLISECONDS = 2000

const KIND_WORDS: Record<JobKind, string> = {
  chat: 'Answering a question with',
  embed: 'Computing embeddings with',
  ocr: 'Reading a picture with',
}

/** Starts nothing by itself: its process begins with the first work and ends after a minute without. */
export function createDeviceRunner(parts: DeviceRunnerParts): DeviceRunner {
  const { clock, deviceId, log } = parts
  let threads = parts.threads
  let miner: ProofMiner | null = null
  let mining: MiningOptions | null = null
  let finishing = false
  let stopping = false
  let networkTrouble: string | null = null
  let unwritten: Failure | null = null
  let faulted: string | null = null
  /** monotonic; a new worker or unit does not begin the run anew */
  let miningSince = 0
  const benchmarks = createBenchmarkQueue()
  const display = createDeviceDisplay(parts.onChange)
  const { show } = display
  const sinceShare = createShareAccount(parts.energyNow)

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

  const worker = createDeviceWorker({
    ...parts,
    threads: () => restraint.threads(),
    isStopping: () => stopping,
    isBusy: () => loop.running,
    onStarting: () => show('starting', 'Starting'),
    onRestarting: (reason) => show('restarting', `Its worker stopped: ${reason}. Starts again by itself.`, 'idle'),
    onEnded: () => {
      miner = null
    },
    onState: parts.onChange,
  })

  const minerFor = (running: WorkerClient, options: MiningOptions): ProofMiner => {
    miner ??= createProofMiner({
      deviceId,
      rigKey: parts.rigKey,
      worker: running,
      network: parts.network,
      networkState: parts.networkState,
      clock,
      log,
      engine: options.engine,
      tier: options.tier,
      memoryBytes: parts.memoryBytes,
      startedAt: miningSince,
      onUnit: parts.onUnit,
      onShare: (found) => {
        const { energy, milliseconds } = sinceShare.take()
        parts.submissions.share(found, deviceId, energy, milliseconds).catch((error: unknown) => {
          log.error('a share could not be stored', { device: deviceId, error: String(error) })
          // Mining must not pretend: work that cannot be written down is not done.
          unwritten = error instanceof Failure ? error : new Failure('internal', String(error))
        })
      },
    })
    return miner
  }

  const runJob = async (job: LeasedJob): Promise<void> => {
    const running = await worker.ensure().catch(async (error: unknown) => {
      source.hint()
      await jobs.decline(job.offer, error instanceof Error ? error.message : String(error))
      throw error
    })
    show('working', `${KIND_WORDS[job.offer.kind]} ${job.model.card.name}`, job.offer.kind)
    const before = parts.energyNow()
    const outcome = await jobs.run(job.offer, job.model, running)
    sinceShare.otherWorkSince(before)
    if (outcome === null) return
    parts.onWork({ macs: outcome.macs, creditMacs: Number(outcome.creditMacs), milliseconds: outcome.milliseconds })
    if (outcome.origin !== 'sample') return
    parts.sampleBudget.spent(outcome.milliseconds)
    await restraint.rest(outcome.milliseconds)
  }

  const prove = async (options: MiningOptions): Promise<number> => {
    const running = await worker.ensure()
    if (miner === null) await parts.whileMining?.begin()
    const proof = minerFor(running, options)
    const words = `Proving capacity on ${proof.tier}`
    if (display.state !== 'proving')
      show('proving', proof.macsPerSecond === null ? `Preparing the weights of ${proof.tier}` : words, 'proof')
    const report = await proof.slice(restraint.sliceMilliseconds())
    show('proving', `Proving capacity on ${report.tier}`, 'proof')
    networkTrouble = null
    sinceShare.worked(report.milliseconds)
    const factorMilli = parts.networkState.current.parameters.tierFactorsMilli[report.tier] ?? 0
    parts.onWork({
      macs: report.macs,
      creditMacs: (Number(report.macs) * factorMilli) / 1000,
      milliseconds: report.milliseconds,
    })
    return report.milliseconds
  }

  const step = async (): Promise<boolean> => {
    if (unwritten !== null) throw unwritten
    if (await restraint.coolDown()) return !finishing
    worker.paceThreads()
    if (await benchmarks.runNext(worker.ensure, () => show('benchmarking', 'Measuring', 'idle'))) return true
    const job = await source.next(mining !== null && !finishing && mining.samples)
    if (job) {
      await runJob(job)
      return true
    }
    if (mining === null || finishing) return false
    if (source.hinted) return true
    await restraint.rest(restraint.mayProve() ? await prove(mining) : 0)
    return true
  }

  const restraint = createRestraint({
    clock,
    pace: parts.pace,
    heat: parts.heat,
    allThreads: () => threads,
    sleep: (milliseconds) => loop.pause(milliseconds),
    // A job that somebody waits for keeps to the level's threads, not to its duty cycle.
    isRestOver: () => stopping || finishing || mining === null || source.hinted || benchmarks.waiting,
    show: (words) => show('idle', words, 'paused'),
    onLook: () => worker.paceThreads(),
    onHot: (words) => log.warn('device rests', { device: deviceId, reason: words }),
  })

  const giveUp = async (fault: Failure): Promise<false> => {
    faulted = fault.message
    log.error('device stopped', { device: deviceId, code: fault.code, reason: fault.message })
    show('faulted', fault.message, 'idle')
    await parts.whileMining?.end()
    parts.onFault?.(fault)
    return false
  }

  /** Decides what a failed step means; true: go on. */
  const survive = async (error: unknown): Promise<boolean> => {
    if (stopping) return false
    if (!(error instanceof Failure)) throw error
    // A driver that hangs would hang again. Any other worker that is gone comes back.
    if (error instanceof Unanswered && error.timedOut && parts.workerStart?.driver)
      return giveUp(new Failure('driver-fault', 'it hangs: it gave no answer in time'))
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
      await loop.pause(NETWORK_RETRY_MILLISECONDS)
      return true
    }
    return giveUp(error)
  }

  const concludeLoop = (fault?: Error): void => {
    if (fault !== undefined) {
      faulted = fault.message
      log.error('a device loop ended by a fault of ours', { device: deviceId, error: fault.stack ?? fault.message })
      show('faulted', faulted, 'idle')
    }
    if (stopping || faulted !== null) {
      benchmarks.cancelAll(faulted === null ? 'the device was stopped' : `the device stopped: ${faulted}`)
    }
    restraint.reset()
    if (faulted === null) {
      networkTrouble = null
      show('idle', '', 'idle')
    }
    if (stopping) return
    worker.endWhenIdle()
    // Asked for while the last step was ending.
    if (benchmarks.waiting || (source.hinted && !finishing)) run()
  }

  const loop = createWorkLoop({ clock, isOver: () => stopping, step, survive, onEnd: concludeLoop })

  const run = (): void => {
    if (loop.running || faulted !== null || stopping) return
    worker.keep()
    loop.run()
  }

  /** Somebody asks anew: what stopped it before may be over. */
  const forgive = (): void => {
    faulted = null
    unwritten = null
    worker.retry()
  }

  const stop = async (): Promise<void> => {
    stopping = true
    mining = null
    worker.keep()
    loop.wake()
    await parts.whileMining?.end()
    await worker.end()
    await loop.ended()
    await source.release()
    stopping = false
    finishing = false
    networkTrouble = null
    if (faulted === null) show('idle', '', 'idle')
  }

  return {
    deviceId,
    get state() {
      return display.state
    },
    get activity() {
      return display.activity
    },
    get lane() {
      return display.lane
    },
    get resting() {
      return display.state === 'idle' ? restraint.resting : null
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
      return worker.client?.residentBytes ?? null
    },
    get restarts() {
      return worker.client?.restarts ?? 0
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
      sinceShare.begin()
      run()
    },
    stop,
    finish: async () => {
      finishing = true
      await loop.ended()
      await stop()
    },
    wake: () => {
      source.hint()
      if (display.lane === 'proof' && parts.models().length > 0) miner?.yield()
      if (networkTrouble === null) loop.wake()
      run()
    },
    cancelJob: (jobId) => worker.client !== null && jobs.cancel(jobId, worker.client),
    retry: () => {
      forgive()
      source.hint()
      run()
    },
    setThreads: (wanted) => {
      threads = wanted
      worker.paceThreads()
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
    askDriver: async (method, params) => {
      if (worker.client === null) throw new Unanswered(`${deviceId} has no worker now`, false)
      return worker.client.request(method, params)
    },
  }
}
