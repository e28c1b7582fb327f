/** Beginnings of prompts that were computed before, system prompts above all: kept by last use, within a budget. */
import type { KeyValueBlock } from './key-values'

export interface PrefixStore {
  /** The longest known beginning of a prompt: `positions` of `block`'s one row hold it. */
  find(prompt: readonly number[]): { block: KeyValueBlock; positions: number } | undefined
  /** Keeps the first positions of a block's one row. The block is not written to any more. */
  keep(ids: readonly number[], block: KeyValueBlock): void
  readonly bytes: number
}

/** How prompts are cut into parts. */
export interface PromptParts {
  /** positions of the whole parts among so many */
  wholeParts(positions: number): number
  /** where the last part, which need not be a whole one, of a prompt of so many positions begins */
  lastPartStart(length: number): number
}

/**
 * Only whole parts before a prompt's last one are kept and reused: they are computed in the same parts with or without it,
 * so an answer does not depend on what was asked before, to the last bit.
 */
export function createPrefixStore({ wholeParts, lastPartStart }: PromptParts, budgetBytes: number): PrefixStore {
  /** used last at the end */
  let kept: { ids: readonly number[]; block: KeyValueBlock }[] = []
  const bytes = (): number => kept.reduce((sum, { block }) => sum + block.bytes, 0)

  return {
    get bytes() {
      return bytes()
    },
    find: (prompt) => {
      let best: { entry: (typeof kept)[number]; positions: number } | undefined
      // the last part passes through the layers in any case: its last token's logits are wanted
      const before = lastPartStart(prompt.length)
      for (const entry of kept) {
        const most = Math.min(entry.ids.length, before)
        let same = 0
        while (same < most && entry.ids[same] === prompt[same]) same++
        const positions = wholeParts(same)
        if (positions > (best?.positions ?? 0)) best = { entry, positions }
      }
      if (!best) return undefined
      const { entry, positions } = best
      kept = [...kept.filter((other) => other !== entry), entry]
      return { block: entry.block, positions }
    },
    keep: (ids, block) => {
      const whole = lastPartStart(ids.length)
      if (whole === 0 || block.bytes > budgetBytes) return
      const known = kept.some((entry) => entry.ids.length >= whole && beginsWith(entry.ids, ids, whole))
      if (known) return
      kept = kept.filter((entry) => !beginsWith(ids, entry.ids, entry.ids.length))
      kept.push({ ids: ids.slice(0, whole), block })
      while (bytes() > budgetBytes) kept.shift()
    },
  }
}

function beginsWith(ids: readonly number[], beginning: readonly number[], length: number): boolean {
  if (ids.length < length) return false
  for (let index = 0; index < length; index++) if (ids[index] !== beginning[index]) return false
  return true
}
