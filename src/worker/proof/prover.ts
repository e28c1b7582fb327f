/** The proof methods of a worker: prepare, run, digest, digests, check, benchmark, over the lanes of this process or a native driver. */
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY, type DeviceBenchmark } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { goldenDigests } from '#shared/domain/golden'
import { header, isShare, MAX_COUNTER, nonceOf } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { ProofEngine } from '#shared/domain/backend'
import type { WorkerMethods } from '#shared/ipc/worker'
import type { ProofBackends } from './backend'
import { createCarry } from './carry'
import { createPacer, type Pacer } from './pacer'
import { search, type Search } from './search'

type Params<M extends keyof WorkerMethods> = WorkerMethods[M]['params']
type Result<M extends keyof WorkerMethods> = WorkerMethods[M]['result']

export interface Prover {
  /** whether something computes or waits to */
  readonly busy: boolean
  setThreads(threads: number): void
  prepare(params: Params<'proof.prepare'>): Promise<Result<'proof.prepare'>>
  run(params: Params<'proof.run'>): Promise<Result<'proof.run'>>
  digest(params: Params<'proof.digest'>): Promise<Result<'proof.digest'>>
  digests(params: Params<'proof.digests'>): Promise<Result<'proof.digests'>>
  check(params: Params<'proof.check'>): Promise<Result<'proof.check'>>
  benchmark(params: Params<'proof.benchmark'>): Promise<DeviceBenchmark>
  /** Every `run` ends soon, with what it has tried so far. */
  yield(): void
  /** Other work begins: what a run left computing must not take its threads. */
  makeRoom(): void
}

/**
 * What computes may end by itself for this long before it is cancelled: most batches do, and what they found is kept.
 */
const YIELD_GRACE_MILLISECONDS = 40

/** `now`: monotonic milliseconds. */
export function createProver(backends: ProofBackends, now: () => number): Prover {
  const pacers = new Map<string, Pacer>()
  const pacer = (engine: ProofEngine, tier: TierName): Pacer => {
    const batch = backends[engine].batch(tier)
    const key = `${engine} ${tier} ${batch}`
    const pace = pacers.get(key) ?? createPacer(batch)
    pacers.set(key, pace)
    return pace
  }

  const prepare: Prover['prepare'] = async (context) => {
    const startedAt = now()
    await backends[context.engine].with(context, () => Promise.resolve())
    return { milliseconds: now() - startedAt }
  }

  const searchWith = (plan: Search): ReturnType<typeof search> => {
    const { engine, tier } = plan.context
    return search(plan, backends[engine], pacer(engine, tier), now)
  }

  const runs = new Set<{ engine: ProofEngine; computing: boolean; yielding: boolean }>()
  const carry = createCarry(now)
  const endCarried = (graceMilliseconds = YIELD_GRACE_MILLISECONDS): void => {
    const left = carry.drop()
    if (left === null) return
    const grace = setTimeout(() => {
      // A run that began meanwhile must not lose its work to it.
      if (runs.size === 0) backends[left.engine].cancel()
    }, graceMilliseconds)
    void left.ended.then(() => clearTimeout(grace))
  }

  return {
    get busy() {
      return Object.values(backends).some((backend) => backend.busy)
    },
    setThreads: (threads) => {
      for (const backend of Object.values(backends)) backend.setThreads(threads)
    },
    prepare,
    run: async (params) => {
      const found: { nonce: bigint; digest: string }[] = []
      const firstNonce = nonceOf(params.unit, params.firstCounter)
      const run = { engine: params.engine, computing: false, yielding: false }
      runs.add(run)
      const carried = carry.take(params, firstNonce)
      const { carried: left, ...tried } = await searchWith({
        context: params,
        firstNonce,
        ...(carried === undefined ? {} : { carried }),
        carriesOn: params.goesOn === true,
        limit: Math.min(Number(MAX_COUNTER - params.firstCounter) + 1, params.maxNonces ?? Number.MAX_SAFE_INTEGER),
        budgetMilliseconds: params.budgetMilliseconds,
        enough: () => params.stopAtShare === true && found.length > 0,
        isYielding: () => run.yielding,
        onPrepared: () => {
          run.computing = true
        },
        onDigest: (nonce, digest) => {
          if (isShare(digest, params.difficulty)) found.push({ nonce, digest })
        },
      }).finally(() => runs.delete(run))
      if (left !== null) carry.keep(params, firstNonce + BigInt(tried.nonces), left)
      if (run.yielding) endCarried()
      // What lies behind a cancelled nonce will be tried again.
      const shares = found
        .filter(({ nonce }) => nonce < firstNonce + BigInt(tried.nonces))
        .toSorted((one, other) => (one.nonce < other.nonce ? -1 : 1))
      return { ...tried, shares }
    },
    yield: () => {
      for (const run of runs) {
        if (run.yielding) continue
        run.yielding = true
        setTimeout(() => {
          // A driver's cancellation would end the preparing of weights too.
          if (runs.has(run) && run.computing) backends[run.engine].cancel()
        }, YIELD_GRACE_MILLISECONDS)
      }
      endCarried()
    },
    makeRoom: () => endCarried(0),
    digest: async (params) => {
      const { engine, nonce } = params
      const head = header(params.epochSeed, params.publicKey)
      return backends[engine].with(params, async (compute) => {
        const startedAt = now()
        const { digests } = await compute(head, nonce, 1)
        const [digest] = digests
        if (digest === undefined) throw new Error('the engine returned no digest')
        return { digest, milliseconds: now() - startedAt }
      })
    },
    digests: async (params) => {
      const digests: string[] = []
      const tried = await searchWith({
        context: params,
        firstNonce: params.firstNonce,
        limit: params.maxNonces ?? Number.MAX_SAFE_INTEGER,
        budgetMilliseconds: params.budgetMilliseconds,
        onDigest: (nonce, digest) => {
          const index = Number(nonce - params.firstNonce)
          if (index < params.keep) digests[index] = digest
        },
      })
      return { ...tried, digests }
    },
    check: async (params) => {
      const { expected, firstNonce } = params
      const wrong: { nonce: bigint; digest: string }[] = []
      const { nonces, milliseconds } = await searchWith({
        context: params,
        firstNonce,
        repeatAfter: expected.length,
        limit: Number.MAX_SAFE_INTEGER,
        budgetMilliseconds: params.budgetMilliseconds,
        enough: () => wrong.length > 0,
        onDigest: (nonce, digest) => {
          if (digest !== expected[Number(nonce - firstNonce)]) wrong.push({ nonce, digest })
        },
      })
      return { nonces, milliseconds, wrong: wrong[0] ?? null }
    },
    benchmark: async ({ engine, tier, epochSeed, seconds }) => {
      if (epochSeed !== BENCHMARK_EPOCH) {
        throw new Failure(
          'wrong-usage',
          'the benchmark runs on its own fixed epoch only',
          'Ask for the benchmark epoch.',
        )
      }
      const context = { engine, tier, epochSeed, publicKey: BENCHMARK_PUBLIC_KEY }
      const golden = goldenDigests(tier)
      const matches: boolean[] = []
      // also warms every thread up, so that the measurement has no first-run costs in it
      const warmUp = Math.max(golden.length, backends[engine].streams * backends[engine].batch(tier))
      await searchWith({
        context,
        firstNonce: 0n,
        limit: warmUp,
        budgetMilliseconds: Infinity,
        onDigest: (nonce, digest) => {
          if (nonce < BigInt(golden.length)) matches.push(digest === golden[Number(nonce)])
        },
      })
      const { nonces, milliseconds } = await searchWith({
        context,
        firstNonce: BigInt(warmUp),
        limit: Number.MAX_SAFE_INTEGER,
        budgetMilliseconds: seconds * 1000,
        onDigest: () => undefined,
      })
      const noncesPerSecond = (nonces * 1000) / milliseconds
      return {
        engine,
        tier,
        noncesPerSecond,
        macsPerSecond: noncesPerSecond * Number(TIERS[tier].macs),
        checksum: matches.length === golden.length && matches.every(Boolean) ? 'ok' : 'mismatch',
        milliseconds,
        nonces,
      }
    },
  }
}
