/** The providers of onnxruntime that compute on other devices than the processor, by the name of our backend. */
import type { InferenceSession } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { gpuProviderBackends } from '#shared/domain/backend'
import type { GpuAdapter } from '#shared/ipc/worker'
import { WEIGHTS_FILE, type ProductArithmetic } from './graph'

export type ProviderBackendName = (typeof gpuProviderBackends)[number]

interface Provider {
  /** onnxruntime's name */
  /** as onnxruntime calls it */
  provider: string
  /** the name in a sentence */
  sentenceName: string
  arithmetic: ProductArithmetic
  options(gpu: GpuAdapter | undefined): InferenceSession.ExecutionProviderConfig
}

/** CoreML's flags: an ML program in float32 (the Neural Backend has float16 only), on the processor and the graphics processor. */
const COREML_CPU_AND_GPU = 0x20
const COREML_ML_PROGRAM = 0x10

const PROVIDERS: Readonly<Record<ProviderBackendName, Provider>> = {
  'onnx-cuda': {
    provider: 'cuda',
    sentenceName: "onnxruntime's CUDA provider",
    arithmetic: 'int8',
    options: (gpu) => ({ name: 'cuda', deviceId: gpu?.index ?? 0 }),
  },
  'onnx-directml': {
    provider: 'dml',
    sentenceName: "onnxruntime's DirectML provider",
    arithmetic: 'int8',
    options: () => ({ name: 'dml' }),
  },
  'onnx-coreml': {
    provider: 'coreml',
    sentenceName: "onnxruntime's CoreML provider",
    arithmetic: 'float32',
    options: () => ({ name: 'coreml', coreMlFlags: COREML_CPU_AND_GPU | COREML_ML_PROGRAM }),
  },
  // This provider has no integer products.
  'onnx-webgpu': {
    provider: 'webgpu',
    sentenceName: "onnxruntime's WebGPU provider",
    arithmetic: 'float32',
    options: () => ({ name: 'webgpu' }),
  },
}

export function productArithmetic(backend: ProviderBackendName): ProductArithmetic {
  return PROVIDERS[backend].arithmetic
}

/**
 * A session of `graph` on the provider, with the weights as its external data. No node may fall back to the processor, so
 * that the device computes everything. Throws Failure `device-unavailable`.
 */
export async function openSession(
  backend: ProviderBackendName,
  gpu: GpuAdapter | undefined,
  graph: Uint8Array,
  weights: Uint8Array,
): Promise<InferenceSession> {
  const { provider, sentenceName, options } = PROVIDERS[backend]
  // Makes CUDA number the devices as the sensors do: by PCI address.
  if (backend === 'onnx-cuda') process.env['CUDA_DEVICE_ORDER'] ??= 'PCI_BUS_ID'
  if (backend === 'onnx-webgpu' && gpu) await refuseSoftware(gpu)
  const { InferenceSession, env, listSupportedBackends } = await import('onnxruntime-node')
  // Missing libraries of a provider are no error for the log: the Failure gives the reason.
  env.logLevel = 'fatal'
  if (!listSupportedBackends().some(({ name }) => name === provider)) {
    throw unavailable(message('provider-other-system', { provider: sentenceName }))
  }
  try {
    return await InferenceSession.create(graph, {
      executionProviders: [options(gpu)],
      externalData: [{ path: WEIGHTS_FILE, data: weights }],
      executionMode: 'sequential',
      // DirectML refuses planned memory.
      enableMemPattern: backend !== 'onnx-directml',
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    })
  } catch (error) {
    throw unavailable(
      message('provider-refuses', {
        provider: sentenceName,
        words: error instanceof Error ? error.message : String(error),
      }),
    )
  }
}

/** The provider takes the fastest adapter, as openAdapter does, but does not say whether that is software. */
async function refuseSoftware(gpu: GpuAdapter): Promise<void> {
  const { openAdapter } = await import('../webgpu/adapter')
  const { device } = await openAdapter(gpu)
  device.destroy()
}

export function unavailable(words: Message): Failure {
  return new Failure('device-unavailable', words)
}
