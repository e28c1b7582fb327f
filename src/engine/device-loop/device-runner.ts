/** One device at work: its worker process, and what it does next — a useful job first, a synthetic job now and then, proof otherwise. */
import { Failure, messageOf } from '#shared/domain/errors'
import { inEnglish, message, type Message } from '#shared/domain/messages'
import { PeerUnavailable } from '#process/peer'
import { createBenchmarkQueue } from '../benchmark'
import { createDeviceDisplay } from './device-display'
import { createDeviceJobs, createModelTrials } from '../jobs'
import { createDeviceProofs } from '../proof'
import type { MiningOptions } from '../mining'
import type { DeviceLoopContext, DeviceLoopOptions, DeviceRunner } from './device-types'
import { createDeviceWorker } from './device-worker'
import { fitsMemory, MODEL_MEMORY_SHARE } from '../models'
import { createDeviceThrottle } from './device-throttle'
import { createWorkLoop } from './work-loop'

export type { DeviceRunner } from './device-types'

/** After this pause a network that did not answer, or refused, is asked again. */
const NETWORK_RETRY_MILLISECONDS = 2000
/** Mining waits this long for a benchmark's slice to end; then the worker is ended with the slice. */
const BENCHMARK_END_MILLISECONDS = 500

/** Starts nothing by itself: the worker process starts with the first work and ends after a minute without work. */
export function createDeviceRunner(context: DeviceLoopContext, options: DeviceLoopOptions): DeviceRunner {
  const { rig, link, onChange } = context
  const { clock, log } = rig
  const { deviceId, memoryBytes, models } = options
  let threads = options.threads
  let mining: MiningOptions | null = null
  let finishing = false
  let stopping = false
  let networkError: Message | null = null
  let faulted: Message | null = null
  const benchmarks = createBenchmarkQueue(clock)
  const display = createDeviceDisplay(clock, onChange)
  const { show } = display
  const proofs = createDeviceProofs(rig, link, {
    deviceId,
    memoryBytes,
    energyNow: options.energyNow,
    onUnit: options.onUnit,
    onWork: options.onWork,
    beforeMining: async () => options.whileMining?.begin(),
    show,
    state: () => display.state,
    isJobWaiting: () => jobs.workPending,
  })

  const worker = createDeviceWorker(rig, {
    deviceId,
    host: options.host,
    workerStart: options.workerStart,
    deadlines: options.deadlines,
    onToken: (piece) => jobs.publish(piece),
    threads: () => throttle.threads(),
    modelMemoryBytes: Math.floor(memoryBytes * MODEL_MEMORY_SHARE),
    isStopping: () => stopping,
    isBusy: () => loop.running,
    onStarting: () =>
      show(benchmarks.waiting && mining === null ? 'benchmarking' : 'starting', message('activity-starting')),
    onRestarting: (reason) => show('restarting', message('activity-restarting', { reason }), 'idle'),
    onEnded: () => proofs.forget(),
    onComputed: ({ macs }) => jobs.computed(macs),
    onState: onChange,
  })

  const jobs = createDeviceJobs(rig, link, {
    deviceId,
    memoryBytes,
    syntheticJobBudget: context.syntheticJobBudget,
    models,
    jobRates: context.jobRates,
    energyNow: options.energyNow,
    onWork: options.onWork,
    worker,
    isStopping: () => stopping,
    isFinishing: () => finishing,
    show: (activity, kind) => show('working', activity, kind),
  })

  const trials =
    context.generateInput === null
      ? null
      : createModelTrials(rig, link, {
          deviceId,
          memoryBytes,
          models,
          jobRates: context.jobRates,
          energyNow: options.energyNow,
          generateInput: context.generateInput,
        })

  const step = async (): Promise<boolean> => {
    if (proofs.unwritten !== null) throw proofs.unwritten
    if (await throttle.coolDown()) return !finishing
    worker.applyThreads()
    const measured = await benchmarks.runNext(worker.ensure, (activity) => show('benchmarking', activity, 'idle'))
    if (measured) onChange()
    // A job that somebody waits for runs between two slices of a benchmark.
    if (measured && !jobs.workPending) return true
    const job = await jobs.next(mining !== null && !finishing && mining.samples && !measured)
    if (job) {
      const before = options.energyNow()
      const watch = throttle.watchHeat(jobs.interrupt)
      const syntheticMilliseconds = await jobs.run(job).finally(() => watch.cancel())
      proofs.otherWorkSince(before)
      if (syntheticMilliseconds > 0) await throttle.rest(syntheticMilliseconds)
      return true
    }
    if (measured) return true
    if (mining === null || finishing) return false
    if (jobs.workPending) return true
    if (!throttle.mayProve()) await throttle.rest(0)
    else await throttle.rest((await tryModel()) ?? (await prove(mining)))
    return true
  }

  /** Measures a model if one is due. Returns the milliseconds that it took; null: none was due. */
  const tryModel = async (): Promise<number | null> => {
    const before = options.energyNow()
    const taken = await trials?.runNext(worker.ensure, (activity) => show('benchmarking', activity, 'idle'))
    if (taken === undefined || taken === null) return null
    proofs.otherWorkSince(before)
    return taken
  }

  const prove = async (options: MiningOptions): Promise<number> => {
    const milliseconds = await proofs.prove(await worker.ensure(), options, throttle.slice())
    networkError = null
    return milliseconds
  }

  const throttle = createDeviceThrottle({
    clock,
    pace: context.pace,
    heat: options.heat,
    allThreads: () => threads,
    sleep: (milliseconds) => loop.pause(milliseconds),
    // A job that somebody waits for is limited to the level's threads, and does not wait for the end of a rest.
    isRestOver: () => stopping || finishing || mining === null || jobs.workPending || benchmarks.waiting,
    show: (activity) => show('idle', activity, 'paused'),
    onLook: () => worker.applyThreads(),
    onHot: (reason) => log.warn('device rests', { device: deviceId, reason: inEnglish.text(reason) }),
  })

  const markFaulted = async (fault: Failure): Promise<false> => {
    faulted = fault.words
    log.error('device stopped', { device: deviceId, code: fault.code, reason: fault.message })
    show('faulted', fault.words, 'idle')
    await options.whileMining?.end()
    options.onFault(fault)
    return false
  }

  /** Decides what follows a failed step. True: the loop goes on. Throws an internal error. */
  const shouldContinue = async (error: unknown): Promise<boolean> => {
    if (stopping) return false
    if (!(error instanceof Failure)) throw error
    // A driver that hangs would hang again. Any other worker that stopped is started again.
    if (error instanceof PeerUnavailable && error.timedOut && (options.workerStart.driver ?? options.workerStart.gpu))
      return markFaulted(new Failure('driver-fault', message('device-hangs')))
    // A new worker has no weights; a network that was lost leases a new unit.
    if (error instanceof PeerUnavailable) {
      proofs.forget()
      return true
    }
    if (error.code === 'unavailable' || error.code === 'network-refused') {
      proofs.forget()
      // Finishing waits only for the job that ran, not for jobs that are queued at a network that does not answer.
      if (finishing) return false
      networkError = error.words
      log.warn('mining waits', { device: deviceId, reason: error.message })
      show('idle', message('activity-waiting-for-network'), 'idle')
      await loop.pause(NETWORK_RETRY_MILLISECONDS)
      return true
    }
    return markFaulted(error)
  }

  const concludeLoop = (fault?: Error): void => {
    if (fault !== undefined) {
      faulted = messageOf(fault)
      log.error('a device loop ended by an internal error', { device: deviceId, error: fault.stack ?? fault.message })
      show('faulted', faulted, 'idle')
    }
    if (stopping || faulted !== null) {
      void benchmarks.cancelAll(
        faulted === null
          ? message('benchmark-device-stopped')
          : message('benchmark-device-faulted', { reason: faulted }),
      )
    }
    throttle.reset()
    if (faulted === null) {
      networkError = null
      show('idle', null, 'idle')
    }
    if (stopping) return
    worker.endWhenIdle()
    // Work may have been requested while the last step ended.
    if (benchmarks.waiting || (jobs.workPending && !finishing)) run()
  }

  const loop = createWorkLoop({ clock, isOver: () => stopping, step, shouldContinue, onEnd: concludeLoop })

  const run = (): void => {
    if (loop.running || faulted !== null || stopping) return
    worker.keep()
    loop.run()
  }

  /** The person asks for work again: the cause of an earlier fault may be gone. */
  const clearFault = (): void => {
    faulted = null
    proofs.clearFault()
    worker.retry()
  }

  /** Cancels all benchmarks of the device. False: there were none. */
  const endBenchmarks = (reason: Message): boolean => {
    const wasThere = benchmarks.waiting
    const slice = benchmarks.cancelAll(reason)
    if (slice !== null) {
      const tooLong = clock.setTimeout(() => void worker.end(), BENCHMARK_END_MILLISECONDS)
      void slice.finally(() => tooLong.cancel())
    }
    return wasThere
  }

  const stop = async (): Promise<void> => {
    stopping = true
    mining = null
    void benchmarks.cancelAll(message('benchmark-device-stopped'))
    worker.keep()
    jobs.notifyWork()
    loop.wake()
    await options.whileMining?.end()
    await worker.end()
    await loop.ended()
    await jobs.release()
    stopping = false
    finishing = false
    networkError = null
    if (faulted === null) show('idle', null, 'idle')
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
    takeLaneTimes: () => display.takeLaneTimes(),
    get resting() {
      return display.state === 'idle' ? throttle.resting : null
    },
    get reason() {
      return faulted
    },
    get macsPerSecond() {
      return proofs.macsPerSecond
    },
    get backend() {
      return mining?.backend ?? null
    },
    get hasWorker() {
      return worker.client?.state === 'running'
    },
    get residentBytes() {
      return worker.client?.residentBytes ?? null
    },
    get restarts() {
      return worker.client?.restarts ?? 0
    },
    get runningJobs() {
      return jobs.running
    },
    get loadedModels() {
      return worker.client?.loadedModels ?? []
    },
    get takesJobs() {
      return models().length > 0
    },
    canRun: (model) => fitsMemory(model.manifest, memoryBytes),
    get networkError() {
      return networkError
    },
    startMining: (options) => {
      clearFault()
      endBenchmarks(message('benchmark-ended-by-mining'))
      proofs.begin()
      trials?.begin()
      mining = options
      finishing = false
      jobs.notifyWork()
      run()
    },
    stop,
    finish: async () => {
      finishing = true
      endBenchmarks(message('benchmark-device-stopped'))
      jobs.notifyWork()
      await loop.ended()
      await stop()
    },
    wake: () => {
      jobs.notifyWork()
      trials?.yield()
      if (display.lane === 'proof' && models().length > 0) proofs.yield()
      if (networkError === null) loop.wake()
      run()
    },
    cancelJob: (jobId) => jobs.cancel(jobId),
    retry: () => {
      clearFault()
      jobs.notifyWork()
      run()
    },
    setThreads: (wanted) => {
      threads = wanted
      worker.applyThreads()
    },
    get benchmarkProgress() {
      return benchmarks.progress
    },
    cancelBenchmark: () => endBenchmarks(message('benchmark-cancelled')),
    benchmark: async (plan) => {
      if (stopping || faulted !== null) {
        const reason = faulted ?? message('device-being-stopped')
        throw new Failure('device-unavailable', message('benchmark-not-possible', { device: deviceId, reason }))
      }
      const measured = benchmarks.add(plan)
      run()
      return { ...(await measured), threads: throttle.threads() }
    },
    askDriver: async (method, params) => {
      if (worker.client === null) throw new PeerUnavailable(message('worker-missing', { device: deviceId }), false)
      return worker.client.request(method, params)
    },
  }
}
