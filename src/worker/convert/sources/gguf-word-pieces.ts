/**
 * The WordPiece tokenizer of a BERT in a GGUF file, said as the hub's tokenizer.json says it. GGUF marks the words that
 * begin with "▁" and leaves those that continue one bare; the hub marks those that continue with "##".
 */
import { message } from '#shared/domain/messages'
import { refuse } from './tensor-source'

type Metadata = Readonly<Record<string, unknown>>

const WORD_START = '▁'
/** A longer word is unknown as a whole, as in BERT's own program. */
const MAX_WORD_CHARACTERS = 100

export interface WordPieces {
  /** the words as the hub writes them, by id */
  words: string[]
  /** the tokens around a text, and those for what is unknown and what is filled up, by their names in tokenizer_config.json */
  special: Record<'cls_token' | 'sep_token' | 'unk_token' | 'pad_token' | 'mask_token', string | undefined>
  /** normalizer, pre-tokenizer, model, decoder and post-processor of tokenizer.json */
  parts: object
}

/** `isControl`: by id, what is no text. Throws a Failure where the file has no token for unknown words. */
export function wordPieces(
  metadata: Metadata,
  vocabulary: readonly string[],
  isControl: (id: number) => boolean,
  file: string,
): WordPieces {
  const words = vocabulary.map((word, id) => (isControl(id) ? word : hubWord(word)))
  const ids = new Map<string, number>()
  for (const [id, word] of words.entries()) if (!ids.has(word)) ids.set(word, id)
  const named = (keys: readonly string[], usual: string): string | undefined => {
    for (const key of keys) {
      const id = metadata[`tokenizer.ggml.${key}_token_id`]
      const word = typeof id === 'number' || typeof id === 'bigint' ? words[Number(id)] : undefined
      if (word !== undefined) return word
    }
    return ids.has(usual) ? usual : undefined
  }
  const special = {
    cls_token: named(['cls', 'bos'], '[CLS]'),
    // GGUF's own spelling came first
    sep_token: named(['seperator', 'separator', 'eos'], '[SEP]'),
    unk_token: named(['unknown'], '[UNK]'),
    pad_token: named(['padding'], '[PAD]'),
    mask_token: named(['mask'], '[MASK]'),
  }
  if (special.unk_token === undefined) throw refuse(message('model-no-unknown-token', { file }))
  const before = metadata['tokenizer.ggml.add_bos_token'] === false ? undefined : special.cls_token
  const after = metadata['tokenizer.ggml.add_sep_token'] === false ? undefined : special.sep_token
  const lowercase = flag(metadata, 'lowercase') ?? !hasCapitals(words, isControl)
  return {
    words,
    special,
    parts: {
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: flag(metadata, 'strip_accents') ?? lowercase,
        lowercase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: frame(before, after, ids),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: special.unk_token,
        continuing_subword_prefix: '##',
        max_input_chars_per_word: MAX_WORD_CHARACTERS,
        vocab: Object.fromEntries(ids),
      },
    },
  }
}

/** Older files leave words in brackets, "[unused7]", as they were. */
function hubWord(word: string): string {
  if (word.startsWith(WORD_START) && word !== WORD_START) return word.slice(WORD_START.length)
  return /^\[.+\]$/.test(word) ? word : `##${word}`
}

/** What newer files say of the letters; files that say nothing are of models without capitals, or have words with them. */
function flag(metadata: Metadata, name: 'lowercase' | 'strip_accents'): boolean | undefined {
  const value = metadata[`tokenizer.ggml.normalizer.${name}`]
  return typeof value === 'boolean' ? value : undefined
}

/** Some letters, ℝ among them, are capitals that have no small ones. */
function hasCapitals(words: readonly string[], isControl: (id: number) => boolean): boolean {
  return words.some((word, id) => !isControl(id) && !word.startsWith('[') && word !== word.toLowerCase())
}

function frame(before: string | undefined, after: string | undefined, ids: ReadonlyMap<string, number>): object | null {
  const around = [before, after].filter((token) => token !== undefined)
  if (around.length === 0) return null
  const token = (id: string | undefined): object[] => (id === undefined ? [] : [{ SpecialToken: { id, type_id: 0 } }])
  const single = [...token(before), { Sequence: { id: 'A', type_id: 0 } }, ...token(after)]
  return {
    type: 'TemplateProcessing',
    single,
    pair: single,
    special_tokens: Object.fromEntries(around.map((id) => [id, { id, ids: [ids.get(id) ?? 0], tokens: [id] }])),
  }
}
