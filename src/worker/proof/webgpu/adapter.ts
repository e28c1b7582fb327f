/** Opens a graphics adapter with Dawn. The package is loaded when the first adapter is opened. */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { GpuAdapter } from '#shared/ipc/worker'
import { wrongUnit } from './matrix-emulation'
import { fittingShape, subgroupMatrices, type ListedMatrix, type MatrixUnit } from './matrix-kernel'
import { listedName, SOFTWARE_NAMES } from './names'

export interface OpenAdapter {
  device: GPUDevice
  /** as the driver names it */
  name: string
  /** the adapter is software on the processor, such as SwiftShader or llvmpipe */
  software: boolean
  /** WGSL has dot4I8Packed here */
  packed: boolean
  /** the matrix unit that computes products; null: the vector units */
  matrixUnit: MatrixUnit | null
  /** null while the adapter works; otherwise the reason of its loss, as part of a sentence */
  readonly lost: string | null
  /** Returns a function that removes the listener. */
  onLost(listener: (reason: string) => void): () => void
}

const LANGUAGE_FEATURE = 'packed_4x8_integer_dot_product'
/** For tests on computers without a graphics processor: a software adapter counts as one. */
const SOFTWARE_ALLOWED = 'LODE_SOFTWARE_GPU'
/** For tests: the software adapter has matrix units that compute wrongly. */
const WRONG_UNITS = 'LODE_WRONG_MATRIX_UNITS'
const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix'
/** Dawn offers experimental features only with this toggle. */
const EXPERIMENTAL = 'enable-dawn-features=allow_unsafe_apis'

/**
 * `wanted`: the adapter by its name, which WebGPU may spell otherwise; empty: the only one; absent: the fastest, also one in
 * software. Throws Failure `device-unavailable`, also where matrix units are wanted and not offered.
 */
export async function openAdapter(wanted?: GpuAdapter): Promise<OpenAdapter> {
  const { gpu, adapter } = await findAdapter(wanted)
  const name = adapterName(adapter.info)
  const software = adapter.info.isFallbackAdapter || SOFTWARE_NAMES.test(name)
  if (wanted && software && process.env[SOFTWARE_ALLOWED] !== '1') {
    throw unavailable(message('adapter-is-software', { adapter: name }))
  }
  const { limits } = adapter
  const matrixUnit = wanted?.matrixUnits === true ? findMatrixUnit(adapter) : null
  if (wanted?.matrixUnits === true && matrixUnit === null) {
    throw unavailable(message('adapter-no-matrix-units', { adapter: name }))
  }
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: (matrixUnit?.features ?? []) as GPUFeatureName[],
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      },
    })
    let lost: string | null = null
    const listeners = new Set<(reason: string) => void>()
    void device.lost.then(({ message }) => {
      lost = message === '' ? 'the driver gave no reason' : message
      for (const listener of listeners) listener(lost)
    })
    return {
      device,
      name,
      software,
      matrixUnit,
      packed: gpu.wgslLanguageFeatures.has(LANGUAGE_FEATURE),
      get lost() {
        return lost
      },
      onLost: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
  } catch (error) {
    throw unavailable(message('adapter-not-opened', { adapter: name, words: reasonOf(error) }))
  }
}

/** Instances live as long as the process: their adapters and devices do not keep them alive. */
const instances = new Map<string, Promise<GPU>>()

function dawn(options: readonly string[]): Promise<GPU> {
  const key = options.join()
  const known = instances.get(key)
  if (known) return known
  const made = import('webgpu').then(({ create, globals }) => {
    Object.assign(globalThis, globals)
    return create([...options])
  })
  instances.set(key, made)
  return made
}

async function findAdapter(wanted?: GpuAdapter): Promise<{ gpu: GPU; adapter: GPUAdapter }> {
  const byName = wanted === undefined || wanted.name === '' ? null : await nameInList(wanted)
  let adapter: GPUAdapter | null
  let gpu: GPU
  try {
    gpu = await dawn([
      ...(byName === null ? [] : [`adapter=${byName.name}`]),
      ...(wanted?.matrixUnits === true ? [EXPERIMENTAL] : []),
    ])
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  } catch (error) {
    throw unavailable(message('webgpu-not-loaded', { words: reasonOf(error) }))
  }
  if (!adapter) throw unavailable(message('webgpu-no-adapter'))
  // Dawn takes the first adapter whose name contains the wanted one: for "A" that may be "A Ti".
  if (byName?.isPartOfAnother === true && adapter.info.device !== normalized(byName.name)) {
    throw unavailable(message('webgpu-other-adapter', { adapter: byName.name }))
  }
  return { gpu, adapter }
}

/** The adapter's name as WebGPU spells it. */
async function nameInList(wanted: GpuAdapter): Promise<{ name: string; isPartOfAnother: boolean }> {
  const listed = await adapterNames()
  const name = listedName(listed, { name: wanted.name, vendor: wanted.vendor ?? '' }, wanted.others ?? [])
  if (name === null) {
    if (listed.length === 0) throw unavailable(message('webgpu-no-adapter'))
    const names = listed.map((one) => `"${one}"`).join(', ')
    throw unavailable(message('webgpu-adapter-unclear', { adapter: wanted.name, names }))
  }
  return { name, isPartOfAnother: listed.some((other) => other !== name && other.includes(name)) }
}

/** The names of all adapters. Dawn lists them only in its error for a name that it does not know. */
async function adapterNames(): Promise<string[]> {
  try {
    const gpu = await dawn(['adapter=(none of this name)'])
    await gpu.requestAdapter()
    return []
  } catch (error) {
    return [...reasonOf(error).matchAll(/name: '(.*)'$/gm)].map(([, name]) => name ?? '')
  }
}

function findMatrixUnit({ features, info }: GPUAdapter): MatrixUnit | null {
  if (process.env[SOFTWARE_ALLOWED] === '1' && process.env[WRONG_UNITS] === '1') return wrongUnit()
  if (!features.has(MATRIX_FEATURE) || !features.has('subgroups')) return null
  const { subgroupMatrixConfigs = [], subgroupMaxSize } = info as GPUAdapterInfo & {
    subgroupMatrixConfigs?: Iterable<ListedMatrix>
  }
  const shape = fittingShape([...subgroupMatrixConfigs], subgroupMaxSize)
  return (
    shape && {
      shape,
      subgroupSize: subgroupMaxSize,
      features: ['subgroups', MATRIX_FEATURE],
      code: subgroupMatrices(shape),
    }
  )
}

/** A name in the form that WebGPU shows to pages. */
function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

function adapterName({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [device || description, description, architecture, vendor].filter((part) => part !== '')
  return [...new Set(parts)].join(', ')
}

function unavailable(words: Message): Failure {
  return new Failure('device-unavailable', words)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
