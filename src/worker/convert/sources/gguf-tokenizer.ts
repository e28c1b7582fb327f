/** tokenizer.json, tokenizer_config.json and the chat template from a GGUF file's metadata. */
import { z } from 'zod'
import { message } from '#shared/domain/messages'
import { wordPieces } from './gguf-word-pieces'
import { refuse } from './tensor-source'

/** A word of the vocabulary that is no text: control words and those a person's program added. Numbers are GGUF's. */
const CONTROL = 3
const USER_DEFINED = 4

const words = z.array(z.string()).min(2).max(2_000_000)
const numbers = z.array(z.union([z.number(), z.bigint().transform(Number)]))

const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
const LLAMA3_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const QWEN2_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

const split = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})
const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
const digits = { type: 'Digits', individual_digits: true }

/** How text is cut into words before byte pairs are joined, by the name that the file gives. */
const PRE_TOKENIZERS: Readonly<Record<string, readonly object[]>> = {
  'gpt-2': [split(GPT2_PATTERN), bytes],
  smollm: [digits, split(GPT2_PATTERN), bytes],
  'llama-bpe': [split(LLAMA3_PATTERN), bytes],
  llama3: [split(LLAMA3_PATTERN), bytes],
  qwen2: [split(QWEN2_PATTERN), bytes],
}

export type TokenizerFiles = Record<'tokenizer.json' | 'tokenizer_config.json', string> & {
  'chat_template.jinja'?: string
}

/** Throws a Failure `model-refused`: no vocabulary, no chat template where one is needed, or a pre-tokenizer that Lode does not know. */
export function tokenizerFiles(
  metadata: Readonly<Record<string, unknown>>,
  name: string,
  kind: 'chat' | 'embed',
): TokenizerFiles {
  const tokens = words.safeParse(metadata['tokenizer.ggml.tokens'])
  if (!tokens.success) throw refuse(message('model-no-tokenizer', { file: name }))
  const template = metadata['tokenizer.chat_template']
  if (kind === 'chat' && (typeof template !== 'string' || template === ''))
    throw refuse(message('model-no-chat-template', { file: name }))
  const kinds = numbers.safeParse(metadata['tokenizer.ggml.token_type']).data ?? []
  const { vocabulary, special, parts } = tokenizerOf(metadata, tokens.data, kinds, name)
  const names = new Set(Object.values(special))
  const added = vocabulary.flatMap((content, id) => {
    // Files of older programs do not call a BERT's own tokens control words.
    const isSpecial = kinds[id] === CONTROL || ('cls_token' in special && names.has(content))
    if (!isSpecial && kinds[id] !== USER_DEFINED) return []
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false }
    return [{ id, content, ...plain, special: isSpecial }]
  })
  const file = { version: '1.0', truncation: null, padding: null, added_tokens: added, post_processor: null, ...parts }
  return {
    'tokenizer.json': JSON.stringify(file),
    'tokenizer_config.json': JSON.stringify(special),
    ...(kind === 'chat' && typeof template === 'string' ? { 'chat_template.jinja': template } : {}),
  }
}

interface GgufTokenizer {
  /** by id, as tokenizer.json writes words */
  vocabulary: readonly string[]
  /** the words with a task, by their names in tokenizer_config.json */
  special: Readonly<Record<string, string | undefined>>
  /** what is particular to the kind in tokenizer.json */
  parts: object
}

function tokenizerOf(
  metadata: Readonly<Record<string, unknown>>,
  vocabulary: string[],
  kinds: readonly number[],
  name: string,
): GgufTokenizer {
  const word = (key: string): string | undefined => {
    const id = metadata[`tokenizer.ggml.${key}_token_id`]
    return typeof id === 'number' || typeof id === 'bigint' ? vocabulary[Number(id)] : undefined
  }
  const special = {
    bos_token: word('bos'),
    eos_token: word('eos'),
    pad_token: word('padding'),
    unk_token: word('unknown'),
  }
  const model = String(metadata['tokenizer.ggml.model'])
  switch (model) {
    case 'gpt2':
      return { vocabulary, special, parts: bytePairs(metadata, vocabulary, name) }
    case 'llama':
      return { vocabulary, special, parts: sentencePieces(metadata, vocabulary, name) }
    case 'bert': {
      const { words, ...rest } = wordPieces(metadata, vocabulary, (id) => kinds[id] === CONTROL, name)
      return { vocabulary: words, ...rest }
    }
    default:
      throw refuse(message('model-tokenizer-kind', { file: name, tokenizer: model.slice(0, 40) }))
  }
}

function bytePairs(metadata: Readonly<Record<string, unknown>>, vocabulary: string[], name: string): object {
  const named = metadata['tokenizer.ggml.pre']
  const pre = typeof named === 'string' ? named : 'none'
  const steps = PRE_TOKENIZERS[pre]
  if (!steps) throw refuse(message('model-text-cut', { file: name, rule: pre }))
  const merges = z.array(z.string()).safeParse(metadata['tokenizer.ggml.merges'])
  if (!merges.success) throw refuse(message('model-no-merges', { file: name }))
  return {
    normalizer: pre === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: steps },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.startsWith('llama'),
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
      merges: merges.data.map((merge) => merge.split(' ')),
    },
  }
}

/** SentencePiece's byte pairs have no merges but scores: two words join in the order of the score of what they make. */
function sentencePieces(metadata: Readonly<Record<string, unknown>>, vocabulary: string[], name: string): object {
  const scores = numbers.safeParse(metadata['tokenizer.ggml.scores'])
  if (!scores.success) throw refuse(message('model-no-scores', { file: name }))
  const ids = new Map(vocabulary.map((word, id) => [word, id]))
  const merges: { pair: [string, string]; score: number; left: number; right: number }[] = []
  vocabulary.forEach((word, id) => {
    for (let cut = 1; cut < word.length; cut++) {
      const pair: [string, string] = [word.slice(0, cut), word.slice(cut)]
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])]
      if (left !== undefined && right !== undefined) merges.push({ pair, score: scores.data[id] ?? 0, left, right })
    }
  })
  merges.sort((one, other) => other.score - one.score || one.left - other.left || one.right - other.right)
  const prefixed = metadata['tokenizer.ggml.add_space_prefix'] !== false
  const unknown = vocabulary[Number(metadata['tokenizer.ggml.unknown_token_id'] ?? 0)]
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: merges.map(({ pair }) => pair),
    },
  }
}
