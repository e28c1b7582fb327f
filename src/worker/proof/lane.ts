/** A lane: one thread that expands layers and computes batches of nonces, one task after another. */
import { parentPort } from 'node:worker_threads'
import { TIERS, type TierName } from '#shared/domain/tiers'
import { createLaneEngine, type LaneEngine, type LaneEngineName } from './engine'
import type { LaneAnswer, LaneRequest, LaneResults, LaneTask } from './lane-protocol'

/** Serves the thread that started this one. To be called once, in a thread of the worker program. */
export function serveLane(): void {
  const port = parentPort
  if (!port) throw new Error('a lane is started by the worker program, not by hand')
  const engines = new Map<string, Promise<LaneEngine>>()
  let previous: Promise<void> = Promise.resolve()
  port.on('message', (request: LaneRequest) => {
    previous = previous.then(async () => {
      const answer = await answerTo(engines, request)
      port.postMessage(answer)
    })
  })
}

async function answerTo(engines: Map<string, Promise<LaneEngine>>, { id, task }: LaneRequest): Promise<LaneAnswer> {
  try {
    return { id, result: await runTask(await engineFor(engines, task.engine, task.tier), task) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** An engine holds buffers of its tier but no weights, so one of each kind is kept for the thread's life. */
function engineFor(
  engines: Map<string, Promise<LaneEngine>>,
  name: LaneEngineName,
  tier: TierName,
): Promise<LaneEngine> {
  const key = `${name} ${tier}`
  const known = engines.get(key)
  if (known) return known
  const created = createLaneEngine(name, TIERS[tier])
  engines.set(key, created)
  return created
}

async function runTask(engine: LaneEngine, task: LaneTask): Promise<LaneResults[keyof LaneResults]> {
  if (task.kind === 'expand') {
    engine.expandLayer(task.weights, task.epochSeed, task.layer)
    return null
  }
  return engine.digests(task.weights, task.header, task.firstNonce, task.count)
}
