/** Finds by trying how many nonces fill a device. */

/** The search doubles the batch until a batch takes this long, or until doubling gains less than WORTHWHILE_GAIN. */
const PROBE_BATCH_MILLISECONDS = 300
const WORTHWHILE_GAIN = 1.1
/** The first nonce takes less than this on a device, even with the compiling of shaders. What takes longer is software, and one nonce fills it. */
const SOFTWARE_MILLISECONDS = 3000

/**
 * The batch from which on more nonces are no faster, at most `mostNonces`. `run` computes a batch of so many nonces.
 * Takes seconds at most.
 */
export async function searchBatch(mostNonces: number, run: (nonces: number) => Promise<unknown>): Promise<number> {
  const timed = async (nonces: number): Promise<number> => {
    const startedAt = performance.now()
    await run(nonces)
    return performance.now() - startedAt
  }
  let best = 1
  let milliseconds = await timed(best)
  if (milliseconds > SOFTWARE_MILLISECONDS) return best
  // The first run includes compiling: measure again.
  milliseconds = await timed(best)
  while (milliseconds < PROBE_BATCH_MILLISECONDS && 2 * best <= mostNonces) {
    const doubled = await timed(2 * best)
    if (doubled * WORTHWHILE_GAIN > 2 * milliseconds) return best
    best *= 2
    milliseconds = doubled
  }
  return best
}
