import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { countedMacs, distance, graphLogits, macsByHand } from './graph.test.support'
import { convertModel } from './index'
import { plainLogits, randomNumbers, tinyModel, type TinyShape, type TinyTensor } from './sources/gguf.test.support'
import {
  bertConfig,
  bertTokenizer,
  safetensorsBytes,
  tinyBert,
  withHeader,
  writeFolder,
  type HeaderEntry,
} from './sources/safetensors.test.support'

type Files = Record<string, string | Uint8Array | object>

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lode-hub-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const base = { layers: 2, width: 64, hidden: 96, heads: 4, keyValueHeads: 2 }
const decoders: { shape: TinyShape; type: number; format: string }[] = [
  { shape: { family: 'llama', ...base, headSize: 16 }, type: 1, format: 'F16' },
  { shape: { family: 'qwen2', ...base, headSize: 16 }, type: 30, format: 'BF16' },
  { shape: { family: 'qwen3', ...base, headSize: 32 }, type: 0, format: 'F32' },
]
const ids = [3, 27, 9, 14, 40, 1, 22, 5, 60, 11, 8]

/** The same tensors under the names that the hub's files have. */
function underHubNames(tensors: readonly TinyTensor[]): TinyTensor[] {
  const plain: Record<string, string> = {
    'token_embd.weight': 'model.embed_tokens.weight',
    'output_norm.weight': 'model.norm.weight',
    'output.weight': 'lm_head.weight',
  }
  const parts: Record<string, string> = {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  }
  return tensors.map((tensor) => {
    const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(\w+)$/.exec(tensor.name) ?? []
    const name = plain[tensor.name] ?? `model.layers.${layer}.${parts[part!]}.${kind}`
    return { ...tensor, name }
  })
}

function decoderFiles({ shape, type }: (typeof decoders)[number]): { files: Files; tensors: TinyTensor[] } {
  const { tensors } = tinyModel(shape, type, 17)
  const files: Files = {
    'config.json': {
      model_type: shape.family,
      num_hidden_layers: shape.layers,
      hidden_size: shape.width,
      intermediate_size: shape.hidden,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.keyValueHeads,
      head_dim: shape.headSize,
      max_position_embeddings: 128,
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
      eos_token_id: [0, 5],
    },
    'tokenizer.json': { model: { type: 'BPE', vocab: {}, merges: [] }, added_tokens: [] },
    'tokenizer_config.json': { chat_template: '{{ messages[0].content }}' },
  }
  return { files, tensors }
}

describe('a decoder of the hub', () => {
  test.each(decoders)('$shape.family in $format computes what the file says', async (decoder) => {
    const { shape } = decoder
    const { files, tensors } = decoderFiles(decoder)
    const folder = writeFolder(join(scratch(), 'tiny'), {
      ...files,
      'model.safetensors': safetensorsBytes(underHubNames(tensors)),
    })
    const expected = plainLogits(shape, tensors, ids, false)
    for (const [precision, error] of [
      ['float32', 1e-4],
      ['int8', 0.05],
    ] as const) {
      const out = join(folder, precision)
      await convertModel({ form: 'safetensors', path: join(folder, 'model.safetensors'), folder: out, precision })
      expect(distance(await graphLogits(out, shape, ids), expected)).toBeLessThan(error)
      expect(await countedMacs(out, shape)).toEqual(macsByHand(shape))
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ eos_token_id: [0, 5] })
    }
  })

  test('weights in several files are found by their index', async () => {
    const decoder = decoders[2]!
    const { files, tensors } = decoderFiles(decoder)
    const named = underHubNames(tensors)
    const [one, two] = [named.slice(0, 9), named.slice(9)]
    const folder = writeFolder(join(scratch(), 'tiny'), {
      ...files,
      'model-00001-of-00002.safetensors': safetensorsBytes(one),
      'model-00002-of-00002.safetensors': safetensorsBytes(two),
      'model.safetensors.index.json': {
        weight_map: Object.fromEntries([
          ...one.map(({ name }) => [name, 'model-00001-of-00002.safetensors']),
          ...two.map(({ name }) => [name, 'model-00002-of-00002.safetensors']),
        ]) as Record<string, string>,
      },
    })
    const out = join(folder, 'out')
    await convertModel({ form: 'safetensors', path: folder, folder: out, precision: 'float32' })
    const expected = plainLogits(decoder.shape, tensors, ids, false)
    expect(distance(await graphLogits(out, decoder.shape, ids), expected)).toBeLessThan(1e-4)
  })
})

const encoder = { layers: 1, width: 32, hidden: 64, heads: 2, context: 16 }
const good = (): Files => ({
  'config.json': bertConfig(encoder),
  'tokenizer.json': bertTokenizer,
  'model.safetensors': safetensorsBytes(tinyBert(encoder, 0, 3)),
})

/** What adding the folder is refused with. */
async function refusal(home: string, files: Files): Promise<string> {
  const folder = writeFolder(join(home, 'tiny'), files)
  const error = await convertModel({ form: 'safetensors', path: folder, folder: join(home, 'out') }).then(
    () => new Error('it was converted'),
    (failure: unknown) => failure,
  )
  expect(existsSync(join(home, 'out'))).toBe(false)
  if (!(error instanceof Failure)) throw error
  expect(error.code).toBe('model-refused')
  return error.message
}

describe('refused, with the reason and nothing left behind', () => {
  const header = (change: (entries: Record<string, HeaderEntry>) => void): Uint8Array => {
    const whole = Buffer.from(good()['model.safetensors'] as Uint8Array)
    const length = Number(whole.readBigUInt64LE())
    const entries = JSON.parse(whole.subarray(8, 8 + length).toString()) as Record<string, HeaderEntry>
    change(entries)
    return withHeader(JSON.stringify(entries), whole.subarray(8 + length))
  }
  const word = 'embeddings.word_embeddings.weight'
  const cases: [name: string, files: Files, words: string][] = [
    ['a family that is not known', { 'config.json': { model_type: 'mamba' } }, 'mamba'],
    ['a quantized model', { 'config.json': { ...bertConfig(encoder), quantization_config: {} } }, 'quantized'],
    ['an activation that is not computed', { 'config.json': { ...bertConfig(encoder), hidden_act: 'swish' } }, 'swish'],
    ['absurd sizes', { 'config.json': { ...bertConfig(encoder), num_hidden_layers: 1e9 } }, 'num_hidden_layers'],
    ['more layers than tensors', { 'config.json': { ...bertConfig(encoder), num_hidden_layers: 2 } }, 'layer.1.'],
    ['a configuration that is no JSON', { 'config.json': '{' }, 'config.json is not JSON'],
    ['an empty file', { 'model.safetensors': new Uint8Array() }, 'cut short'],
    ['a header of 2^60 bytes', { 'model.safetensors': Buffer.from('0000000000000010ff', 'hex') }, 'claims a header'],
    ['a header that ends after the file', { 'model.safetensors': Buffer.from('ffff000000000000', 'hex') }, 'cut short'],
    ['a header that is no JSON', { 'model.safetensors': withHeader('{"a', new Uint8Array()) }, 'not JSON'],
    ['a header that is a list', { 'model.safetensors': withHeader('[1]', new Uint8Array()) }, 'names no tensors'],
    [
      'a tensor of 2^60 bytes',
      { 'model.safetensors': header((all) => (all[word]!.shape = [2 ** 30, 2 ** 28])) },
      'size',
    ],
    [
      'a tensor after the end',
      { 'model.safetensors': header((all) => (all[word]!.data_offsets = [4e9, 4e9 + 1664])) },
      'cut short',
    ],
    [
      'tensors over one another',
      { 'model.safetensors': header((all) => (all[word]!.data_offsets = [4, 1668])) },
      'over one another',
    ],
    ['a type that is none', { 'model.safetensors': header((all) => (all[word]!.dtype = 'F12')) }, 'F12'],
    ['a missing tensor', { 'model.safetensors': header((all) => delete all[word]) }, word],
    ['pooling that is not computed', { '1_Pooling/config.json': { pooling_mode_max_tokens: true } }, '1_Pooling'],
  ]
  test.each(cases)('%s', async (_, files, words) => {
    expect(await refusal(scratch(), { ...good(), ...files })).toContain(words)
  })

  test('a folder without a tokenizer, a decoder without a chat template, an index that leaves the folder', async () => {
    const { 'tokenizer.json': tokenizer, ...without } = good()
    expect(tokenizer).toBeDefined()
    expect(await refusal(scratch(), without)).toContain('tokenizer.json is missing')
    const { files } = decoderFiles(decoders[0]!)
    expect(await refusal(scratch(), { ...files, 'tokenizer_config.json': {}, 'model.safetensors': 'x' })).toContain(
      'no chat template',
    )
    const { 'model.safetensors': weights, ...others } = good()
    expect(weights).toBeDefined()
    const index = { weight_map: { a: '../../secret.safetensors' } }
    expect(await refusal(scratch(), { ...others, 'model.safetensors.index.json': index })).toContain('secret')
  })

  test('a link that leaves the folder', async () => {
    const home = scratch()
    writeFileSync(join(home, 'secret'), '{}')
    const { 'tokenizer.json': tokenizer, ...others } = good()
    expect(tokenizer).toBeDefined()
    writeFolder(join(home, 'tiny'), others)
    symlinkSync(join(home, 'secret'), join(home, 'tiny/tokenizer.json'))
    expect(await refusal(home, {})).toContain('leaves the folder')
  })

  test('two hundred files with changed bytes: each is converted or refused, and nothing lies outside', async () => {
    const home = scratch()
    const folder = writeFolder(join(home, 'tiny'), good())
    const whole = good()['model.safetensors'] as Uint8Array
    const headBytes = 8 + Number(Buffer.from(whole).readBigUInt64LE())
    const random = randomNumbers(7)
    let refused = 0
    for (let file = 0; file < 200; file++) {
      const changed = Uint8Array.from(whole)
      for (let change = 0; change < 3; change++) changed[Math.floor(random() * headBytes)] = Math.floor(random() * 256)
      const cut = file % 4 === 0 ? Math.floor(random() * whole.length) : whole.length
      writeFileSync(join(folder, 'model.safetensors'), changed.subarray(0, cut))
      const outcome = await convertModel({ form: 'safetensors', path: folder, folder: join(home, 'out') }).catch(
        (error: unknown) => error,
      )
      if (outcome instanceof Failure) refused++
      else if (outcome instanceof Error) throw outcome
      rmSync(join(home, 'out'), { recursive: true, force: true })
      expect(readdirSync(home)).toEqual(['tiny'])
    }
    expect(refused).toBeGreaterThan(100)
  })
})
