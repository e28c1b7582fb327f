/** Which engines work on which device of this machine: found by trying, the processor's first, since nothing waits for a slow graphics driver. */
import type { GpuAdapter } from '#shared/ipc/worker'
import type { ProofEngine } from '#shared/domain/backend'
import type { SensorInventory } from '#shared/ipc/sensors'
import { computingGpus, type GpuFinding } from './describe'

export interface EngineLook {
  /** of the processor, the fastest first */
  readonly cpu: readonly ProofEngine[]
  /** by the id of the graphics processor */
  readonly gpus: Readonly<Record<string, GpuFinding>>
  /** graphics processors that are being tried or wait for it */
  readonly underWay: ReadonlySet<string>
  /** Settles when the processor's engines are known; looks at the first call. */
  ready(): Promise<void>
  /** Settles when every device was tried. */
  settled(): Promise<void>
  /** Tries the graphics processors that are new. */
  lookAtGpus(): Promise<void>
  /** From now on webgpu uses its vector units. */
  dropMatrixUnits(id: string): void
}

export interface EngineLookParts {
  inventory: () => SensorInventory
  /** whether the native engine gave the right digests on this machine; never rejects */
  nativeWorks: () => Promise<boolean>
  /** what works on an adapter; never rejects */
  gpuEngines: (gpu: { adapter: GpuAdapter; vendor: string; mayUseMatrixUnits: boolean }) => Promise<GpuFinding>
  /** false: they failed before, under the driver that it has */
  mayUseMatrixUnits: (id: string) => boolean
  /** settles when every added driver was tried; never rejects */
  driversReady: () => Promise<void>
  /** a device can do more than was known */
  onFound: () => void
}

export function createEngineLook(parts: EngineLookParts): EngineLook {
  let cpu: ProofEngine[] = ['onnx-cpu', 'reference']
  const gpus: Record<string, GpuFinding> = {}
  const underWay = new Set<string>()
  let looking: { ready: Promise<void>; settled: Promise<void> } | null = null

  const lookAtProcessor = async (): Promise<void> => {
    if (!(await parts.nativeWorks())) return
    cpu = ['native', ...cpu]
    parts.onFound()
  }
  const lookAtGpus = async (): Promise<void> => {
    const wanted = computingGpus(parts.inventory()).filter(({ id }) => gpus[id] === undefined && !underWay.has(id))
    for (const { id } of wanted) underWay.add(id)
    for (const { id, adapter, vendor } of wanted) {
      const found = await parts.gpuEngines({ adapter, vendor, mayUseMatrixUnits: parts.mayUseMatrixUnits(id) })
      underWay.delete(id)
      if (found.engines.length > 0) gpus[id] = found
      parts.onFound()
    }
  }
  const look = (): { ready: Promise<void>; settled: Promise<void> } => {
    if (looking === null) {
      const drivers = parts.driversReady()
      const ready = lookAtProcessor()
      looking = { ready, settled: ready.then(() => Promise.all([lookAtGpus(), drivers])).then(() => undefined) }
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
    lookAtGpus,
    dropMatrixUnits: (id) => {
      const found = gpus[id]
      if (found) gpus[id] = { ...found, matrixUnits: false }
    },
  }
}
