/** Where nonces are computed: on the compute threads of this process, on a native driver, or on a graphics processor. */
import type { TierName } from '#shared/domain/tiers'
import { TIERS } from '#shared/domain/tiers'
import type { ProofContext } from '#shared/ipc/worker'
import type { BackendName } from '#shared/domain/backend'
import type { Contexts } from './contexts'
import { batchNonces, type ThreadBackendName } from './thread-backend'
import type { ComputeThreadPool } from './compute-thread-pool'

/** Digests (hex) of `count` successive nonces, and the milliseconds in kernels, summed over threads. */
export type Compute = (
  header: Uint8Array,
  firstNonce: bigint,
  count: number,
) => Promise<{ digests: string[]; kernelMilliseconds: number }>

export interface ProofBackend {
  /** the number of threads that compute at once */
  readonly threads: number
  /** the number of `compute` calls to keep open at once, so that no thread waits */
  readonly streams: number
  readonly busy: boolean
  /** nonces of one `compute` call */
  batch(tier: TierName): number
  setThreads(threads: number): void
  /** Makes every running or waiting `compute` reject with Failure `cancelled` within 200 ms, or end by itself. Later calls work. */
  cancel(): void
  /** Prepares the epoch if needed and calls `work`; the epoch stays prepared until `work` settles. */
  with<T>(context: ProofContext, work: (compute: Compute) => Promise<T>): Promise<T>
}

/** A backend on compute threads: each `compute` call runs on one thread. */
export function createPoolBackend(
  backend: ThreadBackendName,
  pool: ComputeThreadPool,
  contexts: Contexts,
): ProofBackend {
  return {
    get threads() {
      return pool.size
    },
    get streams() {
      return pool.size
    },
    get busy() {
      return pool.busy
    },
    batch: (tier) => batchNonces(backend, TIERS[tier]),
    setThreads: (threads) => pool.resize(threads),
    cancel: () => pool.cancel(),
    with: ({ tier, epochSeed }, work) =>
      contexts.with({ backend, tier, epochSeed }, (weights) =>
        work((header, firstNonce, count) =>
          pool.submit({ kind: 'digests', backend, tier, header, firstNonce, count, weights }),
        ),
      ),
  }
}

export type ProofBackends = Record<BackendName, ProofBackend>
