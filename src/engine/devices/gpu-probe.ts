/** Which backends work on a graphics processor, and which of them is the fastest. */
import type { GpuAdapter } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { GpuFinding } from './describe'
import type { RigContext } from '../base'
import { probeBackend } from '../workers'

/** Enough for a graphics driver that compiles the kernels first. */
const PROBE_TIMEOUT_MILLISECONDS = 60_000

/** What decides which backends are tried. */
export interface ProbedGpu {
  adapter: GpuAdapter
  vendor: string
  /** false: the matrix units failed before, under this graphics driver */
  mayUseMatrixUnits: boolean
}

export interface GpuProbe {
  /** Tries the backends of a graphics processor, once; further calls give the same answer. Never rejects. */
  backends(gpu: ProbedGpu): Promise<GpuFinding>
  stop(): Promise<void>
}

export interface GpuProbeOptions {
  /** as Node names it */
  platform: NodeJS.Platform
  /** for one backend's answer; absent: a minute */
  timeoutMilliseconds?: number
}

/** Tries one adapter and one backend after another. */
export function createGpuProbe(rig: Pick<RigContext, 'host' | 'log'>, options: GpuProbeOptions): GpuProbe {
  const timeoutMilliseconds = options.timeoutMilliseconds ?? PROBE_TIMEOUT_MILLISECONDS
  const found = new Map<string, Promise<GpuFinding>>()
  const stopping = new AbortController()
  let last: Promise<unknown> = Promise.resolve()

  /** Tries the matrix units in a process of their own, since the feature is experimental. Returns the rate in MAC/s; null: do not use them. */
  const probeMatrixUnits = async (adapter: GpuAdapter, vectorMacsPerSecond: number): Promise<number | null> => {
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
      // Of two cards with one name, WebGPU may open the other one: CUDA alone drives this card.
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
        backend === 'webgpu' && gpu.mayUseMatrixUnits ? await probeMatrixUnits(adapter, macsPerSecond) : null
      matrixUnits ||= onMatrixUnits !== null
      working.push({ backend, macsPerSecond: onMatrixUnits ?? macsPerSecond })
    }
    // A stable sort: without a measurement Lode's own kernels come first.
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
 * The backends that exist for a system and a maker. Of onnxruntime's providers only CUDA's takes the number of an adapter, so
 * the others are for computers with one adapter. WebGPU chooses an adapter by its name: of several with one name it opens
 * one, unknown which. CUDA chooses by PCI address, so for these it comes first, and WebGPU drives only the first of the name.
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
