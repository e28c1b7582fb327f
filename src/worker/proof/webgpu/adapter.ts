/** Opens a graphics adapter with Dawn. The package is loaded when an adapter is first asked for. */
import { Failure } from '#shared/domain/errors'
import type { GpuAdapter } from '#shared/ipc/worker'
import { wrongUnit } from './matrix-emulation'
import { fittingShape, subgroupMatrices, type ListedMatrix, type MatrixUnit } from './matrix-kernel'
import { listedName, SOFTWARE_NAMES } from './names'

export interface OpenAdapter {
  device: GPUDevice
  /** as the driver names it */
  name: string
  /** computed by the processor, such as SwiftShader or llvmpipe */
  software: boolean
  /** the language has dot4I8Packed */
  packed: boolean
  /** what products are computed on; null: the vector units */
  matrixUnit: MatrixUnit | null
  /** null while it works; in a sentence's words what became of it */
  readonly lost: string | null
  /** Returns what takes the listener away again. */
  onLost(listener: (reason: string) => void): () => void
}

const LANGUAGE_FEATURE = 'packed_4x8_integer_dot_product'
/** For tests on computers without a graphics processor: a software adapter counts as one. */
const SOFTWARE_ALLOWED = 'LODE_SOFTWARE_GPU'
/** For tests: it has matrix units, and they compute wrongly. */
const WRONG_UNITS = 'LODE_WRONG_MATRIX_UNITS'
const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix'
/** Without it Dawn offers no experimental feature. */
const EXPERIMENTAL = 'enable-dawn-features=allow_unsafe_apis'
const NO_ADAPTER = 'this computer has no graphics adapter that WebGPU can use'
const HELP = 'Update the graphics driver, or use another engine.'

/**
 * `wanted`: the adapter by its name, which WebGPU may spell otherwise; empty: the only one; absent: the fastest, also one in
 * software. Throws Failure `device-unavailable`, also where matrix units are wanted and not offered.
 */
export async function openAdapter(wanted?: GpuAdapter): Promise<OpenAdapter> {
  const { gpu, adapter } = await findAdapter(wanted)
  const name = adapterName(adapter.info)
  const software = adapter.info.isFallbackAdapter || SOFTWARE_NAMES.test(name)
  if (wanted && software && process.env[SOFTWARE_ALLOWED] !== '1') {
    throw unavailable(`${name} is software that computes on the processor`)
  }
  const { limits } = adapter
  const matrixUnit = wanted?.matrixUnits === true ? findMatrixUnit(adapter) : null
  if (wanted?.matrixUnits === true && matrixUnit === null) {
    throw unavailable(`${name} offers WebGPU no matrix units for int8`)
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
    throw unavailable(`the graphics adapter ${name} cannot be opened: ${reasonOf(error)}`)
  }
}

/** Kept for as long as the process lives: what they made does not keep them. */
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
    throw unavailable(`WebGPU cannot be loaded: ${reasonOf(error)}`)
  }
  if (!adapter) throw unavailable(NO_ADAPTER)
  // It takes the first whose name contains the one asked for: that of "A" may be "A Ti".
  if (byName?.isPartOfAnother === true && adapter.info.device !== normalized(byName.name)) {
    throw unavailable(`WebGPU finds another graphics adapter by the name "${byName.name}"`)
  }
  return { gpu, adapter }
}

/** How WebGPU spells its name. */
async function nameInList(wanted: GpuAdapter): Promise<{ name: string; isPartOfAnother: boolean }> {
  const listed = await adapterNames()
  const name = listedName(listed, { name: wanted.name, vendor: wanted.vendor ?? '' }, wanted.others ?? [])
  if (name === null) {
    if (listed.length === 0) throw unavailable(NO_ADAPTER)
    const names = listed.map((one) => `"${one}"`).join(', ')
    throw unavailable(`which of WebGPU's graphics adapters is ${wanted.name} is not known; they are ${names}`)
  }
  return { name, isPartOfAnother: listed.some((other) => other !== name && other.includes(name)) }
}

/** Dawn says them to who asks for one that it has not: nothing else lists them. */
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
      words: subgroupMatrices(shape),
    }
  )
}

/** As WebGPU gives names to pages. */
function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

function adapterName({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [device || description, description, architecture, vendor].filter((part) => part !== '')
  return [...new Set(parts)].join(', ')
}

function unavailable(sentence: string): Failure {
  return new Failure('device-unavailable', sentence, HELP)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
