/** Prepared epochs: the weights of a (engine, tier, epoch seed) on memory that all lanes share. The two used last are kept. */
import { hexToBytes } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { TIERS, type TierName } from '#shared/domain/tiers'
import type { LaneEngineName } from './engine'
import type { LanePool } from './lane-pool'
import type { SharedWeights } from './lane-protocol'

const KEPT_CONTEXTS = 2

export interface LaneContext {
  engine: LaneEngineName
  tier: TierName
  /** hex, 32 bytes */
  epochSeed: string
}

export interface Contexts {
  /**
   * Calls `work` with the context's weights, expanding them first if needed; they are not overwritten before `work`
   * settles. Contexts that are asked for at the same time are expanded once.
   */
  with<T>(context: LaneContext, work: (weights: SharedWeights) => Promise<T>): Promise<T>
}

interface Entry {
  key: string
  tier: TierName
  weights: SharedWeights
  ready: Promise<unknown>
  users: number
}

export function createContexts(lanes: LanePool): Contexts {
  /** used last comes last */
  const entries: Entry[] = []
  /**
   * Weights of forgotten epochs, overwritten for the next of their tier: never more than were in use at once. Lanes
   * hold on to what they were given, so nothing would be gained by dropping it here.
   */
  const spare: { tier: TierName; weights: SharedWeights }[] = []
  let nextId = 1

  /** Those in use stay, and are forgotten when their use ends. */
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
  const expand = (context: LaneContext, weights: SharedWeights): Promise<unknown> => {
    const epochSeed = hexToBytes(context.epochSeed)
    const { engine, tier } = context
    return Promise.all(
      Array.from({ length: TIERS[tier].layers }, (_, layer) =>
        lanes.submit({ kind: 'expand', engine, tier, epochSeed, layer, weights }),
      ),
    )
  }
  const entryOf = (context: LaneContext): Entry => {
    const key = `${context.engine} ${context.tier} ${context.epochSeed}`
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
      try {
        await entry.ready
        return await work(entry.weights)
      } catch (error) {
        const index = entries.indexOf(entry)
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
    throw new Failure(
      'device-unavailable',
      `there is not enough memory for ${tier}: its weights take ${megabytes} MB`,
      'Close other programs, or choose a smaller tier.',
    )
  }
}
