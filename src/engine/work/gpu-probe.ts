/** Which engines work on a graphics processor, and which of them is the fastest. */
import type { GpuAdapter, ProofEngine } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import type { Log } from '../log'
import { probeEngine } from './engine-probe'

/** A graphics driver compiles first. */
const PROBE_TIMEOUT_MILLISECONDS = 60_000

/** What decides which engines are worth a look. */
export interface ProbedGpu {
  adapter: GpuAdapter
  vendor: string
}

export interface GpuProbe {
  /** The engines that gave the right digests on it, the fastest first; looked at once. Never rejects. */
  engines(gpu: ProbedGpu): Promise<ProofEngine[]>
  stop(): Promise<void>
}

/** One adapter and engine after another. `platform`: as Node names it. */
export function createGpuProbe(parts: { host: ProcessHost; log: Log; platform: NodeJS.Platform }): GpuProbe {
  const found = new Map<string, Promise<ProofEngine[]>>()
  const stopping = new AbortController()
  let last: Promise<unknown> = Promise.resolve()

  const look = async (gpu: ProbedGpu): Promise<ProofEngine[]> => {
    const { adapter } = gpu
    const candidates = gpuEngineCandidates(gpu, parts.platform)
    const working: { engine: ProofEngine; macsPerSecond: number }[] = []
    for (const engine of candidates) {
      if (stopping.signal.aborted) break
      const macsPerSecond = await probeEngine(parts, stopping.signal, {
        engine,
        gpu: adapter,
        name: `the engine ${engine} on ${adapter.name === '' ? 'the graphics processor' : adapter.name}`,
        instead: 'another engine drives the device, or it cannot mine',
        timeoutMilliseconds: PROBE_TIMEOUT_MILLISECONDS,
        rated: candidates.length > 1,
      })
      if (macsPerSecond !== null) working.push({ engine, macsPerSecond })
    }
    // A stable sort: where nothing was measured, our own kernels come first.
    return working.sort((one, other) => other.macsPerSecond - one.macsPerSecond).map(({ engine }) => engine)
  }

  return {
    engines: (gpu) => {
      const key = `${gpu.vendor} ${gpu.adapter.name} ${gpu.adapter.index ?? 0}`
      const known = found.get(key)
      if (known) return known
      const engines = last.then(() => look(gpu))
      last = engines
      found.set(key, engines)
      return engines
    },
    stop: async () => {
      stopping.abort()
      await last
    },
  }
}

/**
 * Those that a system and a maker have at all. Of onnxruntime's providers only CUDA's can be told which of several adapters
 * to take, so the others are for computers with one.
 */
export function gpuEngineCandidates({ adapter, vendor }: ProbedGpu, platform: NodeJS.Platform): ProofEngine[] {
  const alone = adapter.name === ''
  return [
    'webgpu',
    ...(/nvidia/i.test(vendor) && platform !== 'darwin' ? (['onnx-cuda'] as const) : []),
    ...(alone && platform === 'win32' ? (['onnx-directml'] as const) : []),
    ...(alone && platform === 'darwin' ? (['onnx-coreml'] as const) : []),
    ...(alone ? (['onnx-webgpu'] as const) : []),
  ]
}
