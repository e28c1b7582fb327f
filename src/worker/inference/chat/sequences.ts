/** The forward pass for several requests at once, whatever way the graph keeps its cache. */
import { createJoinedSequences } from './joined-sequences'
import type { ChatModel } from './model'
import { createSeparateSequences } from './separate-sequences'

/** One request's tokens in the cache. */
export interface Sequence {
  /** tokens of the prompt that are in the cache */
  readonly absorbed: number
  /** Passes the next part of the prompt through the layers, from position `from` on. The logits of its last token when it was the last part. */
  absorb(): Promise<{ from: number; logits: Float32Array | null }>
  /** Lets go of its place. */
  close(): void
}

export interface Sequences {
  /** Begins a request; nothing is computed yet. */
  open(prompt: readonly number[]): Sequence
  /**
   * One more token of each, all of whose prompts are absorbed; gives their logits, in the same order. Rejects with a
   * Failure `out-of-memory`, and changes nothing, when memory does not suffice.
   */
  step(next: readonly { sequence: Sequence; id: number }[]): Promise<Float32Array[]>
}

export function createSequences(model: ChatModel, free: () => number): Sequences {
  return model.joined === null ? createSeparateSequences(model) : createJoinedSequences(model, model.joined, free)
}
