/** The forward pass for several requests at once: what continuous batching and single-sequence decoding have in common. */

/** One request's tokens in the cache. */
export interface Sequence {
  /** tokens of the prompt that are in the cache */
  readonly prefilled: number
  /** Passes the next chunk of the prompt through the layers, from position `from` on. After the last chunk, gives the logits of the prompt's last token. */
  prefill(): Promise<{ from: number; logits: Float32Array | null }>
  /** Frees its slot in the cache. */
  close(): void
}

export interface Sequences {
  /** Begins a request; nothing is computed yet. */
  open(prompt: readonly number[]): Sequence
  /**
   * Computes one more token of each sequence, all of whose prompts are prefilled, and gives the logits in the same order.
   * Rejects with a Failure `out-of-memory`, and changes nothing, when memory does not suffice.
   */
  step(next: readonly { sequence: Sequence; id: number }[]): Promise<Float32Array[]>
}
