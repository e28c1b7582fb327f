/** What the worker's main thread asks of its lanes: threads that each compute whole nonces, so that no kernel waits for another. */
import type { TierName } from '#shared/domain/tiers'
import type { LaneEngineName } from './engine'

/** Expand one layer of an epoch into the engine's layout. */
export interface ExpandTask {
  kind: 'expand'
  engine: LaneEngineName
  tier: TierName
  epochSeed: Uint8Array
  layer: number
  weights: SharedArrayBuffer
}

/** Digests of nonces firstNonce … firstNonce + count − 1. */
export interface DigestsTask {
  kind: 'digests'
  engine: LaneEngineName
  tier: TierName
  header: Uint8Array
  firstNonce: bigint
  count: number
  weights: SharedArrayBuffer
}

export type LaneTask = ExpandTask | DigestsTask

export interface LaneResults {
  expand: null
  digests: { digests: string[]; kernelMilliseconds: number }
}

export interface LaneRequest {
  id: number
  task: LaneTask
}

export type LaneAnswer = { id: number; result: LaneResults[keyof LaneResults] } | { id: number; error: string }
