/** Batches of texts of similar length, so that little is padded. */

/** Padded tokens of one run at most: a compromise between throughput and how soon a cancelled job ends. */
const TOKENS_PER_BATCH = 512
export const TEXTS_PER_BATCH = 32

/** Indices into `lengths`, shortest first, in batches whose padded size stays within the limits (or of one text). */
export function planBatches(lengths: readonly number[], textsPerBatch = TEXTS_PER_BATCH): number[][] {
  const order = lengths.map((_, index) => index).toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b)
  const batches: number[][] = []
  let batch: number[] = []
  for (const index of order) {
    const padded = (batch.length + 1) * (lengths[index] ?? 0)
    if (batch.length > 0 && (batch.length === textsPerBatch || padded > TOKENS_PER_BATCH)) {
      batches.push(batch)
      batch = []
    }
    batch.push(index)
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** One vector a text from token vectors [texts, tokens, dimensions]: mean over the real tokens or the first one, then length 1. */
export function poolVectors(
  hidden: ArrayLike<number>,
  lengths: readonly number[],
  paddedTokens: number,
  dimensions: number,
  pooling: 'mean' | 'first',
): Float32Array[] {
  return lengths.map((tokens, text) => {
    const sums = new Float64Array(dimensions)
    const counted = pooling === 'first' ? 1 : tokens
    for (let token = 0; token < counted; token++) {
      const start = (text * paddedTokens + token) * dimensions
      for (let dimension = 0; dimension < dimensions; dimension++) sums[dimension]! += hidden[start + dimension]!
    }
    const length = Math.hypot(...sums)
    return Float32Array.from(sums, (value) => (length > 0 ? value / length : 0))
  })
}
