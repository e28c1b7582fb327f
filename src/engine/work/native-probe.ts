/**
 * Whether the native engine works on this machine: a worker process of its own computes known digests and is thrown
 * away, so that a library that cannot be loaded, crashes or computes wrongly does no harm.
 */
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import { createPeer } from '#process/peer'
import type { Log } from '../log'

const PROBE_TIMEOUT_MILLISECONDS = 20_000
const PROBE_SECONDS = 0.01

export interface NativeProbe {
  /** Whether the engine gave the right digests; looks at the first call. Never rejects. */
  works(): Promise<boolean>
  /** Ends a look that is under way: it finds nothing. */
  stop(): Promise<void>
}

/** What speaks against the engine is logged once. */
export function createNativeProbe(parts: { host: ProcessHost; log: Log }): NativeProbe {
  let found: Promise<boolean> | null = null
  const stopping = new AbortController()
  return {
    works: () => {
      found ??= stopping.signal.aborted ? Promise.resolve(false) : probe(parts, stopping.signal)
      return found
    },
    stop: async () => {
      stopping.abort()
      await found
    },
  }
}

async function probe({ host, log }: { host: ProcessHost; log: Log }, stopping: AbortSignal): Promise<boolean> {
  const start: WorkerStart = { role: 'worker', deviceId: 'probe', threads: 1 }
  try {
    const child = await host.start('worker', start)
    const kill = (): void => child.kill()
    stopping.addEventListener('abort', kill)
    if (stopping.aborted) kill()
    try {
      const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
      const { checksum } = await worker.request(
        'proof.benchmark',
        { tier: 'itp1-test', engine: 'native', epochSeed: BENCHMARK_EPOCH, seconds: PROBE_SECONDS },
        { timeoutMilliseconds: PROBE_TIMEOUT_MILLISECONDS },
      )
      if (stopping.aborted) return false
      if (checksum === 'ok') return true
      log.error('the native engine computes wrong digests on this machine; it is not used', {})
    } finally {
      stopping.removeEventListener('abort', kill)
      child.kill()
      await child.exited
    }
  } catch (error) {
    if (stopping.aborted) return false
    log.warn('the native engine is not used; onnxruntime computes instead', { reason: String(error) })
  }
  return false
}
