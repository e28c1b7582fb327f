/** Which backends work on which device of this machine: found by trials. The processor's backends come first: they must not wait for a slow graphics driver. */
import type { GpuAdapter } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { SensorInventory } from '#shared/ipc/sensors'
import { computingGpus, type GpuFinding } from './describe'

export interface BackendSurvey {
  /** the backends of the processor, the fastest first */
  readonly cpu: readonly BackendName[]
  /** what was found on each graphics processor, by its id */
  readonly gpus: Readonly<Record<string, GpuFinding>>
  /** graphics processors that are being tried or wait for it */
  readonly underWay: ReadonlySet<string>
  /** Settles when the processor's backends are known; the first call starts the trial. */
  ready(): Promise<void>
  /** Settles when every graphics processor was tried too. */
  settled(): Promise<void>
  /** Tries the graphics processors that are new. */
  probeGpus(): Promise<void>
  /** The webgpu backend uses the vector units of this graphics processor from now on. */
  dropMatrixUnits(id: string): void
}

export interface BackendSurveyOptions {
  inventory: () => SensorInventory
  /** whether the native backend gave the right digests on this machine; never rejects */
  nativeWorks: () => Promise<boolean>
  /** what works on an adapter; never rejects */
  gpuBackends: (gpu: { adapter: GpuAdapter; vendor: string; mayUseMatrixUnits: boolean }) => Promise<GpuFinding>
  /** false: the matrix units failed before, under the present graphics driver */
  mayUseMatrixUnits: (id: string) => boolean
  /** called when a trial has found what a device can do */
  onFound: () => void
}

export function createBackendSurvey(options: BackendSurveyOptions): BackendSurvey {
  let cpu: BackendName[] = ['onnx-cpu', 'reference']
  const gpus: Record<string, GpuFinding> = {}
  const underWay = new Set<string>()
  let looking: { ready: Promise<void>; settled: Promise<void> } | null = null

  const probeProcessor = async (): Promise<void> => {
    if (!(await options.nativeWorks())) return
    cpu = ['native', ...cpu]
    options.onFound()
  }
  const probeGpus = async (): Promise<void> => {
    const wanted = computingGpus(options.inventory()).filter(({ id }) => gpus[id] === undefined && !underWay.has(id))
    for (const { id } of wanted) underWay.add(id)
    for (const { id, adapter, vendor } of wanted) {
      const found = await options.gpuBackends({ adapter, vendor, mayUseMatrixUnits: options.mayUseMatrixUnits(id) })
      underWay.delete(id)
      if (found.backends.length > 0) gpus[id] = found
      options.onFound()
    }
  }
  const look = (): { ready: Promise<void>; settled: Promise<void> } => {
    if (looking === null) {
      const ready = probeProcessor()
      looking = { ready, settled: ready.then(probeGpus) }
    }
    return looking
  }
  return {
    get cpu() {
      return cpu
    },
    gpus,
    underWay,
    ready: () => look().ready,
    settled: () => look().settled,
    probeGpus,
    dropMatrixUnits: (id) => {
      const found = gpus[id]
      if (found) gpus[id] = { ...found, matrixUnits: false }
    },
  }
}
