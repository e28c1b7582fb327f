/** Decides how many nonces a batch has: as many as are efficient, unless this machine would take too long for them. */

/** A batch should take no longer than this, even on a slow machine. */
const MOST_BATCH_MILLISECONDS = 1500
/** Weight of the newest batch in the running mean. */
const NEWEST_WEIGHT = 0.3

export interface BatchSizer {
  /** Nonces of a batch for which `leftMilliseconds` are left: at least one, and one until the first measurement. */
  batch(leftMilliseconds: number): number
  /** Whether one more nonce ends nearer to the deadline than stopping now. */
  fits(leftMilliseconds: number): boolean
  /** Records how long a batch took. */
  took(nonces: number, milliseconds: number): void
}

/** `mostNonces`: the most efficient batch of the backend. */
export function createBatchSizer(mostNonces: number): BatchSizer {
  let nonceMilliseconds: number | undefined
  return {
    batch: (left) => {
      if (nonceMilliseconds === undefined) return 1
      const fitting = Math.floor(Math.min(left, MOST_BATCH_MILLISECONDS) / nonceMilliseconds)
      return Math.max(1, Math.min(fitting, mostNonces))
    },
    fits: (left) => left > (nonceMilliseconds ?? 0) / 2,
    took: (nonces, milliseconds) => {
      const measured = milliseconds / nonces
      nonceMilliseconds =
        nonceMilliseconds === undefined ? measured : nonceMilliseconds + NEWEST_WEIGHT * (measured - nonceMilliseconds)
    },
  }
}
