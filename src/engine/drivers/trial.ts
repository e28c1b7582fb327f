/** Trying a driver in processes that are thrown away, so that a library that hangs, crashes or lies does no harm. */
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import type { NativeDriver, NativePowerLimit } from '#shared/domain/driver'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { DriverDevice, WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import { createPeer, PeerUnavailable, type Peer } from '#process/peer'

const TRIAL_SECONDS = 0.01

export interface Trial {
  host: ProcessHost
  timeoutMilliseconds: number
  /** ends the process at once */
  signal: AbortSignal
}

/** Describes a library. Throws Failure `driver-fault` with what the loader found wrong, or that the process crashed or hung. */
export function describeLibrary(trial: Trial, library: string): Promise<NativeDriver> {
  const start: WorkerStart = { role: 'worker', deviceId: 'probe', threads: 1 }
  return inThrowAwayProcess(trial, start, (worker) =>
    worker.request('driver.describe', { library }, { timeoutMilliseconds: trial.timeoutMilliseconds }),
  )
}

/**
 * Computes known digests. Before, sets the power limit to `restoreWatts` if a former run could not. Returns the power limit.
 * Throws Failure `driver-fault` when a digest is wrong, or the process crashed or hung.
 */
export function tryDevice(
  trial: Trial,
  driver: DriverDevice,
  restoreWatts: number | null,
): Promise<NativePowerLimit | null> {
  const { timeoutMilliseconds } = trial
  return inThrowAwayProcess(trial, workerFor(driver), async (worker) => {
    if (restoreWatts !== null)
      await worker.request('driver.setPowerLimit', { watts: restoreWatts }, { timeoutMilliseconds })
    const limit = await worker.request('driver.powerLimit', null, { timeoutMilliseconds })
    const { checksum } = await worker.request(
      'proof.benchmark',
      { tier: 'itp1-test', backend: 'native', epochSeed: BENCHMARK_EPOCH, seconds: TRIAL_SECONDS },
      { timeoutMilliseconds },
    )
    if (checksum !== 'ok') throw new Failure('driver-fault', message('driver-wrong-digests'))
    return limit
  })
}

/** Sets a power limit and does nothing else. */
export function setPowerLimit(trial: Trial, driver: DriverDevice, watts: number): Promise<NativePowerLimit | null> {
  const { timeoutMilliseconds } = trial
  return inThrowAwayProcess(trial, workerFor(driver), (worker) =>
    worker.request('driver.setPowerLimit', { watts }, { timeoutMilliseconds }),
  )
}

function workerFor(driver: DriverDevice): WorkerStart {
  return { role: 'worker', deviceId: 'probe', threads: 1, driver }
}

async function inThrowAwayProcess<T>(
  { host, signal, timeoutMilliseconds }: Trial,
  start: WorkerStart,
  work: (worker: Peer<WorkerMethods, WorkerNotifications>) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const child = await host.start('worker', start)
  const kill = (): void => child.kill()
  signal.addEventListener('abort', kill)
  if (signal.aborted) kill()
  try {
    return await work(createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker'))
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof PeerUnavailable)) throw error
    if (error.timedOut)
      throw new Failure('driver-fault', message('driver-silent', { seconds: Math.round(timeoutMilliseconds / 1000) }))
    // The system may have ended the process for lack of memory: that says nothing about the driver.
    if ((await child.exited).signal === 'SIGKILL')
      throw new Failure('device-unavailable', message('driver-trial-ended'))
    throw new Failure('driver-fault', message('driver-ended-process'))
  } finally {
    signal.removeEventListener('abort', kill)
    child.kill()
    await child.exited
  }
}
