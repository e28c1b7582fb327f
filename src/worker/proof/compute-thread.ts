/** A compute thread: expands layers and computes batches of nonces, one task after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '#shared/domain/errors'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { createThreadBackend } from './create-thread-backend'
import type { ThreadBackend, ThreadBackendName } from './thread-backend'
import type { ThreadAnswer, ThreadRequest, ThreadResults, ThreadStart } from './compute-thread-protocol'

/** What a compute thread keeps between tasks. */
interface ThreadState {
  /** A backend holds buffers of its tier but no weights, so one for each name and tier is kept for the thread's life. */
  backends: Map<string, Promise<ThreadBackend>>
  weights: Map<number, SharedArrayBuffer>
  /** the number of cancellations so far */
  cancels: Int32Array
}

/** Serves the thread that started this one. To be called once, in a thread of the worker program. */
export function serveComputeThread(): void {
  const port = parentPort
  if (!port) throw new Error('the worker program starts compute threads, not a person')
  const state: ThreadState = {
    backends: new Map(),
    weights: new Map(),
    cancels: new Int32Array((workerData as ThreadStart).cancels),
  }
  let previous: Promise<void> = Promise.resolve()
  port.on('message', (request: ThreadRequest) => {
    previous = previous.then(async () => {
      const answer = await answerTo(state, request)
      port.postMessage(answer)
    })
  })
}

async function answerTo(state: ThreadState, request: ThreadRequest): Promise<ThreadAnswer> {
  try {
    return { id: request.id, result: await runTask(state, request) }
  } catch (error) {
    if (error instanceof Failure && error.code === 'cancelled') return { id: request.id, cancelled: true }
    return { id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

async function runTask(state: ThreadState, request: ThreadRequest): Promise<ThreadResults[keyof ThreadResults]> {
  const { task, weightsId, memory } = request
  if (memory) state.weights.set(weightsId, memory)
  const weights = state.weights.get(weightsId)
  if (!weights) throw new Error(`weights ${weightsId} never came`)
  const backend = await backendFor(state, task.backend, task.tier)
  if (task.kind === 'expand') {
    backend.expandLayer(weights, task.epochSeed, task.layer)
    return null
  }
  const isCancelled = (): boolean => Atomics.load(state.cancels, 0) !== request.cancels
  return backend.digests(weights, task.header, task.firstNonce, task.count, isCancelled)
}

function backendFor({ backends }: ThreadState, name: ThreadBackendName, tier: TierName): Promise<ThreadBackend> {
  const key = `${name} ${tier}`
  const known = backends.get(key)
  if (known) return known
  const created = createThreadBackend(name, TIERS[tier])
  backends.set(key, created)
  return created
}
