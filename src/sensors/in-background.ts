/** Asks slow sources without waiting for their answers. */
import type { SensorSystem } from './system'

/** Returns a function that gives the latest answer, and asks again in the background when it is old. `ask` must not reject. */
export function inBackground<T>(
  system: Pick<SensorSystem, 'monotonic'>,
  ask: () => Promise<T>,
  intervalMilliseconds: number,
): () => T | undefined {
  let latest: T | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking = false
  return () => {
    if (!asking && system.monotonic() - askedAt >= intervalMilliseconds) {
      asking = true
      askedAt = system.monotonic()
      void ask()
        .then((value) => {
          latest = value
        })
        .finally(() => {
          asking = false
        })
    }
    return latest
  }
}
