/** Keeps the batches that a run left computing for the next run, so that no thread waits between two slices of mining. */
import type { BackendName } from '#shared/domain/backend'
import type { InFlightBatches, Search } from './search'

/** After a longer pause the batches are not counted: they would be charged for the whole time between the runs. */
const LONGEST_PAUSE_MILLISECONDS = 500

export interface KeptBatches extends InFlightBatches {
  backend: BackendName
  /** settles when none of the batches computes any more */
  ended: Promise<unknown>
}

export interface InFlightKeeper {
  keep(context: Search['context'], nextNonce: bigint, inFlight: InFlightBatches): void
  /** The kept batches, if this context continues them at `firstNonce`. Otherwise they are forgotten, and their nonces are never counted. */
  take(context: Search['context'], firstNonce: bigint): InFlightBatches | undefined
  /** Forgets the kept batches and returns them. */
  drop(): KeptBatches | null
}

/** `now`: monotonic milliseconds. */
export function createInFlightKeeper(now: () => number): InFlightKeeper {
  let kept: (KeptBatches & { key: string; nextNonce: bigint }) | null = null
  const remove = (): typeof kept => {
    const removed = kept
    kept = null
    return removed
  }
  return {
    keep: (context, nextNonce, inFlight) => {
      const ended = Promise.allSettled(inFlight.batches.map(({ result }) => result))
      kept = { ...inFlight, backend: context.backend, ended, key: keyOf(context), nextNonce }
    },
    take: (context, firstNonce) => {
      const held = remove()
      if (held === null || held.key !== keyOf(context) || held.nextNonce !== firstNonce) return undefined
      return now() - held.since <= LONGEST_PAUSE_MILLISECONDS ? held : undefined
    },
    drop: remove,
  }
}

function keyOf({ backend, tier, epochSeed, publicKey }: Search['context']): string {
  return [backend, tier, epochSeed, publicKey].join(' ')
}
