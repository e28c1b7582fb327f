/** A GGUF file's tokenizer, against the ids that llama.cpp and SentencePiece give (test/fixtures/tokenizers.json says how they were made). */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, test } from 'vitest'
import { tokenizerFiles } from './gguf-tokenizer'

interface Golden {
  bytePairs: { tokens: string[]; merges: string[] }
  sentencePieces: { tokens: string[]; scores: number[]; types: number[] }
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

describe.each(Object.entries(kinds))('%s', (kind, metadata) => {
  const files = tokenizerFiles(metadata, 'tiny', 'chat')
  const tokenizer = new Tokenizer(
    JSON.parse(files['tokenizer.json']) as object,
    JSON.parse(files['tokenizer_config.json']) as object,
  )
  // qwen2's own tokenizer composes accents first, which llama.cpp does not
  const texts = golden.texts.map((text, index) => [text, golden.ids[kind]?.[index] ?? []] as const)
  const same = kind === 'qwen2' ? texts.filter(([text]) => text === text.normalize('NFC')) : texts
  test.each(same)('cuts %j as llama.cpp does', (text, ids) => {
    expect(tokenizer.encode(text, { add_special_tokens: false }).ids).toEqual(ids)
    expect(tokenizer.decode(ids, { clean_up_tokenization_spaces: false })).toBe(text)
  })
})
