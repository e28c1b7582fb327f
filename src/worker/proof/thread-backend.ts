/** What a compute thread needs of a proof backend. Backends differ in layout and speed, never in a digest. */
import type { Tier } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'

export interface ThreadBackend {
  /** Writes one layer's weights into `weights` (tier.weightBytes bytes) in the layout of this backend. */
  expandLayer(weights: SharedArrayBuffer, epochSeed: Uint8Array, layer: number): void
  /**
   * Digests (hex) of `count` successive nonces, and the milliseconds spent in kernels. Asks `isCancelled` before each layer,
   * and rejects with Failure `cancelled` when it is true.
   */
  digests(
    weights: SharedArrayBuffer,
    header: Uint8Array,
    firstNonce: bigint,
    count: number,
    isCancelled?: () => boolean,
  ): Promise<{ digests: string[]; kernelMilliseconds: number }>
}

/** The backends that run on compute threads; the others have threads or an adapter of their own. */
export type ThreadBackendName = Extract<BackendName, 'onnx-cpu' | 'reference'>

/** Nonces that a compute thread computes at once: enough rows for full kernels, few enough to answer soon. */
export function batchNonces(name: ThreadBackendName, tier: Tier): number {
  if (name === 'reference') return 1
  return Math.max(1, Math.round(BATCH_ROWS / tier.tokens))
}

/** Measured with `npm run bench -- onnx`: the rate is flat around 256 rows and falls when sums leave the cache. */
export const BATCH_ROWS = 256
