/** A GGUF file's tokenizer, against the ids that llama.cpp and SentencePiece give (test/fixtures/tokenizers.json says how they were made). */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, test } from 'vitest'
import { embedModel } from '../../inference/real-models.test.support'
import { tokenizerFiles } from './gguf-tokenizer'

interface Golden {
  bytePairs: { tokens: string[]; merges: string[] }
  sentencePieces: { tokens: string[]; scores: number[]; types: number[] }
  wordPieces: { tokens: string[]; types: number[] }
  texts: string[]
  ids: Record<string, number[][]>
}
const fixture = resolve(import.meta.dirname, '../../../../test/fixtures/tokenizers.json')
const golden = JSON.parse(readFileSync(fixture, 'utf8')) as Golden

const template = { 'tokenizer.chat_template': '{{ messages }}' }
const bytePairs = (pre: string): Record<string, unknown> => ({
  ...template,
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': pre,
  'tokenizer.ggml.tokens': golden.bytePairs.tokens,
  'tokenizer.ggml.merges': golden.bytePairs.merges,
  'tokenizer.ggml.token_type': golden.bytePairs.tokens.map((_, id) => (id === 0 ? 3 : 1)),
})
const sentencePieces = (prefix: boolean): Record<string, unknown> => ({
  ...template,
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': golden.sentencePieces.tokens,
  'tokenizer.ggml.scores': golden.sentencePieces.scores,
  'tokenizer.ggml.token_type': golden.sentencePieces.types,
  'tokenizer.ggml.unknown_token_id': 0,
  'tokenizer.ggml.add_space_prefix': prefix,
})
const kinds: Record<string, Record<string, unknown>> = {
  'gpt-2': bytePairs('gpt-2'),
  smollm: bytePairs('smollm'),
  'llama-bpe': bytePairs('llama-bpe'),
  qwen2: bytePairs('qwen2'),
  spm: sentencePieces(true),
  'spm-no-prefix': sentencePieces(false),
}

function tokenizerOf(metadata: Record<string, unknown>, kind: 'chat' | 'embed'): Tokenizer {
  const files = tokenizerFiles(metadata, 'tiny', kind)
  const read = (name: 'tokenizer.json' | 'tokenizer_config.json'): object => JSON.parse(files[name]) as object
  return new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
}

describe.each(Object.entries(kinds))('%s', (kind, metadata) => {
  const tokenizer = tokenizerOf(metadata, 'chat')
  // qwen2's own tokenizer composes accents first, which llama.cpp does not
  const texts = golden.texts.map((text, index) => [text, golden.ids[kind]?.[index] ?? []] as const)
  const same = kind === 'qwen2' ? texts.filter(([text]) => text === text.normalize('NFC')) : texts
  test.each(same)('cuts %j as llama.cpp does', (text, ids) => {
    expect(tokenizer.encode(text, { add_special_tokens: false }).ids).toEqual(ids)
    expect(tokenizer.decode(ids, { clean_up_tokenization_spaces: false })).toBe(text)
  })
})

describe('word pieces', () => {
  const { tokens, types } = golden.wordPieces
  const metadata = {
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.bos_token_id': 3,
    'tokenizer.ggml.seperator_token_id': 4,
    'tokenizer.ggml.unknown_token_id': 2,
    'tokenizer.ggml.padding_token_id': 0,
  }
  const idsOf = (change: Record<string, unknown>, text: string): number[] =>
    tokenizerOf({ ...metadata, ...change }, 'embed').encode(text).ids
  const wordsOf = (change: Record<string, unknown>, text: string): (string | undefined)[] =>
    idsOf(change, text).map((id) => tokens[id])
  // as files of older programs have it: words in brackets bare, nothing said of kinds and ids
  const older = {
    'tokenizer.ggml.tokens': tokens.map((word) => word.replace(/^▁(\[.+\])$/, '$1')),
    'tokenizer.ggml.token_type': undefined,
    'tokenizer.ggml.bos_token_id': undefined,
    'tokenizer.ggml.seperator_token_id': undefined,
    'tokenizer.ggml.unknown_token_id': undefined,
    'tokenizer.ggml.padding_token_id': undefined,
  }

  test.each(golden.texts.map((text, index) => [text, golden.ids['wpm']?.[index]] as const))(
    'cuts %j as BERT does',
    (text, ids) => {
      expect(idsOf({}, text)).toEqual([3, ...ids!, 4])
      expect(idsOf(older, text)).toEqual([3, ...ids!, 4])
    },
  )

  test.skipIf(!embedModel)('cuts as the tokenizer.json of the same model does', () => {
    const path = join(embedModel!.folder, 'tokenizer.json')
    const file = JSON.parse(readFileSync(path, 'utf8')) as { model: { vocab: Record<string, number> } }
    const own = new Tokenizer(file, {})
    const all = Object.entries(file.model.vocab).toSorted(([, one], [, other]) => one - other)
    const spelled = all.map(([word]) =>
      /^\[.+\]$/.test(word) ? word : word.startsWith('##') ? word.slice(2) : `▁${word}`,
    )
    const made = tokenizerOf({ 'tokenizer.ggml.model': 'bert', 'tokenizer.ggml.tokens': spelled }, 'embed')
    for (const text of golden.texts) expect(made.encode(text).ids).toEqual(own.encode(text).ids)
  })

  test('a word longer than any is unknown as a whole', () => {
    expect(wordsOf({}, `a ${'a'.repeat(101)} b`)).toEqual(['[CLS]', '▁a', '[UNK]', '▁b', '[SEP]'])
  })

  test('letters stay as they are where the file says so, or has words with capitals', () => {
    const cased = { 'tokenizer.ggml.tokens': [...tokens, '▁Hello', '▁é'] }
    const last = (change: Record<string, unknown>, text: string): number[] => idsOf({ ...cased, ...change }, text)
    const [hello, accent] = [tokens.length, tokens.length + 1]
    expect(last({}, 'Hello é')).toEqual([3, hello, accent, 4])
    expect(last({ 'tokenizer.ggml.normalizer.lowercase': true }, 'Hello')).toEqual(idsOf({}, 'hello'))
    const kept = { 'tokenizer.ggml.normalizer.lowercase': true, 'tokenizer.ggml.normalizer.strip_accents': false }
    expect(last(kept, 'É')).toEqual([3, accent, 4])
  })

  test('nothing stands around a text where the file wants nothing there', () => {
    const bare = { 'tokenizer.ggml.add_bos_token': false, 'tokenizer.ggml.add_sep_token': false }
    expect(wordsOf(bare, 'hello')).toEqual(['▁hello'])
  })

  test('without a token for unknown words the file is refused', () => {
    const without = {
      'tokenizer.ggml.tokens': tokens.map((word) => (word === '[UNK]' ? '▁none' : word)),
      'tokenizer.ggml.unknown_token_id': undefined,
    }
    expect(() => idsOf(without, 'a')).toThrow('tiny has no token for unknown words')
  })
})
