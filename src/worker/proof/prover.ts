/** The proof methods of a worker: prepare, run, digest, digests, check and benchmark, on compute threads, a native driver or a graphics processor. */
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY, type DeviceBenchmark } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { goldenDigests } from '#shared/domain/golden'
import { header, isShare, MAX_COUNTER, nonceOf } from '#shared/domain/share'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { WorkerMethods } from '#shared/ipc/worker'
import type { ProofBackends } from './backend'
import { createBatchSizer, type BatchSizer } from './batch-sizer'
import { createInFlightKeeper } from './in-flight'
import { search, type Search } from './search'

type Params<M extends keyof WorkerMethods> = WorkerMethods[M]['params']
type Result<M extends keyof WorkerMethods> = WorkerMethods[M]['result']

export interface Prover {
  /** whether work computes or waits */
  readonly busy: boolean
  setThreads(threads: number): void
  prepare(params: Params<'proof.prepare'>): Promise<Result<'proof.prepare'>>
  run(params: Params<'proof.run'>): Promise<Result<'proof.run'>>
  digest(params: Params<'proof.digest'>): Promise<Result<'proof.digest'>>
  digests(params: Params<'proof.digests'>): Promise<Result<'proof.digests'>>
  check(params: Params<'proof.check'>): Promise<Result<'proof.check'>>
  benchmark(params: Params<'proof.benchmark'>): Promise<DeviceBenchmark>
  /** Makes every `run` end soon, with the nonces that it has tried so far. */
  yield(): void
  /** Cancels the batches that a run left computing, because other work begins and needs the threads. */
  cancelInFlight(): void
}

/** Batches may end by themselves for this long before they are cancelled: most do, and their results are kept. */
const YIELD_GRACE_MILLISECONDS = 40

/** `now`: monotonic milliseconds. */
export function createProver(backends: ProofBackends, now: () => number): Prover {
  const batchSizers = new Map<string, BatchSizer>()
  const batchSizerFor = (backend: BackendName, tier: TierName): BatchSizer => {
    const batch = backends[backend].batch(tier)
    const key = `${backend} ${tier} ${batch}`
    const sizer = batchSizers.get(key) ?? createBatchSizer(batch)
    batchSizers.set(key, sizer)
    return sizer
  }

  const prepare: Prover['prepare'] = async (context) => {
    const startedAt = now()
    await backends[context.backend].with(context, () => Promise.resolve())
    return { milliseconds: now() - startedAt }
  }

  const searchWith = (plan: Search): ReturnType<typeof search> => {
    const { backend, tier } = plan.context
    return search(plan, backends[backend], batchSizerFor(backend, tier), now)
  }

  const runs = new Set<{ backend: BackendName; computing: boolean; yielding: boolean }>()
  const inFlight = createInFlightKeeper(now)
  const cancelInFlight = (graceMilliseconds = YIELD_GRACE_MILLISECONDS): void => {
    const kept = inFlight.drop()
    if (kept === null) return
    const grace = setTimeout(() => {
      // A run that began meanwhile must not be cancelled with the batches.
      if (runs.size === 0) backends[kept.backend].cancel()
    }, graceMilliseconds)
    void kept.ended.then(() => clearTimeout(grace))
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
      const run = { backend: params.backend, computing: false, yielding: false }
      runs.add(run)
      const continued = inFlight.take(params, firstNonce)
      const { inFlight: left, ...tried } = await searchWith({
        context: params,
        firstNonce,
        ...(continued === undefined ? {} : { inFlight: continued }),
        keepPipelineFull: params.keepPipelineFull === true,
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
      if (left !== null) inFlight.keep(params, firstNonce + BigInt(tried.nonces), left)
      if (run.yielding) cancelInFlight()
      // Nonces behind a cancelled one will be tried again.
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
          // Not while weights are prepared: a driver's cancellation would end that too.
          if (runs.has(run) && run.computing) backends[run.backend].cancel()
        }, YIELD_GRACE_MILLISECONDS)
      }
      cancelInFlight()
    },
    cancelInFlight: () => cancelInFlight(0),
    digest: async (params) => {
      const { backend, nonce } = params
      const head = header(params.epochSeed, params.publicKey)
      return backends[backend].with(params, async (compute) => {
        const startedAt = now()
        const { digests } = await compute(head, nonce, 1)
        const [digest] = digests
        if (digest === undefined) throw new Error('the backend returned no digest')
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
    benchmark: async ({ backend, tier, epochSeed, seconds }) => {
      if (epochSeed !== BENCHMARK_EPOCH) {
        throw new Failure('wrong-usage', message('benchmark-other-epoch'))
      }
      const context = { backend, tier, epochSeed, publicKey: BENCHMARK_PUBLIC_KEY }
      const golden = goldenDigests(tier)
      const matches: boolean[] = []
      // This search also warms every thread up, so that the measurement contains no first-run costs.
      const warmUp = Math.max(golden.length, backends[backend].streams * backends[backend].batch(tier))
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
        backend,
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
