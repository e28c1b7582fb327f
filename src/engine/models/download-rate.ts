/** Bytes a second of a download, over the last seconds. */

const WINDOW_MILLISECONDS = 5000
/** A rate over a shorter time varies too much. */
const FIRST_MILLISECONDS = 750

export interface RateMeter {
  /** `bytes`: all that are fetched so far */
  add(bytes: number): void
  /** bytes a second, null before there is one */
  rate(): number | null
  reset(): void
}

/** `monotonic`: milliseconds since an arbitrary start. */
export function createRateMeter(monotonic: () => number): RateMeter {
  let points: { at: number; bytes: number }[] = []
  return {
    add: (bytes) => {
      const at = monotonic()
      const last = points.at(-1)
      // The source started the file again: older points do not count.
      if (last !== undefined && bytes < last.bytes) points = []
      points.push({ at, bytes })
      while (points.length > 2 && (points[1]?.at ?? at) < at - WINDOW_MILLISECONDS) points.shift()
    },
    rate: () => {
      const [first] = points
      const last = points.at(-1)
      if (first === undefined || last === undefined) return null
      const milliseconds = monotonic() - first.at
      return milliseconds < FIRST_MILLISECONDS ? null : ((last.bytes - first.bytes) * 1000) / milliseconds
    },
    reset: () => {
      points = []
    },
  }
}
