/** The proof methods of a worker: prepare, run, digest, benchmark, over the lanes of this process. */
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY, type DeviceBenchmark } from '#shared/domain/benchmark'
import { Failure } from '#shared/domain/errors'
import { header, isShare, MAX_COUNTER, nonceOf } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import type { ProofContext, WorkerMethods } from '#shared/domain/worker-protocol'
import { createContexts } from './contexts'
import { batchNonces } from './engine'
import { GOLDEN_DIGESTS } from './golden'
import type { LanePool } from './lane-pool'

type Params<M extends keyof WorkerMethods> = WorkerMethods[M]['params']
type Result<M extends keyof WorkerMethods> = WorkerMethods[M]['result']

export interface Prover {
  setThreads(threads: number): void
  prepare(params: Params<'proof.prepare'>): Promise<Result<'proof.prepare'>>
  run(params: Params<'proof.run'>): Promise<Result<'proof.run'>>
  digest(params: Params<'proof.digest'>): Promise<Result<'proof.digest'>>
  benchmark(params: Params<'proof.benchmark'>): Promise<DeviceBenchmark>
}

/** `now`: monotonic milliseconds. */
export function createProver(lanes: LanePool, now: () => number): Prover {
  const contexts = createContexts(lanes)

  const prepare: Prover['prepare'] = async (context) => {
    const startedAt = now()
    await contexts.with(context, () => Promise.resolve())
    return { milliseconds: now() - startedAt }
  }

  /** Digests of the nonces firstNonce … in batches on every lane at once, until `enough` says so before a batch. */
  const search = async (
    context: ProofContext & { publicKey: string },
    firstNonce: bigint,
    limit: number,
    enough: () => boolean,
    onDigest: (nonce: bigint, digest: string) => void,
  ): Promise<{ nonces: number; milliseconds: number; kernelMilliseconds: number }> =>
    contexts.with(context, async (weights) => {
      const { engine, tier } = context
      const head = header(context.epochSeed, context.publicKey)
      const startedAt = now()
      let nonces = 0
      let kernelMilliseconds = 0
      const lane = async (): Promise<void> => {
        do {
          const count = Math.min(batchNonces(engine, TIERS[tier]), limit - nonces)
          if (count <= 0) return
          const first = firstNonce + BigInt(nonces)
          nonces += count
          const result = await lanes.submit({
            kind: 'digests',
            engine,
            tier,
            header: head,
            firstNonce: first,
            count,
            weights,
          })
          kernelMilliseconds += result.kernelMilliseconds
          result.digests.forEach((digest, index) => onDigest(first + BigInt(index), digest))
        } while (!enough())
      }
      const laneCount = lanes.size
      await Promise.all(Array.from({ length: laneCount }, lane))
      const milliseconds = now() - startedAt
      return { nonces, milliseconds, kernelMilliseconds: Math.min(milliseconds, kernelMilliseconds / laneCount) }
    })

  return {
    setThreads: (threads) => lanes.resize(threads),
    prepare,
    run: async (params) => {
      const shares: { nonce: bigint; digest: string }[] = []
      const left = MAX_COUNTER - params.firstCounter + 1n
      const limit = Math.min(Number(left), params.maxNonces ?? Number.MAX_SAFE_INTEGER)
      const deadline = now() + params.budgetMilliseconds
      const enough = (): boolean => now() >= deadline || (params.stopAtShare === true && shares.length > 0)
      const tried = await search(params, nonceOf(params.unit, params.firstCounter), limit, enough, (nonce, digest) => {
        if (isShare(digest, params.difficulty)) shares.push({ nonce, digest })
      })
      shares.sort((one, other) => (one.nonce < other.nonce ? -1 : 1))
      return { ...tried, shares }
    },
    digest: async (params) => {
      const { engine, tier, nonce } = params
      const head = header(params.epochSeed, params.publicKey)
      return contexts.with(params, async (weights) => {
        const startedAt = now()
        const { digests } = await lanes.submit({
          kind: 'digests',
          engine,
          tier,
          header: head,
          firstNonce: nonce,
          count: 1,
          weights,
        })
        const [digest] = digests
        if (digest === undefined) throw new Error('the lane returned no digest')
        return { digest, milliseconds: now() - startedAt }
      })
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
      await prepare(context)
      const golden = GOLDEN_DIGESTS[tier]
      const checked: boolean[] = []
      // warms every lane up as well, so that the measurement has no first-run costs in it
      const warmUp = Math.max(golden.length, lanes.size * batchNonces(engine, TIERS[tier]))
      await search(
        context,
        0n,
        warmUp,
        () => false,
        (nonce, digest) => {
          if (nonce < BigInt(golden.length)) checked.push(digest === golden[Number(nonce)])
        },
      )
      const deadline = now() + seconds * 1000
      const { nonces, milliseconds } = await search(
        context,
        BigInt(warmUp),
        Number.MAX_SAFE_INTEGER,
        () => now() >= deadline,
        () => undefined,
      )
      const noncesPerSecond = (nonces * 1000) / milliseconds
      return {
        engine,
        tier,
        noncesPerSecond,
        macsPerSecond: noncesPerSecond * Number(TIERS[tier].macs),
        checksum: checked.length === golden.length && checked.every(Boolean) ? 'ok' : 'mismatch',
        milliseconds,
        nonces,
      }
    },
  }
}
