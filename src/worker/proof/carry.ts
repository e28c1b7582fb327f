/** What a run left computing, for one that goes on where it ended: between two slices of mining no thread waits. */
import type { ProofEngine } from '#shared/domain/backend'
import type { Carried, Search } from './search'

/** Later it is another time's work: it would be charged for all the time between. */
const LONGEST_PAUSE_MILLISECONDS = 500

export interface Left extends Carried {
  engine: ProofEngine
  /** settles when nothing of it computes any more */
  ended: Promise<unknown>
}

export interface Carry {
  keep(context: Search['context'], nextNonce: bigint, carried: Carried): void
  /** What was kept where this context goes on at this nonce; in any other case it is forgotten, and its nonces were never counted. */
  take(context: Search['context'], firstNonce: bigint): Carried | undefined
  /** What was kept, which nobody will take now. */
  drop(): Left | null
}

/** `now`: monotonic milliseconds. */
export function createCarry(now: () => number): Carry {
  let kept: (Left & { key: string; nextNonce: bigint }) | null = null
  const remove = (): typeof kept => {
    const removed = kept
    kept = null
    return removed
  }
  return {
    keep: (context, nextNonce, carried) => {
      const ended = Promise.allSettled(carried.batches.map(({ result }) => result))
      kept = { ...carried, engine: context.engine, ended, key: keyOf(context), nextNonce }
    },
    take: (context, firstNonce) => {
      const held = remove()
      if (held === null || held.key !== keyOf(context) || held.nextNonce !== firstNonce) return undefined
      return now() - held.since <= LONGEST_PAUSE_MILLISECONDS ? held : undefined
    },
    drop: remove,
  }
}

function keyOf({ engine, tier, epochSeed, publicKey }: Search['context']): string {
  return [engine, tier, epochSeed, publicKey].join(' ')
}
