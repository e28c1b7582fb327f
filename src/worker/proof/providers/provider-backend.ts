/**
 * The backends onnx-cuda, onnx-directml, onnx-coreml and onnx-webgpu: a provider of onnxruntime computes whole forward
 * passes; the processor makes inputs and digests.
 */
import type { InferenceSession } from 'onnxruntime-node'
import { hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { TIERS, type Tier, type TierName } from '#shared/domain/tiers'
import type { GpuAdapter, ProofContext } from '#shared/ipc/worker'
import type { ProofBackend } from '../backend'
import { searchBatch } from '../batch-search'
import { createEpochCache } from '../epoch-cache'
import { fillInput, outputDigest } from '../nonce'
import { createQueuedBackend } from '../queued-backend'
import { expandMatrix, matrixNames, matrixShape } from '../weights'
import { forwardPassGraph, weightOffset } from './graph'
import { openSession, productArithmetic, unavailable, type ProviderBackendName } from './provider'

/** A batch that takes longer is considered hung: even software drivers need only seconds for a nonce of the largest tier. */
const MOST_BATCH_MILLISECONDS = 60_000
/** 64 nonces of the largest tier are 4,096 rows: activations of about 200 MB as float32. */
const MOST_NONCES = 64
const PROBE_HEADER = new Uint8Array(32)

interface Ready {
  session: InferenceSession
  tier: Tier
}

/** `gpu`: the adapter of the device; absent: the only one. Nothing is loaded before the first use. */
export function createProviderBackend(backend: ProviderBackendName, gpu: GpuAdapter | undefined): ProofBackend {
  const batches = new Map<TierName, number>()

  const prepare = async ({ tier: name, epochSeed }: ProofContext): Promise<Ready> => {
    const tier = TIERS[name]
    const graph = forwardPassGraph(tier, productArithmetic(backend))
    const session = await openSession(backend, gpu, graph, expandEpoch(tier, hexToBytes(epochSeed)))
    const ready = { session, tier }
    if (!batches.has(name)) {
      const found = await searchBatch(MOST_NONCES, (nonces) => runBatch(backend, ready, PROBE_HEADER, 0n, nonces))
      batches.set(name, found)
    }
    return ready
  }
  const epochs = createEpochCache<Ready>({ prepare, release: ({ session }) => void session.release() })

  return createQueuedBackend(epochs, batches, (ready, _tier, ...batch) => runBatch(backend, ready, ...batch))
}

/** The weights of the epoch, each matrix at the offset that the graph expects. */
export function expandEpoch(tier: Tier, epochSeed: Uint8Array): Uint8Array {
  const weights = new Uint8Array(tier.weightBytes)
  for (let layer = 0; layer < tier.layers; layer++) {
    for (const name of matrixNames) {
      const [rows, columns] = matrixShape(tier, name)
      const offset = weightOffset(tier, layer, name)
      expandMatrix(weights.subarray(offset, offset + rows * columns), epochSeed, layer, name)
    }
  }
  return weights
}

async function runBatch(
  backend: ProviderBackendName,
  { session, tier }: Ready,
  header: Uint8Array,
  firstNonce: bigint,
  count: number,
): Promise<string[]> {
  const { Tensor } = await import('onnxruntime-node')
  const operands = tier.tokens * tier.width
  const inputs = new Float32Array(count * operands)
  const bytes = new Uint8Array(operands)
  for (let index = 0; index < count; index++) {
    inputs.set(fillInput(bytes, header, firstNonce + BigInt(index)), index * operands)
  }
  const X = new Tensor('float32', inputs, [count * tier.tokens, tier.width])
  const { Y } = await answered(backend, session.run({ X }))
  const values = Y?.data
  if (!(values instanceof Float32Array) || values.length !== inputs.length) {
    throw unavailable(message('provider-wrong-rows', { backend }))
  }
  return Array.from({ length: count }, (_, index) =>
    outputDigest(
      header,
      firstNonce + BigInt(index),
      Int8Array.from(values.subarray(index * operands, (index + 1) * operands)),
    ),
  )
}

/** The result of `run`. Throws Failure `device-unavailable` where the provider stops, `driver-fault` where it hangs. */
export async function answered<T>(backend: ProviderBackendName, run: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Failure('driver-fault', message('provider-silent', { backend, seconds: MOST_BATCH_MILLISECONDS / 1000 })),
        ),
      MOST_BATCH_MILLISECONDS,
    )
  })
  try {
    return await Promise.race([run, late])
  } catch (error) {
    throw error instanceof Failure ? error : unavailable(message('provider-stopped', { backend, words: String(error) }))
  } finally {
    clearTimeout(timer)
  }
}
