/** A real engine mines, and what it asks of its worker is watched: how much of the worker's time is computing. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TierName } from '#shared/domain/tiers'
import type { WorkerMethods } from '#shared/ipc/worker'
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
  /** of the time by the clock that was not a useful job's, all threads together: 0 to 1 */
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
/** What the worker was asked, in order. A new model is measured once while mining: its jobs are useful work and no proof. */
interface Watched {
  runs: Run[]
  jobs: { sentAt: number; answeredAt: number }[]
}
type Request = { request: number; method: string; params: { epochSeed?: string } | null }
type Answer = { answer: number; result: WorkerMethods['proof.run']['result'] }

/** Mines one tier with the CPU driver for `seconds` after it has settled; epochs last `epochSeconds`. */
export async function watchMining(
  tier: TierName,
  threads: number,
  seconds: number,
  epochSeconds: number,
): Promise<WatchedMining> {
  const watched: Watched = { runs: [], jobs: [] }
  const { runs } = watched
  const host = watchedHost(createNodeProcessHost(join(root, 'out/node')), watched)
  const mining = await startTestEngine(temporaryFolder(), { host, epochSeconds })
  try {
    const { handlers } = mining.engine.api
    await handlers['engine.start']({ tier, threads, backend: 'native', samples: false })
    for (const until = performance.now() + FIRST_RUN_MILLISECONDS; runs.length === 0;) {
      if (performance.now() > until) throw new Error(`nothing was mined: ${mining.complaints.join('; ')}`)
      await sleep(50)
    }
    await sleep(SETTLING_MILLISECONDS)
    const settled = runs.length
    await sleep(seconds * 1000)
    if (runs.length < settled + 2)
      throw new Error(`too little was mined to be measured: ${mining.complaints.join('; ')}`)
    return summary({ ...watched, runs: runs.slice(settled) })
  } finally {
    await mining.close()
  }
}

function summary({ runs, jobs }: Watched): WatchedMining {
  const [first] = runs
  const last = runs.at(-1)
  if (!first || !last) throw new RangeError('no runs')
  const gaps = runs.slice(1).map((run, index) => ({
    milliseconds: run.sentAt - (runs[index]?.answeredAt ?? 0),
    isChange: run.epochSeed !== runs[index]?.epochSeed,
  }))
  const ordinary = median(gaps.filter(({ isChange }) => !isChange).map(({ milliseconds }) => milliseconds))
  const changes = gaps.filter(({ isChange }) => isChange).map(({ milliseconds }) => milliseconds)
  const total = (value: (run: Run) => number): number => runs.slice(1).reduce((sum, run) => sum + value(run), 0)
  const computed = total((run) => run.kernelMilliseconds)
  const otherWork = jobs
    .filter(({ sentAt, answeredAt }) => sentAt >= first.answeredAt && answeredAt <= last.answeredAt)
    .reduce((sum, { sentAt, answeredAt }) => sum + answeredAt - sentAt, 0)
  return {
    kernelShare: computed / (last.answeredAt - first.answeredAt - otherWork),
    sliceShare: computed / total((run) => run.answeredAt - run.sentAt),
    betweenMilliseconds: ordinary,
    epochGapMilliseconds: changes.length === 0 ? null : Math.max(0, median(changes) - ordinary),
    runs: runs.length,
  }
}

/** The same host; every `proof.run` and `job.run` between the engine and its worker is noted. */
function watchedHost(host: ProcessHost, watched: Watched): ProcessHost {
  return {
    start: async (program, start) => {
      const child = await host.start(program, start)
      const isWorker = program === 'worker' && (start as { role?: string }).role === 'worker'
      // `kill` and `exited` are the child's own
      return isWorker ? { ...child, port: watchedPort(child.port, watched) } : child
    },
  }
}

function watchedPort(port: Port, watched: Watched): Port {
  const open = new Map<number, { sentAt: number; epochSeed: string | null }>()
  port.onMessage((message) => {
    const { answer, result } = message as Partial<Answer>
    const asked = answer === undefined ? undefined : open.get(answer)
    if (answer === undefined || result === undefined || asked === undefined) return
    open.delete(answer)
    const { sentAt, epochSeed } = asked
    const answeredAt = performance.now()
    if (epochSeed === null) watched.jobs.push({ sentAt, answeredAt })
    else watched.runs.push({ sentAt, answeredAt, epochSeed, kernelMilliseconds: result.kernelMilliseconds })
  })
  return {
    ...port,
    send: (message) => {
      const { request, method, params } = message as Partial<Request>
      if (request !== undefined && (method === 'proof.run' || method === 'job.run'))
        open.set(request, { sentAt: performance.now(), epochSeed: params?.epochSeed ?? null })
      port.send(message)
    },
  }
}
