/**
 * Whether an engine works on this machine: a worker process of its own computes known digests and is thrown away, so
 * that a library or a graphics driver that cannot be loaded, crashes, hangs or computes wrongly does no harm.
 */
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import type {
  GpuAdapter,
  ProofEngine,
  WorkerMethods,
  WorkerNotifications,
  WorkerStart,
} from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import { createPeer } from '#process/peer'
import type { Log } from '../log'

const PROBE_TIMEOUT_MILLISECONDS = 20_000
/** A graphics driver compiles first. */
const GPU_PROBE_TIMEOUT_MILLISECONDS = 60_000
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
      found ??= stopping.signal.aborted ? Promise.resolve(false) : probe(parts, stopping.signal, NATIVE)
      return found
    },
    stop: async () => {
      stopping.abort()
      await found
    },
  }
}

export interface GpuProbe {
  /** Whether the webgpu engine gave the right digests on an adapter. Never rejects. */
  works(gpu: GpuAdapter): Promise<boolean>
  stop(): Promise<void>
}

/** One adapter after another; each is looked at once. */
export function createGpuProbe(parts: { host: ProcessHost; log: Log }): GpuProbe {
  const found = new Map<string, Promise<boolean>>()
  const stopping = new AbortController()
  let last: Promise<unknown> = Promise.resolve()
  return {
    works: (gpu) => {
      const known = found.get(gpu.name)
      if (known) return known
      const look: Look = {
        engine: 'webgpu',
        gpu,
        name: `the webgpu engine on ${gpu.name === '' ? 'the graphics processor' : gpu.name}`,
        instead: 'the device cannot mine',
      }
      const works = last.then(() => (stopping.signal.aborted ? false : probe(parts, stopping.signal, look)))
      last = works
      found.set(gpu.name, works)
      return works
    },
    stop: async () => {
      stopping.abort()
      await last
    },
  }
}

interface Look {
  engine: ProofEngine
  gpu?: GpuAdapter
  /** in a sentence */
  name: string
  /** what happens without it */
  instead: string
}
const NATIVE: Look = { engine: 'native', name: 'the native engine', instead: 'onnxruntime computes instead' }

async function probe(
  { host, log }: { host: ProcessHost; log: Log },
  stopping: AbortSignal,
  look: Look,
): Promise<boolean> {
  const start: WorkerStart = { role: 'worker', deviceId: 'probe', threads: 1, ...(look.gpu ? { gpu: look.gpu } : {}) }
  try {
    const child = await host.start('worker', start)
    const kill = (): void => child.kill()
    stopping.addEventListener('abort', kill)
    if (stopping.aborted) kill()
    try {
      const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'worker')
      const { checksum } = await worker.request(
        'proof.benchmark',
        { tier: 'itp1-test', engine: look.engine, epochSeed: BENCHMARK_EPOCH, seconds: PROBE_SECONDS },
        { timeoutMilliseconds: look.gpu ? GPU_PROBE_TIMEOUT_MILLISECONDS : PROBE_TIMEOUT_MILLISECONDS },
      )
      if (stopping.aborted) return false
      if (checksum === 'ok') return true
      log.error(`${look.name} computes wrong digests on this machine; it is not used`, {})
    } finally {
      stopping.removeEventListener('abort', kill)
      child.kill()
      await child.exited
    }
  } catch (error) {
    if (stopping.aborted) return false
    log.warn(`${look.name} is not used; ${look.instead}`, { reason: String(error) })
  }
  return false
}
