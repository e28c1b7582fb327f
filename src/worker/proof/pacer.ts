/** How many nonces a lane gets at once: as many as are efficient, unless this machine would take too long over them. */

/** A lane should answer about this often, however slow the machine. */
const MOST_BATCH_MILLISECONDS = 1500
/** Weight of the newest batch in the running mean. */
const NEWEST_WEIGHT = 0.3

export interface Pacer {
  /** Nonces for a lane that has `leftMilliseconds`: at least one. One until the first measurement. */
  batch(leftMilliseconds: number): number
  /** Whether one more nonce is nearer to the deadline than stopping now. */
  fits(leftMilliseconds: number): boolean
  took(nonces: number, milliseconds: number): void
}

/** `mostNonces`: the engine's own batch. */
export function createPacer(mostNonces: number): Pacer {
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
