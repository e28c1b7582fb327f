/** What the backends for graphics processors have in common: whole batches go into the device's queue. */
import type { TierName } from '#shared/domain/tiers'
import type { Compute, ProofBackend } from './backend'
import type { EpochCache } from './epoch-cache'

/** One batch computes while the next is prepared and submitted. */
const STREAMS = 2

/** Computes the digests (hex) of `count` successive nonces of a prepared epoch. */
type RunBatch<T> = (
  epoch: T,
  tier: TierName,
  header: Uint8Array,
  firstNonce: bigint,
  count: number,
) => Promise<string[]>

/** A batch that was submitted runs to its end, so that cancelling does nothing. `batches`: nonces of a batch, once known. */
export function createQueuedBackend<T>(
  epochs: EpochCache<T>,
  batches: ReadonlyMap<TierName, number>,
  runBatch: RunBatch<T>,
): ProofBackend {
  return {
    threads: 1,
    streams: STREAMS,
    get busy() {
      return epochs.busy
    },
    batch: (tier) => batches.get(tier) ?? 1,
    setThreads: () => undefined,
    cancel: () => undefined,
    with: (context, work) =>
      epochs.with(context, (epoch) => work(chargedCompute((...batch) => runBatch(epoch, context.tier, ...batch)))),
  }
}

/** The kernel time of a batch begins when the previous batch was done, because the device computes one after another. */
function chargedCompute(run: (header: Uint8Array, firstNonce: bigint, count: number) => Promise<string[]>): Compute {
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
