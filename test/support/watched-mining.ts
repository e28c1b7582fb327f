/** A real engine mines, and what it asks of its worker is watched: how much of the worker's time is computing. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TierName } from '#shared/domain/tiers'
import type { WorkerMethods } from '#shared/domain/worker-protocol'
import type { ProcessHost } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import type { Port } from '#process/port'
import { median } from './benchmark-section'
import { startTestEngine } from './engine'
import { root, temporaryFolder } from './lode'

/** Until the first shares have set the difficulty, units are short. */
const SETTLING_MILLISECONDS = 8000
const FIRST_RUN_MILLISECONDS = 60_000

export interface WatchedMining {
  /** of the time by the clock, all threads together: 0 to 1 */
  kernelShare: number
  /** of the time within slices, and what lies between two of them */
  sliceShare: number
  betweenMilliseconds: number
  /** by the clock, between the last nonce of one epoch and the first of the next, beyond what lies between any two runs */
  epochGapMilliseconds: number | null
  runs: number
}

interface Run {
  sentAt: number
  answeredAt: number
  epochSeed: string
  kernelMilliseconds: number
}
type Request = { request: number; method: string; params: WorkerMethods['proof.run']['params'] }
type Answer = { answer: number; result: WorkerMethods['proof.run']['result'] }

/** Mines one tier with the CPU driver for `seconds` after it has settled; epochs last `epochSeconds`. */
export async function watchMining(
  tier: TierName,
  threads: number,
  seconds: number,
  epochSeconds: number,
): Promise<WatchedMining> {
  const runs: Run[] = []
  const host = watchedHost(createNodeProcessHost(join(root, 'out/node')), runs)
  const mining = await startTestEngine(temporaryFolder(), { host, epochSeconds })
  try {
    const { handlers } = mining.engine.api
    await handlers['engine.start']({ tier, threads, engine: 'native', samples: false })
    for (const until = performance.now() + FIRST_RUN_MILLISECONDS; runs.length === 0;) {
      if (performance.now() > until) throw new Error(`nothing was mined: ${mining.complaints.join('; ')}`)
      await sleep(50)
    }
    await sleep(SETTLING_MILLISECONDS)
    const settled = runs.length
    await sleep(seconds * 1000)
    return summary(runs.slice(settled))
  } finally {
    await mining.close()
  }
}

function summary(runs: readonly Run[]): WatchedMining {
  const [first] = runs
  const last = runs.at(-1)
  if (!first || !last || first === last) throw new Error('too little was mined to be measured')
  const gaps = runs.slice(1).map((run, index) => ({
    milliseconds: run.sentAt - (runs[index]?.answeredAt ?? 0),
    isChange: run.epochSeed !== runs[index]?.epochSeed,
  }))
  const ordinary = median(gaps.filter(({ isChange }) => !isChange).map(({ milliseconds }) => milliseconds))
  const changes = gaps.filter(({ isChange }) => isChange).map(({ milliseconds }) => milliseconds)
  const total = (value: (run: Run) => number): number => runs.slice(1).reduce((sum, run) => sum + value(run), 0)
  const computed = total((run) => run.kernelMilliseconds)
  return {
    kernelShare: computed / (last.answeredAt - first.answeredAt),
    sliceShare: computed / total((run) => run.answeredAt - run.sentAt),
    betweenMilliseconds: ordinary,
    epochGapMilliseconds: changes.length === 0 ? null : Math.max(0, median(changes) - ordinary),
    runs: runs.length,
  }
}

/** The same host; every `proof.run` between the engine and its worker is noted. */
function watchedHost(host: ProcessHost, runs: Run[]): ProcessHost {
  return {
    start: async (program, start) => {
      const child = await host.start(program, start)
      const isWorker = program === 'worker' && (start as { role?: string }).role === 'worker'
      // `kill` and `exited` are the child's own
      return isWorker ? { ...child, port: watchedPort(child.port, runs) } : child
    },
  }
}

function watchedPort(port: Port, runs: Run[]): Port {
  const open = new Map<number, { sentAt: number; epochSeed: string }>()
  port.onMessage((message) => {
    const { answer, result } = message as Partial<Answer>
    const asked = answer === undefined ? undefined : open.get(answer)
    if (answer === undefined || result === undefined || asked === undefined) return
    open.delete(answer)
    runs.push({ ...asked, answeredAt: performance.now(), kernelMilliseconds: result.kernelMilliseconds })
  })
  return {
    ...port,
    send: (message) => {
      const { request, method, params } = message as Partial<Request>
      if (request !== undefined && params !== undefined && method === 'proof.run')
        open.set(request, { sentAt: performance.now(), epochSeed: params.epochSeed })
      port.send(message)
    },
  }
}
