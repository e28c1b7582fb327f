/** A lane: one thread that expands layers and computes batches of nonces, one task after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '#shared/domain/errors'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { createLaneEngine, type LaneEngine, type LaneEngineName } from './engine'
import type { LaneAnswer, LaneRequest, LaneResults, LaneStart } from './lane-protocol'

/** What a lane keeps between tasks. */
interface LaneState {
  /** An engine holds buffers of its tier but no weights, so one of each kind is kept for the thread's life. */
  engines: Map<string, Promise<LaneEngine>>
  weights: Map<number, SharedArrayBuffer>
  /** how often work was cancelled */
  cancels: Int32Array
}

/** Serves the thread that started this one. To be called once, in a thread of the worker program. */
export function serveLane(): void {
  const port = parentPort
  if (!port) throw new Error('a lane is started by the worker program, not by hand')
  const state: LaneState = {
    engines: new Map(),
    weights: new Map(),
    cancels: new Int32Array((workerData as LaneStart).cancels),
  }
  let previous: Promise<void> = Promise.resolve()
  port.on('message', (request: LaneRequest) => {
    previous = previous.then(async () => {
      const answer = await answerTo(state, request)
      port.postMessage(answer)
    })
  })
}

async function answerTo(state: LaneState, request: LaneRequest): Promise<LaneAnswer> {
  try {
    return { id: request.id, result: await runTask(state, request) }
  } catch (error) {
    if (error instanceof Failure && error.code === 'cancelled') return { id: request.id, cancelled: true }
    return { id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

async function runTask(state: LaneState, request: LaneRequest): Promise<LaneResults[keyof LaneResults]> {
  const { task, weightsId, memory } = request
  if (memory) state.weights.set(weightsId, memory)
  const weights = state.weights.get(weightsId)
  if (!weights) throw new Error(`weights ${weightsId} never came`)
  const engine = await engineFor(state, task.engine, task.tier)
  if (task.kind === 'expand') {
    engine.expandLayer(weights, task.epochSeed, task.layer)
    return null
  }
  const isCancelled = (): boolean => Atomics.load(state.cancels, 0) !== request.cancels
  return engine.digests(weights, task.header, task.firstNonce, task.count, isCancelled)
}

function engineFor({ engines }: LaneState, name: LaneEngineName, tier: TierName): Promise<LaneEngine> {
  const key = `${name} ${tier}`
  const known = engines.get(key)
  if (known) return known
  const created = createLaneEngine(name, TIERS[tier])
  engines.set(key, created)
  return created
}
