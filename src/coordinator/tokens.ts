/** The text of an answer on its way from the rig that makes it to the buyer who ordered it. Nothing of it is stored. */
import type { Answer } from '#shared/protocol/refusal'
import { notHeld } from './jobs'
import type { Buyer, CoordinatorStore } from './store'
import { isHeldBy } from './transitions'

export interface Tokens {
  job: string
  index: number
  text: string
}

export interface TokenStreams {
  /** Refused (`lease-lost`, `unknown-job`) from a rig that does not hold the job. */
  publish(rig: string, tokens: Tokens): Promise<Answer<null>>
  /** Hears of the buyer's jobs, until the returned function is called. */
  follow(buyer: Buyer, listener: (tokens: Tokens) => void): () => void
}

export function createTokenStreams(store: Pick<CoordinatorStore, 'job'>): TokenStreams {
  const followers = new Map<Buyer, Set<(tokens: Tokens) => void>>()
  return {
    publish: async (rig, tokens) => {
      const job = await store.job(tokens.job)
      if (!job || !isHeldBy(job, rig)) return notHeld(job)
      for (const listener of Array.from(followers.get(job.buyer) ?? [])) listener(tokens)
      return { ok: true, value: null }
    },
    follow: (buyer, listener) => {
      const listeners = followers.get(buyer) ?? new Set()
      followers.set(buyer, listeners.add(listener))
      return () => listeners.delete(listener)
    },
  }
}
