/** Prepared epochs: the weights of a backend, tier and epoch seed, in memory that all compute threads share. The two most recently used are kept. */
import { hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { ThreadBackendName } from './thread-backend'
import type { ComputeThreadPool } from './compute-thread-pool'
import type { SharedWeights } from './compute-thread-protocol'

const KEPT_CONTEXTS = 2

export interface WeightsContext {
  backend: ThreadBackendName
  tier: TierName
  /** hex, 32 bytes */
  epochSeed: string
}

export interface Contexts {
  /**
   * Calls `work` with the context's weights, expanding them first if needed. They are not overwritten before `work` settles.
   * Concurrent calls for the same context expand it once.
   */
  with<T>(context: WeightsContext, work: (weights: SharedWeights) => Promise<T>): Promise<T>
}

interface Entry {
  key: string
  tier: TierName
  weights: SharedWeights
  ready: Promise<unknown>
  users: number
}

export function createContexts(pool: ComputeThreadPool): Contexts {
  /** the most recently used is last */
  const entries: Entry[] = []
  /**
   * Weights of forgotten epochs, reused for the next epoch of their tier: never more than were in use at once. The compute
   * threads keep their handles of the memory, so that dropping it here would free nothing.
   */
  const spare: { tier: TierName; weights: SharedWeights }[] = []
  let nextId = 1

  /** Forgets the least recently used epochs. Epochs in use stay until their use ends. */
  const keepAtMost = (count: number): void => {
    while (entries.length > count) {
      const index = entries.findIndex((entry) => entry.users === 0)
      if (index < 0) return
      const [entry] = entries.splice(index, 1)
      if (!entry) return
      spare.push({ tier: entry.tier, weights: entry.weights })
    }
  }
  const weightsFor = (tier: TierName): SharedWeights => {
    const index = spare.findIndex((entry) => entry.tier === tier)
    const [reused] = index < 0 ? [] : spare.splice(index, 1)
    return reused?.weights ?? { id: nextId++, memory: allocate(tier) }
  }
  const expand = (context: WeightsContext, weights: SharedWeights): Promise<unknown> => {
    const epochSeed = hexToBytes(context.epochSeed)
    const { backend, tier } = context
    return Promise.all(
      Array.from({ length: TIERS[tier].layers }, (_, layer) =>
        pool.submit({ kind: 'expand', backend, tier, epochSeed, layer, weights }),
      ),
    )
  }
  const entryOf = (context: WeightsContext): Entry => {
    const key = `${context.backend} ${context.tier} ${context.epochSeed}`
    const index = entries.findIndex((entry) => entry.key === key)
    const [known] = index < 0 ? [] : entries.splice(index, 1)
    if (known) {
      entries.push(known)
      return known
    }
    keepAtMost(KEPT_CONTEXTS - 1)
    const weights = weightsFor(context.tier)
    const entry: Entry = { key, tier: context.tier, weights, ready: expand(context, weights), users: 0 }
    entries.push(entry)
    return entry
  }

  return {
    with: async (context, work) => {
      const entry = entryOf(context)
      entry.users++
      let isPrepared = false
      try {
        await entry.ready
        isPrepared = true
        return await work(entry.weights)
      } catch (error) {
        // Cancelled work says nothing against the weights.
        const isCancelled = error instanceof Failure && error.code === 'cancelled'
        const index = isPrepared && isCancelled ? -1 : entries.indexOf(entry)
        if (index >= 0) entries.splice(index, 1)
        throw error
      } finally {
        entry.users--
        keepAtMost(KEPT_CONTEXTS)
      }
    },
  }
}

function allocate(tier: TierName): SharedArrayBuffer {
  const { weightBytes } = TIERS[tier]
  try {
    return new SharedArrayBuffer(weightBytes)
  } catch {
    const megabytes = Math.ceil(weightBytes / 1e6)
    throw new Failure('device-unavailable', message('proof-weights-memory', { tier, megabytes }))
  }
}
