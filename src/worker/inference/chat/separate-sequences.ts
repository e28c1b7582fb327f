/** For graphs that keep a cache for one request at a time: the requests take turns, token by token. */
import { createDecoder } from './decoder'
import type { ChatModel } from './model'
import type { Sequence, Sequences } from './sequences'

export function createSeparateSequences(model: ChatModel): Sequences {
  const decoders = new WeakMap<Sequence, ReturnType<typeof createDecoder>>()
  return {
    open: (prompt) => {
      const decoder = createDecoder(model)
      const last = Math.max(0, prompt.length - 2)
      let absorbed = 0
      const sequence: Sequence = {
        get absorbed() {
          return absorbed
        },
        /**
         * Logits are asked for in the last part only: those of the others are not needed, and large. No part has one
         * token alone where two are to be had: one-row products take another kernel, which rounds otherwise, and so
         * what a prompt gives does not depend on how it is cut.
         */
        absorb: async () => {
          const from = absorbed
          if (absorbed >= last) {
            const logits = await decoder.next(prompt.slice(absorbed))
            absorbed = prompt.length
            return { from, logits }
          }
          const part = Math.min(model.prefillTokens, last - absorbed)
          const tokens = last - absorbed - part === 1 && part > 2 ? part - 1 : part
          await decoder.absorb(prompt.slice(absorbed, absorbed + tokens))
          absorbed += tokens
          return { from, logits: null }
        },
        close: () => void decoders.delete(sequence),
      }
      decoders.set(sequence, decoder)
      return sequence
    },
    step: async (next) => {
      const rows: Float32Array[] = []
      for (const { sequence, id } of next) rows.push(await decoders.get(sequence)!.next([id]))
      return rows
    },
  }
}
