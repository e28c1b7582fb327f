/** What a chat backend is asked, and what it reports while it computes. */
import type { ChatSampling } from '#shared/domain/job'

export interface ChatRequest {
  /** token ids of the rendered conversation */
  prompt: readonly number[]
  /** the most tokens to generate */
  maxNewTokens: number
  sampling: ChatSampling | undefined
  stop: readonly string[]
  signal: AbortSignal
  /** A piece of the answer, whole characters, with the index of the newest token that it contains. */
  onToken(text: string, index: number): void
  /** After each run of the graph: what the run computed for this request. Called synchronously, one after another, for all requests that shared the run. */
  onComputed?(range: ComputedRange): void
}

/** Positions `from` to `to` (exclusive) passed through the layers, and `heads` rows of logits were made. */
export interface ComputedRange {
  from: number
  to: number
  heads: number
}
