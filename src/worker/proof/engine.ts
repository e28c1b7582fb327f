/** What a lane needs of a proof engine. Engines differ in layout and speed, never in a digest. */
import type { Tier } from '#shared/domain/tiers'
import type { ProofEngine } from '#shared/domain/backend'

export interface LaneEngine {
  /** Writes one layer's weights into `weights` (tier.weightBytes bytes) in this engine's own layout. */
  expandLayer(weights: SharedArrayBuffer, epochSeed: Uint8Array, layer: number): void
  /**
   * Digests (hex) of `count` successive nonces, and the milliseconds spent in kernels. Between two layers it looks whether
   * it `isCancelled`, and then rejects with Failure `cancelled`.
   */
  digests(
    weights: SharedArrayBuffer,
    header: Uint8Array,
    firstNonce: bigint,
    count: number,
    isCancelled?: () => boolean,
  ): Promise<{ digests: string[]; kernelMilliseconds: number }>
}

/** The engines that compute on lanes; the others have threads or an adapter of their own. */
export type LaneEngineName = Extract<ProofEngine, 'onnx-cpu' | 'reference'>

/** Builds an engine for one tier in the calling thread. */
export async function createLaneEngine(name: LaneEngineName, tier: Tier): Promise<LaneEngine> {
  switch (name) {
    case 'reference':
      return (await import('./reference-engine')).createReferenceEngine(tier)
    case 'onnx-cpu':
      return (await import('./onnx-engine')).createOnnxEngine(tier)
  }
}

/** Nonces that a lane computes at once: enough rows for full kernels, few enough to answer soon. */
export function batchNonces(name: LaneEngineName, tier: Tier): number {
  if (name === 'reference') return 1
  return Math.max(1, Math.round(BATCH_ROWS / tier.tokens))
}

/** Measured with `npm run bench -- onnx`: the rate is flat around 256 rows and falls when sums leave the cache. */
export const BATCH_ROWS = 256
