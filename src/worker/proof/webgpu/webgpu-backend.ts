/** The webgpu backend: whole forward passes on a graphics adapter; the processor makes inputs and digests. */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { hexToBytes } from '#shared/domain/bytes'
import { TIERS, type Tier, type TierName } from '#shared/domain/tiers'
import type { ProofContext } from '#shared/ipc/worker'
import type { ProofBackend } from '../backend'
import { searchBatch } from '../batch-search'
import { createEpochCache } from '../epoch-cache'
import { fillInput, outputDigest } from '../nonce'
import { createQueuedBackend } from '../queued-backend'
import type { OpenAdapter } from './adapter'
import { uploadWeights } from './epoch'
import { createProgram, type Program } from './program'

/** A batch that takes longer is considered hung: the slowest adapter needs seconds for a nonce of the largest tier. */
const MOST_BATCH_MILLISECONDS = 60_000
const PROBE_HEADER = new Uint8Array(32)

interface Ready {
  adapter: OpenAdapter
  program: Program
  weights: GPUBuffer[]
}

/** `open` is called at the first use, and throws a Failure where there is no adapter. */
export function createWebgpuBackend(open: () => Promise<OpenAdapter>): ProofBackend {
  let adapter: Promise<OpenAdapter> | null = null
  const programs = new Map<TierName, Promise<Program>>()
  const batches = new Map<TierName, number>()

  /** Opens the adapter once, and again after a loss or a refusal: the person may ask for another try. */
  const openOnce = async (): Promise<OpenAdapter> => {
    const before = adapter
    const known = before === null ? null : await before.catch(() => null)
    if (known !== null && known.lost === null) return known
    // Another call has opened the adapter meanwhile.
    if (adapter !== null && adapter !== before) return adapter
    programs.clear()
    epochs.clear()
    adapter = open()
    return adapter
  }

  const prepare = async ({ tier: name, epochSeed }: ProofContext): Promise<Ready> => {
    const opened = await openOnce()
    const tier = TIERS[name]
    return guarded(opened, async () => {
      const known = programs.get(name) ?? createProgram(opened, tier)
      programs.set(name, known)
      const ready = {
        adapter: opened,
        program: await known,
        weights: await uploadWeights(opened.device, tier, hexToBytes(epochSeed)),
      }
      if (!batches.has(name)) {
        const { mostNonces } = ready.program
        batches.set(name, await searchBatch(mostNonces, (nonces) => runBatch(ready, tier, PROBE_HEADER, 0n, nonces)))
      }
      return ready
    })
  }

  const epochs = createEpochCache<Ready>({
    prepare,
    release: ({ weights }) => weights.forEach((buffer) => buffer.destroy()),
  })

  return createQueuedBackend(epochs, batches, (ready, tier, ...batch) => runBatch(ready, TIERS[tier], ...batch))
}

async function runBatch(
  { adapter, program, weights }: Ready,
  tier: Tier,
  header: Uint8Array,
  firstNonce: bigint,
  count: number,
): Promise<string[]> {
  const nonceBytes = tier.tokens * tier.width
  const inputs = new Uint8Array(count * nonceBytes)
  for (let index = 0; index < count; index++) {
    fillInput(inputs.subarray(index * nonceBytes, (index + 1) * nonceBytes), header, firstNonce + BigInt(index))
  }
  return guarded(adapter, async () => {
    const { device } = adapter
    const outputs = device.createBuffer({
      size: inputs.length,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    })
    try {
      program.submit(weights, inputs, count, outputs)
      await outputs.mapAsync(GPUMapMode.READ)
      const values = new Int8Array(outputs.getMappedRange())
      return Array.from({ length: count }, (_, index) =>
        outputDigest(header, firstNonce + BigInt(index), values.subarray(index * nonceBytes, (index + 1) * nonceBytes)),
      )
    } finally {
      outputs.destroy()
    }
  })
}

/** Runs work on an adapter. Throws a Failure where the adapter was lost, refuses or hangs. */
async function guarded<T>(adapter: OpenAdapter, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let forgetLoss = (): void => undefined
  const stopped = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(gone(message('adapter-silent', { adapter: adapter.name, seconds: MOST_BATCH_MILLISECONDS / 1000 })))
      // The next use opens the adapter anew.
      adapter.device.destroy()
    }, MOST_BATCH_MILLISECONDS)
    forgetLoss = adapter.onLost((reason) => reject(lost(adapter, reason)))
  })
  try {
    if (adapter.lost !== null) throw lost(adapter, adapter.lost)
    return await Promise.race([work(), stopped])
  } catch (error) {
    if (adapter.lost !== null) throw lost(adapter, adapter.lost)
    throw error instanceof Failure
      ? error
      : new Failure(
          'device-unavailable',
          message('adapter-refused-work', { adapter: adapter.name, words: String(error) }),
        )
  } finally {
    clearTimeout(timer)
    forgetLoss()
  }
}

/** The Failure for an adapter that was lost, or was reset by its driver. */
function lost(adapter: OpenAdapter, reason: string): Failure {
  return gone(message('adapter-lost', { adapter: adapter.name, words: reason }))
}

/** The Failure for an adapter that the next use must open anew. */
function gone(words: Message): Failure {
  return new Failure('driver-fault', words)
}
