import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { BLOCK_FORMATS } from './sources/block-formats'
import { ggufBytes, plainLogits, randomNumbers, tinyModel, WORDS, type TinyShape } from './sources/gguf.test.support'
import { tinyGgufBert } from './sources/safetensors.test.support'
import { countedMacs, distance, graphLogits, graphOutputs, macsByHand, unusedWeights } from './graph.test.support'
import { convertModel } from './index'

const base = { layers: 2, width: 256, hidden: 512, heads: 4, keyValueHeads: 2 }
const shapes: TinyShape[] = [
  // its values are few enough to be kept in float32
  { family: 'llama', ...base, heads: 8, headSize: 32 },
  { family: 'qwen2', ...base, headSize: 64 },
  // its heads are wider than the width shared among them
  { family: 'qwen3', ...base, headSize: 128 },
]
const ids = [3, 27, 9, 14, 40, 1, 22, 5, 60, 11, 8]

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lode-convert-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function converted(bytes: Uint8Array): Promise<{ folder: string; name: string; licence: string }> {
  const home = scratch()
  writeFileSync(join(home, 'tiny.gguf'), bytes)
  const folder = join(home, 'out')
  return { folder, ...(await convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder })) }
}

describe('the graph of a GGUF file computes what the file says', () => {
  const formats = Object.entries(BLOCK_FORMATS).map(([type, { name }]) => ({ type: Number(type), name }))
  const cases = shapes.flatMap((shape) => formats.map((format) => ({ ...format, shape, family: shape.family })))
  test.each(cases)('$family in $name', async ({ type, shape }) => {
    const { metadata, tensors } = tinyModel(shape, type, 11)
    const { folder } = await converted(ggufBytes(metadata, tensors))
    const expected = plainLogits(shape, tensors, ids)
    // Inputs and weights have 8 bits within the products; a wrong rotation, order or sign is an error of the size of the values.
    expect(distance(await graphLogits(folder, shape, ids), expected)).toBeLessThan(0.08)
    expect(await countedMacs(folder, shape)).toEqual(macsByHand(shape))
    expect(unusedWeights(folder)).toEqual([])
  })

  test.each(shapes)(
    '$family: asked for the last tokens alone, or for none, it gives them the same logits and the cache the same keys and values',
    async (shape) => {
      const { metadata, tensors } = tinyModel(shape, 0, 11)
      const { folder } = await converted(ggufBytes(metadata, tensors))
      const all = await graphOutputs(folder, shape, ids, ids.length)
      const group = shape.heads / shape.keyValueHeads
      for (const [kept, repeats] of [
        [3, 1],
        [1, group],
        [0, group],
      ] as const) {
        const some = await graphOutputs(folder, shape, ids, kept, repeats)
        const expected = all.logits.subarray(all.logits.length - kept * WORDS.length)
        expect(some.logits).toHaveLength(expected.length)
        some.logits.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 1))
        for (const part of ['keys', 'values'] as const) {
          expect(some[part]).toHaveLength(all[part].length)
          some[part].forEach((value, index) => expect(value).toBeCloseTo(all[part][index]!, 2))
        }
      }
    },
  )

  test('name, licence and context come from the file', async () => {
    const { metadata, tensors } = tinyModel(shapes[0]!, 8, 3)
    const { folder, name, licence } = await converted(ggufBytes(metadata, tensors))
    expect({ name, licence }).toEqual({ name: 'Tiny llama', licence: 'mit' })
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toMatchObject({
      max_position_embeddings: 128,
      eos_token_id: [0],
      num_key_value_heads: 2,
    })
  })
})

describe('refused, with the reason and nothing left behind', () => {
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    const home = scratch()
    writeFileSync(join(home, 'tiny.gguf'), bytes)
    const error = await convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder: join(home, 'out') }).then(
      () => new Error('it was converted'),
      (failure: unknown) => failure,
    )
    expect(existsSync(join(home, 'out'))).toBe(false)
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('model-refused')
    return error.message
  }
  const { metadata, tensors } = tinyModel(shapes[0]!, 8, 5)

  test.each([
    ['an architecture that is not known', { 'general.architecture': 'mamba' }, 'family mamba'],
    ['no tokenizer', { 'tokenizer.ggml.tokens': '' }, 'no tokenizer'],
    ['a way of cutting text that is not known', { 'tokenizer.ggml.pre': 'klingon' }, 'klingon'],
    ['no chat template', { 'tokenizer.chat_template': '' }, 'no chat template'],
    ['experts', { 'llama.expert_count': 8 }, 'experts'],
    ['heads that do not divide', { 'llama.attention.head_count_kv': 3 }, 'do not divide'],
    ['a size of nothing', { 'llama.embedding_length': 0 }, 'llama.embedding_length'],
    ['more layers than tensors', { 'llama.block_count': 500 }, 'blk.2.'],
  ] as const)('%s', async (_, change, words) => {
    expect(await refusal(ggufBytes({ ...metadata, ...change }, tensors))).toContain(words)
  })

  test('a file that is cut short, at any place', async () => {
    const whole = ggufBytes(metadata, tensors)
    for (const share of [0, 0.0001, 0.001, 0.002, 0.01, 0.5, 0.99]) {
      const message = await refusal(whole.subarray(0, Math.floor(whole.length * share)))
      expect(message).toMatch(/not a GGUF file|cut short/)
    }
  })

  test('a tensor of an absurd size allocates nothing', async () => {
    const [first, ...others] = tensors
    const message = await refusal(ggufBytes(metadata, [{ ...first!, rows: 2 ** 45, columns: 2 ** 15 }, ...others]))
    expect(message).toMatch(/impossible size|exceeds the maximum/)
  })

  test('two hundred files of a BERT with changed bytes: each is converted or refused', async () => {
    const bert = tinyGgufBert({ layers: 1, width: 64, hidden: 64, heads: 2, context: 16 }, 8, 3)
    const whole = ggufBytes(bert.metadata, bert.tensors)
    const random = randomNumbers(1)
    const headBytes = whole.length - bert.tensors.reduce((sum, tensor) => sum + tensor.bytes.length, 0)
    let refused = 0
    for (let file = 0; file < 200; file++) {
      const changed = Uint8Array.from(whole)
      for (let change = 0; change < 3; change++) changed[Math.floor(random() * headBytes)] = Math.floor(random() * 256)
      const home = scratch()
      writeFileSync(join(home, 'tiny.gguf'), changed)
      const outcome = await convertModel({
        form: 'gguf',
        path: join(home, 'tiny.gguf'),
        folder: join(home, 'out'),
      }).catch((error: unknown) => error)
      if (outcome instanceof Failure) refused++
      else if (outcome instanceof Error) throw outcome
      rmSync(home, { recursive: true })
    }
    expect(refused).toBeGreaterThan(50)
  })
})

test('a disk that becomes full in the middle is said to be full, and nothing stays on it', async (context) => {
  const home = scratch()
  const disk = join(home, 'small disk')
  mkdirSync(disk)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', disk]).status === 0
  if (!mounted) return context.skip('no small disk can be mounted here')
  try {
    const { metadata, tensors } = tinyModel(shapes[0]!, 8, 5)
    writeFileSync(join(home, 'tiny.gguf'), ggufBytes(metadata, tensors))
    await expect(
      convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder: join(disk, 'out') }),
    ).rejects.toMatchObject({
      code: 'data-folder',
      message: 'the disk is full: the model was not made',
      action: `Free some space where ${disk} lies.`,
    })
    expect(readdirSync(disk)).toEqual([])
  } finally {
    spawnSync('umount', [disk])
  }
})

test('words of the file are the tokenizer’s words', async () => {
  const { metadata, tensors } = tinyModel(shapes[1]!, 8, 3)
  const { folder } = await converted(ggufBytes(metadata, tensors))
  const { Tokenizer } = await import('@huggingface/tokenizers')
  const read = (file: string): object => JSON.parse(readFileSync(join(folder, file), 'utf8')) as object
  const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
  const names = tokenizer.encode('bad 42').ids.map((id) => WORDS[id])
  expect(names).toEqual(['b', 'a', 'd', 'Ġ', '4', '2'])
  expect(tokenizer.decode(tokenizer.encode('bad 42').ids)).toBe('bad 42')
})
