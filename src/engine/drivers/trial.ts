/** Trying a driver in processes that are thrown away, so that a library that hangs, crashes or lies does no harm. */
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import type { NativeDriver } from '#shared/domain/driver'
import { Failure } from '#shared/domain/errors'
import type { ProofEngine, WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import { createPeer, Unanswered, type Peer } from '#process/peer'

const TRIAL_SECONDS = 0.01

export interface Trial {
  host: ProcessHost
  timeoutMilliseconds: number
  /** ends the process at once */
  signal: AbortSignal
}

/** Throws Failure with what the loader found wrong, or that the process crashed or hung. */
export function describeLibrary(trial: Trial, library: string): Promise<NativeDriver> {
  const start: WorkerStart = { role: 'worker', deviceId: 'probe', threads: 1 }
  return inThrowAwayProcess(trial, start, (worker) =>
    worker.request('driver.describe', { library }, { timeoutMilliseconds: trial.timeoutMilliseconds }),
  )
}

/** Computes known digests. Throws Failure when one is wrong, or the process crashed or hung. */
export async function tryEngine(trial: Trial, start: WorkerStart, engine: ProofEngine): Promise<void> {
  const { checksum } = await inThrowAwayProcess(trial, start, (worker) =>
    worker.request(
      'proof.benchmark',
      { tier: 'itp1-test', engine, epochSeed: BENCHMARK_EPOCH, seconds: TRIAL_SECONDS },
      { timeoutMilliseconds: trial.timeoutMilliseconds },
    ),
  )
  if (checksum !== 'ok') throw new Failure('device-unavailable', 'it computes wrong digests on this machine')
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
    if (!(error instanceof Unanswered)) throw error
    const reason = error.timedOut
      ? `it did not answer within ${Math.round(timeoutMilliseconds / 1000)} seconds`
      : 'it ended the process that it ran in'
    throw new Failure('device-unavailable', reason)
  } finally {
    signal.removeEventListener('abort', kill)
    child.kill()
    await child.exited
  }
}
