/** Opens a graphics adapter with Dawn. The package is loaded when an adapter is first asked for. */
import { Failure } from '#shared/domain/errors'
import type { GpuAdapter } from '#shared/domain/worker-protocol'
import { wrongUnit } from './matrix-emulation'
import { fittingShape, subgroupMatrices, type ListedMatrix, type MatrixUnit } from './matrix-kernel'

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
const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i
/** For tests on computers without a graphics processor: a software adapter counts as one. */
const SOFTWARE_ALLOWED = 'LODE_SOFTWARE_GPU'
/** For tests: it has matrix units, and they compute wrongly. */
const WRONG_UNITS = 'LODE_WRONG_MATRIX_UNITS'
const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix'
/** Without it Dawn offers no experimental feature. */
const EXPERIMENTAL = 'enable-dawn-features=allow_unsafe_apis'
const HELP = 'Update the graphics driver, or use another engine.'

/**
 * `wanted`: the adapter by a part of its name; empty: the only one; absent: the fastest, also one in
 * software. Throws Failure `device-unavailable`, also where matrix units are wanted and not offered.
 */
export async function openAdapter(wanted?: GpuAdapter): Promise<OpenAdapter> {
  const adapter = await findAdapter(wanted)
  const name = adapterName(adapter.info)
  const taken = wanted?.others?.find((other) => isCloser(other, wanted.name, adapter.info.device))
  if (taken !== undefined) throw unavailable(`WebGPU finds "${taken}" by the name of ${wanted?.name}`)
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
      packed: (await dawn(wanted)).wgslLanguageFeatures.has(LANGUAGE_FEATURE),
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

function dawn(wanted?: GpuAdapter): Promise<GPU> {
  const options = [
    ...(wanted === undefined || wanted.name === '' ? [] : [`adapter=${wanted.name}`]),
    ...(wanted?.matrixUnits === true ? [EXPERIMENTAL] : []),
  ]
  const key = options.join()
  const known = instances.get(key)
  if (known) return known
  const made = import('webgpu').then(({ create, globals }) => {
    Object.assign(globalThis, globals)
    return create(options)
  })
  instances.set(key, made)
  return made
}

async function findAdapter(wanted?: GpuAdapter): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null
  try {
    const gpu = await dawn(wanted)
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  } catch (error) {
    throw unavailable(`WebGPU cannot be loaded: ${reasonOf(error)}`)
  }
  if (adapter) return adapter
  const which = wanted ? `named "${wanted.name}"` : 'that WebGPU can use'
  throw unavailable(`this computer has no graphics adapter ${which}`)
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

/** WebGPU takes the first adapter whose name contains the one asked for: of "A" and "A Ti" that may be the second. */
function isCloser(other: string, wanted: string, opened: string): boolean {
  return other.length > wanted.length && other.includes(wanted) && opened.includes(normalized(other))
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
