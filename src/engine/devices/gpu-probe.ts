/** Which backends work on a graphics processor, and which of them is the fastest. */
import type { GpuAdapter } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { GpuFinding } from './describe'
import type { RigContext } from '../base'
import { probeBackend } from '../workers'

/** A graphics driver compiles first. */
const PROBE_TIMEOUT_MILLISECONDS = 60_000

/** What decides which backends are worth a look. */
export interface ProbedGpu {
  adapter: GpuAdapter
  vendor: string
  /** false: they failed before, under this driver */
  mayUseMatrixUnits: boolean
}

export interface GpuProbe {
  /** What works on it; looked at once. Never rejects. */
  backends(gpu: ProbedGpu): Promise<GpuFinding>
  stop(): Promise<void>
}

export interface GpuProbeOptions {
  /** as Node names it */
  platform: NodeJS.Platform
  /** for one backend's answer; absent: what a graphics driver that compiles needs at most */
  timeoutMilliseconds?: number
}

/** One adapter and backend after another. */
export function createGpuProbe(rig: Pick<RigContext, 'host' | 'log'>, options: GpuProbeOptions): GpuProbe {
  const timeoutMilliseconds = options.timeoutMilliseconds ?? PROBE_TIMEOUT_MILLISECONDS
  const found = new Map<string, Promise<GpuFinding>>()
  const stopping = new AbortController()
  let last: Promise<unknown> = Promise.resolve()

  /** Of its own process, so that an experimental feature costs nothing but itself. Returns the rate; null: not to be used. */
  const lookAtMatrixUnits = async (adapter: GpuAdapter, vectorMacsPerSecond: number): Promise<number | null> => {
    const name = `the backend webgpu on the int8 matrix units of ${nameOf(adapter)}`
    const macsPerSecond = await probeBackend(rig, stopping.signal, {
      backend: 'webgpu',
      gpu: { ...adapter, matrixUnits: true },
      name,
      instead: 'its int8 vector units compute',
      timeoutMilliseconds,
      rated: true,
    })
    if (macsPerSecond === null) return null
    const isFaster = macsPerSecond > vectorMacsPerSecond
    rig.log.info(`${name} gives the right digests${isFaster ? '' : ', and is not faster than on the vector units'}`, {
      macsPerSecond,
      vectorMacsPerSecond,
    })
    return isFaster ? macsPerSecond : null
  }

  const look = async (gpu: ProbedGpu): Promise<GpuFinding> => {
    const { adapter } = gpu
    const candidates = gpuBackendCandidates(gpu, options.platform)
    let matrixUnits = false
    const working: { backend: BackendName; macsPerSecond: number }[] = []
    for (const backend of candidates) {
      if (stopping.signal.aborted) break
      // What CUDA knows as this one WebGPU may know as the other.
      if (adapter.twin !== undefined && working.length > 0) break
      const macsPerSecond = await probeBackend(rig, stopping.signal, {
        backend,
        gpu: adapter,
        name: `the backend ${backend} on ${nameOf(adapter)}`,
        instead: 'another backend drives the device, or it cannot mine',
        timeoutMilliseconds,
        rated: candidates.length > 1 || backend === 'webgpu',
      })
      if (macsPerSecond === null) continue
      const onMatrixUnits =
        backend === 'webgpu' && gpu.mayUseMatrixUnits ? await lookAtMatrixUnits(adapter, macsPerSecond) : null
      matrixUnits ||= onMatrixUnits !== null
      working.push({ backend, macsPerSecond: onMatrixUnits ?? macsPerSecond })
    }
    // A stable sort: where nothing was measured, our own kernels come first.
    const fastest = working.sort((one, other) => other.macsPerSecond - one.macsPerSecond)
    return { backends: fastest.map(({ backend }) => backend), matrixUnits }
  }

  return {
    backends: (gpu) => {
      const key = `${gpu.vendor} ${gpu.adapter.name} ${gpu.adapter.index ?? 0}`
      const known = found.get(key)
      if (known) return known
      const backends = last.then(() => look(gpu))
      last = backends
      found.set(key, backends)
      return backends
    },
    stop: async () => {
      stopping.abort()
      await last
    },
  }
}

function nameOf({ name }: GpuAdapter): string {
  return name === '' ? 'the graphics processor' : name
}

/**
 * Those that a system and a maker have at all. Of onnxruntime's providers only CUDA's can be told which of several adapters
 * to take, so the others are for computers with one. WebGPU is told by name: of several of one name it finds one, and nobody
 * knows which. CUDA goes by PCI address, so there it comes first, and WebGPU is for the first of the name alone.
 */
export function gpuBackendCandidates(
  { adapter, vendor }: Pick<ProbedGpu, 'adapter' | 'vendor'>,
  platform: NodeJS.Platform,
): BackendName[] {
  const alone = adapter.name === ''
  const cuda: BackendName[] = /nvidia/i.test(vendor) && platform !== 'darwin' ? ['onnx-cuda'] : []
  if (adapter.twin !== undefined) return adapter.twin === 'first' ? [...cuda, 'webgpu'] : cuda
  return [
    'webgpu',
    ...cuda,
    ...(alone && platform === 'win32' ? (['onnx-directml'] as const) : []),
    ...(alone && platform === 'darwin' ? (['onnx-coreml'] as const) : []),
    ...(alone ? (['onnx-webgpu'] as const) : []),
  ]
}
