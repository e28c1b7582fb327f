/** The prefix cache: keys and values of beginnings of earlier prompts, mostly system prompts. Within a budget of bytes, the least recently used is dropped first. */
import type { KvCache } from './kv-cache'

export interface PrefixCache {
  /** The longest known prefix of a prompt: the first `positions` of the one slot of `cache` hold it. */
  find(prompt: readonly number[]): { cache: KvCache; positions: number } | undefined
  /** Keeps the first positions of the one slot of `cache`. Nobody may write to `cache` afterwards. */
  keep(ids: readonly number[], cache: KvCache): void
  readonly bytes: number
}

/** How prompts are cut into chunks. */
export interface PromptChunks {
  /** how many of the first `positions` positions are in whole chunks */
  wholeChunks(positions: number): number
  /** where the last chunk of a prompt of `length` positions begins; the last chunk may be shorter than a whole one */
  lastChunkStart(length: number): number
}

/**
 * Keeps and reuses only whole chunks before a prompt's last chunk. Those are computed in the same chunks with and without
 * the prefix cache, so every bit of an answer is independent of earlier requests.
 */
export function createPrefixCache({ wholeChunks, lastChunkStart }: PromptChunks, budgetBytes: number): PrefixCache {
  /** the most recently used is last */
  let kept: { ids: readonly number[]; cache: KvCache }[] = []
  const bytes = (): number => kept.reduce((sum, { cache }) => sum + cache.bytes, 0)

  return {
    get bytes() {
      return bytes()
    },
    find: (prompt) => {
      let best: { entry: (typeof kept)[number]; positions: number } | undefined
      // The last chunk always passes through the layers: the logits of its last token are needed.
      const before = lastChunkStart(prompt.length)
      for (const entry of kept) {
        const most = Math.min(entry.ids.length, before)
        let same = 0
        while (same < most && entry.ids[same] === prompt[same]) same++
        const positions = wholeChunks(same)
        if (positions > (best?.positions ?? 0)) best = { entry, positions }
      }
      if (!best) return undefined
      const { entry, positions } = best
      kept = [...kept.filter((other) => other !== entry), entry]
      return { cache: entry.cache, positions }
    },
    keep: (ids, cache) => {
      const whole = lastChunkStart(ids.length)
      if (whole === 0 || cache.bytes > budgetBytes) return
      const known = kept.some((entry) => entry.ids.length >= whole && beginsWith(entry.ids, ids, whole))
      if (known) return
      kept = kept.filter((entry) => !beginsWith(ids, entry.ids, entry.ids.length))
      kept.push({ ids: ids.slice(0, whole), cache })
      while (bytes() > budgetBytes) kept.shift()
    },
  }
}

function beginsWith(ids: readonly number[], beginning: readonly number[], length: number): boolean {
  if (ids.length < length) return false
  for (let index = 0; index < length; index++) if (ids[index] !== beginning[index]) return false
  return true
}
