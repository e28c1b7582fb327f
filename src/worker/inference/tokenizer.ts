/** A model's tokenizer, with bounded steps: a text of a megabyte must not block the worker's event loop for long. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'
import { damaged, readModelJson } from './model-files'

const specialToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const tokenizerFile = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z.array(z.unknown()),
})
const tokenizerConfig = z.looseObject({
  model_max_length: z.number().nullish(),
  eos_token: specialToken,
  bos_token: specialToken,
  pad_token: specialToken,
  unk_token: specialToken,
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
})
export type TokenizerConfig = z.infer<typeof tokenizerConfig>

export interface TextTokenizer {
  config: TokenizerConfig
  /** Ids of a text. Stops when more than `limit` ids are certain; `complete`: the whole text was read. */
  encode(text: string, limit: number, signal: AbortSignal): Promise<{ ids: number[]; complete: boolean }>
  /** Text of ids, without special tokens, with incomplete characters as U+FFFD. Nothing is tidied up. */
  decode(ids: number[]): string
  /** the special tokens that the tokenizer puts before and after a text */
  prefix: number[]
  suffix: number[]
  idOf(token: string): number | undefined
}

/** Loads tokenizer.json and tokenizer_config.json. Throws a Failure that names the file when one is not usable. */
export async function loadTokenizer(model: InstalledModel): Promise<TextTokenizer> {
  const file = await readModelJson(model, 'tokenizer.json', tokenizerFile)
  if (!file) throw damaged(message('run-missing', { file: 'tokenizer.json' }))
  const config = (await readModelJson(model, 'tokenizer_config.json', tokenizerConfig)) ?? {}
  try {
    return wrap(new Tokenizer(file, config), config)
  } catch (error) {
    throw damaged(
      message('run-not-understood', {
        file: 'tokenizer.json',
        words: error instanceof Error ? error.message : String(error),
      }),
    )
  }
}

/** The text of a special token as tokenizer_config.json writes it: a string or an object. */
export function tokenText(token: z.infer<typeof specialToken>): string | undefined {
  return typeof token === 'string' ? token : token?.content
}

function wrap(tokenizer: Tokenizer, config: TokenizerConfig): TextTokenizer {
  const idsOf = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids
  const plain = idsOf('a')
  const framed = tokenizer.encode('a', { add_special_tokens: true }).ids
  const start = framed.findIndex((_, index) => plain.every((id, offset) => framed[index + offset] === id))
  if (plain.length === 0 || start < 0) throw new Error('it does not encode the letter a')
  return {
    config,
    prefix: framed.slice(0, start),
    suffix: framed.slice(start + plain.length),
    decode: (ids) =>
      ids.length === 0 ? '' : tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    idOf: (token) => tokenizer.token_to_id(token),
    encode: async (text, limit, signal) => {
      // Byte-pair encoding of one long word takes seconds a megabyte: encode a growing beginning until the limit is certainly passed.
      for (let characters = Math.max(4096, limit * 4); ; characters *= 2) {
        if (signal.aborted) throw new Failure('cancelled', message('job-was-cancelled'))
        const ids = idsOf(text.slice(0, characters))
        if (characters >= text.length) return { ids, complete: true }
        // The last word of a cut text may be encoded differently than in the whole text: hence the slack of 16.
        if (ids.length > limit + 16) return { ids, complete: false }
        await nextTurn()
      }
    },
  }
}
