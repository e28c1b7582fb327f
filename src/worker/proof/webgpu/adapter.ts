/** Opens a graphics adapter with Dawn. The package is loaded when an adapter is first asked for. */
import { Failure } from '#shared/domain/errors'
import type { GpuAdapter } from '#shared/domain/worker-protocol'

export interface OpenAdapter {
  device: GPUDevice
  /** as the driver names it */
  name: string
  /** computed by the processor, such as SwiftShader or llvmpipe */
  software: boolean
  /** the language has dot4I8Packed */
  packed: boolean
  /** null while it works; in a sentence's words what became of it */
  readonly lost: string | null
  /** Returns what takes the listener away again. */
  onLost(listener: (reason: string) => void): () => void
}

const LANGUAGE_FEATURE = 'packed_4x8_integer_dot_product'
const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i
/** For tests on computers without a graphics processor: a software adapter counts as one. */
const SOFTWARE_ALLOWED = 'LODE_SOFTWARE_GPU'
const HELP = 'Update the graphics driver, or use another engine.'

/**
 * `wanted`: the adapter by a part of its name; empty: the only one; absent: the fastest, also one in
 * software. Throws Failure `device-unavailable`.
 */
export async function openAdapter(wanted?: GpuAdapter): Promise<OpenAdapter> {
  const adapter = await findAdapter(wanted)
  const name = adapterName(adapter.info)
  const software = adapter.info.isFallbackAdapter || SOFTWARE_NAMES.test(name)
  if (wanted && software && process.env[SOFTWARE_ALLOWED] !== '1') {
    throw unavailable(`${name} is software that computes on the processor`)
  }
  const { limits } = adapter
  try {
    const device = await adapter.requestDevice({
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
      packed: (await dawn()).wgslLanguageFeatures.has(LANGUAGE_FEATURE),
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

/** Kept for as long as the process lives: what it made does not keep it. */
let instance: Promise<GPU> | null = null

function dawn(adapter?: string): Promise<GPU> {
  instance ??= import('webgpu').then(({ create, globals }) => {
    Object.assign(globalThis, globals)
    return create(adapter === undefined || adapter === '' ? [] : [`adapter=${adapter}`])
  })
  return instance
}

async function findAdapter(wanted?: GpuAdapter): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null
  try {
    const gpu = await dawn(wanted?.name)
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  } catch (error) {
    throw unavailable(`WebGPU cannot be loaded: ${reasonOf(error)}`)
  }
  if (adapter) return adapter
  const which = wanted ? `named "${wanted.name}"` : 'that WebGPU can use'
  throw unavailable(`this computer has no graphics adapter ${which}`)
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
