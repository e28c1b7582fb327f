/** Descriptions of the devices that the sensors found: with their backends, or with the reason why they cannot mine. */
import { backendNames, type BackendName } from '#shared/domain/backend'
import type { DeviceKind } from '#shared/contract/devices'
import type { GpuAdapter } from '#shared/ipc/worker'
import type { SensorInventory } from '#shared/ipc/sensors'
import { message, type Message } from '#shared/domain/messages'
import { cleanProcessorName } from '../power'

export interface DeviceSettings {
  enabled?: boolean | undefined
  /** null or absent: the default for this computer */
  threads?: number | null | undefined
}

/** Everything about a device that does not change while it runs. Its fields are those of the contract's device. */
export interface DeviceDescriptor {
  /** the same after every start: cpu0, and gpu0 … in the order of PCI addresses */
  id: string
  kind: DeviceKind
  name: string
  vendor: string
  /** the backends that can drive it, the best first; none: it cannot mine */
  backends: string[]
  /** what the backends for graphics processors open; GPUs only */
  adapter?: GpuAdapter
  /** the computer's for a CPU or a GPU that shares it; 0 where the system does not say */
  memoryBytes: number
  canMine: boolean
  /** why it cannot mine */
  reason?: Message
  /** it computed wrongly, crashed or hung, and does not mine until the person retries */
  quarantined?: true
  /** by the person's choice; off for what cannot mine */
  enabled: boolean
  cores?: number
  logicalCores?: number
  instructionSets: string[]
  driver?: string
  threads: { inUse: number; maximum: number; default: number } | null
}

/** What works on a graphics processor. */
export interface GpuFinding {
  /** the backends that gave the right digests on it, the fastest first */
  backends: readonly BackendName[]
  /** whether webgpu gave the right digests on the matrix units too, and faster than on the vector units */
  matrixUnits: boolean
}

/** From this number of cores on, one core is left to the person. */
const CORES_TO_SHARE = 4

const NO_GPU_BACKEND = message('device-no-backend')
/** The units of a device that a backend uses: shown beside the work per joule, which depends on them. */
const BACKEND_USES: Readonly<Record<BackendName, string>> = {
  native: "int8 vector instructions, by Lode's own kernels",
  'onnx-cpu': 'int8 vector instructions, by onnxruntime',
  reference: 'plain arithmetic, for checking others',
  webgpu: 'int8 vector units; tensor cores need a vendor driver',
  'onnx-cuda': 'int8 tensor cores',
  'onnx-directml': 'the int8 units that its DirectX driver offers',
  'onnx-coreml': 'float32 units; the Neural Backend needs a vendor driver',
  'onnx-webgpu': 'float32 vector units; int8 units and tensor cores need another backend',
}
const TWIN = message('device-twin')
const MATRIX_UNITS = 'int8 matrix units'
const VIRTUAL_ADAPTER =
  /basic (display|render)|remote display|vmware|svga|virtualbox|\bqxl\b|cirrus|bochs|virtio|hyper-v|parallels|citrix|\bparsec\b|\bspacedesk\b|virtual|llvmpipe|swiftshader/i
const SERVER_DISPLAY_CHIP = /aspeed|\bast\d{4}\b|matrox.*g200|mgag200/i

/**
 * cpu0 first, then the GPUs. `settings` are the person's, by device id; `cpuBackends` drive the processor, the best first;
 * `gpuBackends` a GPU, by its id.
 */
export function describeDevices(
  inventory: SensorInventory,
  settings: Readonly<Record<string, DeviceSettings>>,
  cpuBackends: readonly BackendName[],
  gpuBackends: Readonly<Record<string, GpuFinding>> = {},
): DeviceDescriptor[] {
  const { cpu, memoryBytes, gpus } = inventory
  const maximum = cpu.logicalCores
  const byDefault = defaultThreads(cpu.physicalCores)
  const chosen = settings['cpu0']?.threads ?? byDefault
  const cpu0: DeviceDescriptor = {
    id: 'cpu0',
    kind: 'cpu',
    name: cleanProcessorName(cpu.name),
    vendor: cpu.vendor,
    backends: [...cpuBackends],
    memoryBytes,
    canMine: true,
    enabled: settings['cpu0']?.enabled ?? true,
    cores: cpu.physicalCores,
    logicalCores: cpu.logicalCores,
    instructionSets: cpu.instructionSets,
    threads: { inUse: Math.min(maximum, Math.max(1, chosen)), maximum, default: byDefault },
  }
  return [
    cpu0,
    ...gpus.map((gpu): DeviceDescriptor => {
      const { backends, matrixUnits } = gpuBackends[gpu.id] ?? { backends: [], matrixUnits: false }
      const canMine = backends.length > 0
      const adapter = adapterOf(gpu.id, inventory)
      return {
        id: gpu.id,
        kind: 'gpu',
        name: gpu.name,
        vendor: gpu.vendor,
        backends: [...backends],
        adapter: matrixUnits ? { ...adapter, matrixUnits } : adapter,
        memoryBytes: gpu.memoryBytes ?? (gpu.shared ? memoryBytes : 0),
        canMine,
        ...(canMine ? {} : { reason: adapter.twin === 'later' ? TWIN : gpuReason(`${gpu.vendor} ${gpu.name}`) }),
        enabled: canMine && (settings[gpu.id]?.enabled ?? true),
        instructionSets: [],
        ...(gpu.driver ? { driver: gpu.driver } : {}),
        threads: null,
      }
    }),
  ]
}

/** What a backend uses of a device, in words; null: only the device's driver knows. */
export function backendUses({ kind, adapter }: DeviceDescriptor, backend: string): string | null {
  if (backend === 'webgpu' && adapter?.matrixUnits === true) return MATRIX_UNITS
  const known = backendNames.find((name) => name === backend)
  if (known === undefined || (known === 'native' && kind !== 'cpu')) return null
  return BACKEND_USES[known]
}

/**
 * Physical cores, since a second thread on a core shares its multipliers; of four or more one is left to the person, so
 * that the computer stays usable.
 */
export function defaultThreads(physicalCores: number): number {
  return physicalCores >= CORES_TO_SHARE ? physicalCores - 1 : Math.max(1, physicalCores)
}

/** GPUs that may compute: neither a virtual adapter nor a server's display chip. */
export function computingGpus(inventory: SensorInventory): { id: string; vendor: string; adapter: GpuAdapter }[] {
  return inventory.gpus
    .filter(({ vendor, name }) => gpuReason(`${vendor} ${name}`) === NO_GPU_BACKEND)
    .map(({ id, vendor }) => ({ id, vendor, adapter: adapterOf(id, inventory) }))
}

/** A single adapter gets no name: sensors and graphics drivers may spell names differently. */
function adapterOf(id: string, { gpus }: SensorInventory): GpuAdapter {
  const real = gpus.filter(({ vendor, name }) => gpuReason(`${vendor} ${name}`) === NO_GPU_BACKEND)
  const found = real.find((gpu) => gpu.id === id)
  if (real.length < 2 || !found) return { name: '' }
  const index = real.filter(({ vendor }) => vendor === found.vendor).indexOf(found)
  const twins = real.filter(({ name }) => name === found.name)
  return {
    name: found.name,
    vendor: found.vendor,
    index,
    others: real.filter((gpu) => gpu !== found).map(({ name, vendor }) => ({ name, vendor })),
    ...(twins.length < 2 ? {} : { twin: twins[0] === found ? 'first' : 'later' }),
  }
}

function gpuReason(name: string): Message {
  if (SERVER_DISPLAY_CHIP.test(name)) return message('device-server-display')
  if (VIRTUAL_ADAPTER.test(name)) return message('device-virtual-display')
  return NO_GPU_BACKEND
}
