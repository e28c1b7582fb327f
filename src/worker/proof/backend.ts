/** Where nonces are computed: on this process's lanes, or on the threads of a native driver. */
import type { TierName } from '#shared/domain/tiers'
import { TIERS } from '#shared/domain/tiers'
import type { ProofContext } from '#shared/ipc/worker'
import type { ProofEngine } from '#shared/domain/backend'
import type { Contexts } from './contexts'
import { batchNonces, type LaneEngineName } from './engine'
import type { LanePool } from './lane-pool'

/** Digests (hex) of `count` successive nonces, and the milliseconds in kernels, summed over threads. */
export type Compute = (
  header: Uint8Array,
  firstNonce: bigint,
  count: number,
) => Promise<{ digests: string[]; kernelMilliseconds: number }>

export interface ProofBackend {
  /** threads that compute at once */
  readonly threads: number
  /** calls of `compute` to have open at once, so that no thread waits */
  readonly streams: number
  readonly busy: boolean
  /** nonces of one call of `compute` */
  batch(tier: TierName): number
  setThreads(threads: number): void
  /** Every `compute` that works or waits rejects with Failure `cancelled` within 200 ms, or ends by itself. Later ones work. */
  cancel(): void
  /** Calls `work` with the epoch prepared; it stays prepared until `work` settles. */
  with<T>(context: ProofContext, work: (compute: Compute) => Promise<T>): Promise<T>
}

/** One engine on lanes: each call of `compute` is one lane's work. */
export function createLaneBackend(engine: LaneEngineName, lanes: LanePool, contexts: Contexts): ProofBackend {
  return {
    get threads() {
      return lanes.size
    },
    get streams() {
      return lanes.size
    },
    get busy() {
      return lanes.busy
    },
    batch: (tier) => batchNonces(engine, TIERS[tier]),
    setThreads: (threads) => lanes.resize(threads),
    cancel: () => lanes.cancel(),
    with: ({ tier, epochSeed }, work) =>
      contexts.with({ engine, tier, epochSeed }, (weights) =>
        work((header, firstNonce, count) =>
          lanes.submit({ kind: 'digests', engine, tier, header, firstNonce, count, weights }),
        ),
      ),
  }
}

/**
 * For a device that computes one batch while the next is submitted: each batch is charged from when the one before it was
 * done. `run` answers with the digests (hex) of a batch.
 */
export function chargedCompute(
  run: (header: Uint8Array, firstNonce: bigint, count: number) => Promise<string[]>,
): Compute {
  let lastDoneAt = 0
  return async (header, firstNonce, count) => {
    const startedAt = performance.now()
    const digests = await run(header, firstNonce, count)
    const doneAt = performance.now()
    const kernelMilliseconds = doneAt - Math.max(startedAt, lastDoneAt)
    lastDoneAt = doneAt
    return { digests, kernelMilliseconds }
  }
}

export type ProofBackends = Record<ProofEngine, ProofBackend>
