/** Single-sequence decoding, for graphs that keep a cache for one request at a time: the requests take turns, token by token. */
import { createDecoder } from './decoder'
import type { ChatModel } from './model'
import type { Sequence, Sequences } from './sequences'

export function createSingleSequence(model: ChatModel): Sequences {
  const decoders = new WeakMap<Sequence, ReturnType<typeof createDecoder>>()
  return {
    open: (prompt) => {
      const decoder = createDecoder(model)
      const last = Math.max(0, prompt.length - 2)
      let prefilled = 0
      const sequence: Sequence = {
        get prefilled() {
          return prefilled
        },
        /**
         * Only the last chunk asks for logits: those of the other chunks are large and not needed. No chunk has one token
         * alone where two are left: products of one row use another kernel, which rounds differently. So the result of a
         * prompt does not depend on how the prompt is cut into chunks.
         */
        prefill: async () => {
          const from = prefilled
          if (prefilled >= last) {
            const logits = await decoder.next(prompt.slice(prefilled))
            prefilled = prompt.length
            return { from, logits }
          }
          const chunk = Math.min(model.prefillChunkTokens, last - prefilled)
          const tokens = last - prefilled - chunk === 1 && chunk > 2 ? chunk - 1 : chunk
          await decoder.prefill(prompt.slice(prefilled, prefilled + tokens))
          prefilled += tokens
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
