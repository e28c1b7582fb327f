/** Messages between the worker's main thread and its compute threads. Each compute thread computes whole nonces, so that no kernel waits for another. */
import type { TierName } from '#shared/domain/tiers'
import type { ThreadBackendName } from './thread-backend'

/**
 * Weights in memory that all compute threads share. A thread receives the memory once and finds it by its id afterwards: every
 * further handle that arrives would count as garbage of the memory's size.
 */
export interface SharedWeights {
  id: number
  memory: SharedArrayBuffer
}

/** Expand one layer of an epoch into the layout of the backend. */
export interface ExpandTask {
  kind: 'expand'
  backend: ThreadBackendName
  tier: TierName
  epochSeed: Uint8Array
  layer: number
  weights: SharedWeights
}

/** Digests of nonces firstNonce … firstNonce + count − 1. */
export interface DigestsTask {
  kind: 'digests'
  backend: ThreadBackendName
  tier: TierName
  header: Uint8Array
  firstNonce: bigint
  count: number
  weights: SharedWeights
}

export type ThreadTask = ExpandTask | DigestsTask

export interface ThreadResults {
  expand: null
  digests: { digests: string[]; kernelMilliseconds: number }
}

/** `memory`: sent with the first task for its weights. */
export interface ThreadRequest {
  id: number
  task: Omit<ExpandTask, 'weights'> | Omit<DigestsTask, 'weights'>
  weightsId: number
  memory?: SharedArrayBuffer
  /** the number of cancellations before the request; when it grows, the digests are not needed any more */
  cancels: number
}

export type ThreadAnswer =
  | { id: number; result: ThreadResults[keyof ThreadResults] }
  | { id: number; cancelled: true }
  | { id: number; error: string }

/** What a compute thread starts with. */
export interface ThreadStart {
  /** its first Int32 counts the cancellations */
  cancels: SharedArrayBuffer
}
