/** What the worker's main thread asks of its lanes: threads that each compute whole nonces, so that no kernel waits for another. */
import type { TierName } from '#shared/domain/tiers'
import type { LaneEngineName } from './engine'

/**
 * Weights on memory that all lanes share. A lane gets the memory itself once and finds it by number afterwards: every
 * copy of the handle that arrives would count as so much garbage to collect.
 */
export interface SharedWeights {
  id: number
  memory: SharedArrayBuffer
}

/** Expand one layer of an epoch into the engine's layout. */
export interface ExpandTask {
  kind: 'expand'
  engine: LaneEngineName
  tier: TierName
  epochSeed: Uint8Array
  layer: number
  weights: SharedWeights
}

/** Digests of nonces firstNonce … firstNonce + count − 1. */
export interface DigestsTask {
  kind: 'digests'
  engine: LaneEngineName
  tier: TierName
  header: Uint8Array
  firstNonce: bigint
  count: number
  weights: SharedWeights
}

export type LaneTask = ExpandTask | DigestsTask

export interface LaneResults {
  expand: null
  digests: { digests: string[]; kernelMilliseconds: number }
}

/** `memory` comes with the first task of its weights. */
export interface LaneRequest {
  id: number
  task: Omit<ExpandTask, 'weights'> | Omit<DigestsTask, 'weights'>
  weightsId: number
  memory?: SharedArrayBuffer
  /** cancellations before it: one more, and its digests are not wanted any longer */
  cancels: number
}

export type LaneAnswer =
  | { id: number; result: LaneResults[keyof LaneResults] }
  | { id: number; cancelled: true }
  | { id: number; error: string }

/** What a lane's thread starts with: memory whose first Int32 counts the cancellations. */
export interface LaneStart {
  cancels: SharedArrayBuffer
}
