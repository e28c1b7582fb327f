import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { installedModelOf, type ModelPrecision } from '#shared/domain/model-stages'
import { countTransformerMacs } from '../inference/graph/macs'
import { readGraph } from '../inference/graph/read'
import { probeModel, runJob } from '../inference/index'
import { unusedWeights } from './graph.test.support'
import { convertModel } from './index'
import { BLOCK_FORMATS } from './sources/block-formats'
import { ggufBytes } from './sources/gguf.test.support'
import { hubNames } from './sources/hub-names'
import {
  bertConfig,
  bertTokenizer,
  plainVectors,
  safetensorsBytes,
  tinyBert,
  tinyGgufBert,
  writeFolder,
  type TinyEncoder,
} from './sources/safetensors.test.support'

const shape: TinyEncoder = { layers: 2, width: 64, hidden: 160, heads: 4, context: 24 }
const texts = [
  [2, 4, 7, 9, 10, 12, 6, 3],
  [2, 5, 3],
  [2, 11, 8, 6, 5, 4, 9, 12, 7, 10, 4, 3],
  [2, 3],
]

function scratch(): string {
  const home = mkdtempSync(join(tmpdir(), 'lode-bert-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

async function converted(type: number, precision: ModelPrecision): Promise<string> {
  const home = scratch()
  const folder = writeFolder(join(home, 'tiny-bert'), {
    'config.json': bertConfig(shape),
    'tokenizer.json': bertTokenizer,
    'model.safetensors': safetensorsBytes(tinyBert(shape, type, 3)),
    'README.md': '---\nlanguage: en\nlicense: apache-2.0\n---\n# Tiny\n',
  })
  const result = await convertModel({ form: 'safetensors', path: folder, folder: join(home, 'out'), precision })
  expect(result).toEqual({ name: 'tiny-bert', licence: 'apache-2.0' })
  return join(home, 'out')
}

/** The vectors of every text's tokens, all texts in one run. */
async function graphVectors(folder: string, rows: readonly number[][]): Promise<Float32Array[][]> {
  const session = await InferenceSession.create(join(folder, 'model.onnx'))
  onTestFinished(() => session.release())
  const longest = Math.max(...rows.map((row) => row.length))
  const filled = (value: (row: number[], at: number) => number): Tensor =>
    new Tensor(
      'int64',
      BigInt64Array.from(rows.flatMap((row) => Array.from({ length: longest }, (_, at) => BigInt(value(row, at))))),
      [rows.length, longest],
    )
  const { last_hidden_state: output } = await session.run({
    input_ids: filled((row, at) => row[at] ?? 0),
    attention_mask: filled((row, at) => (at < row.length ? 1 : 0)),
  })
  const values = output!.data as Float32Array
  const width = output!.dims[2]!
  return rows.map((row, text) =>
    row.map((_, at) => values.slice((text * longest + at) * width, (text * longest + at + 1) * width)),
  )
}

const formats = [
  { name: 'F32', type: 0 },
  { name: 'F16', type: 1 },
  { name: 'BF16', type: 30 },
]
test.each(formats)('a BERT of safetensors in $name computes what the file says', async ({ type }) => {
  const expected = texts.map((ids) => plainVectors(shape, tinyBert(shape, type, 3), ids))
  const exact = await graphVectors(await converted(type, 'float32'), texts)
  const rounded = await graphVectors(await converted(type, 'int8'), texts)
  expected.forEach((rows, text) => {
    rows.forEach((vector, at) => {
      vector.forEach((value, index) => expect(exact[text]![at]![index]!).toBeCloseTo(value, 4))
      expect(cosine(vector, rounded[text]![at]!)).toBeGreaterThan(0.999)
    })
  })
})

test.each(['int8', 'float32'] as const)('in %s no text’s vectors depend on its neighbours', async (precision) => {
  const folder = await converted(0, precision)
  const together = await graphVectors(folder, texts)
  for (const [index, text] of texts.entries()) {
    const [alone] = await graphVectors(folder, [text])
    alone!.forEach((vector, at) =>
      vector.forEach((value, dimension) => expect(value).toBeCloseTo(together[index]![at]![dimension]!, 5)),
    )
  }
})

test.each(['int8', 'float32'] as const)('its MACs in %s are those of its matrices', async (precision) => {
  const folder = await converted(0, precision)
  expect(unusedWeights(folder)).toEqual([])
  const graph = await readGraph(join(folder, 'model.onnx'))
  const macs = countTransformerMacs(graph, ['last_hidden_state'], { heads: shape.heads, headSize: 16 })
  const { layers, width, hidden } = shape
  expect(macs).toEqual({
    perToken: layers * (4 * width * width + 2 * width * hidden),
    perLogits: 0,
    perPair: layers * 2 * width,
  })
})

/** The folder made of a GGUF file. */
async function convertedGguf(file: ReturnType<typeof tinyGgufBert>, precision: ModelPrecision): Promise<string> {
  const home = scratch()
  writeFileSync(join(home, 'tiny.gguf'), ggufBytes(file.metadata, file.tensors))
  const result = await convertModel({
    form: 'gguf',
    path: join(home, 'tiny.gguf'),
    folder: join(home, 'out'),
    precision,
  })
  expect(result).toEqual({ name: 'Tiny bert', licence: 'apache-2.0' })
  return join(home, 'out')
}

describe('a BERT of GGUF', () => {
  // one layer whose rows are whole blocks of every format
  const wide: TinyEncoder = { layers: 1, width: 256, hidden: 256, heads: 4, context: 24 }
  const allFormats = Object.entries(BLOCK_FORMATS).map(([type, { name }]) => ({ type: Number(type), name }))
  test.each(allFormats)('in $name computes what the file says', async ({ type }) => {
    const file = tinyGgufBert(wide, type, 5)
    const toHub = hubNames('bert', () => false)
    const hub = file.tensors.map((tensor) => ({ ...tensor, name: toHub(tensor.name) }))
    const expected = plainVectors(wide, hub, texts[0]!)
    const [exact] = await graphVectors(await convertedGguf(file, 'float32'), [texts[0]!])
    const [rounded] = await graphVectors(await convertedGguf(file, 'int8'), [texts[0]!])
    expected.forEach((vector, at) => {
      vector.forEach((value, index) => expect(exact![at]![index]!).toBeCloseTo(value, 3))
      expect(cosine(vector, rounded![at]!)).toBeGreaterThan(0.999)
    })
  })

  test('is the very model that safetensors of the same numbers make', async () => {
    const own = await graphVectors(await convertedGguf(tinyGgufBert(shape, 0, 3), 'int8'), texts)
    expect(own).toEqual(await graphVectors(await converted(0, 'int8'), texts))
  })

  test.each([
    { number: 1, pooling: 'mean' },
    { number: 2, pooling: 'cls' },
  ])('answers jobs, by $pooling where the file says so', async ({ number, pooling }) => {
    const file = tinyGgufBert(shape, 0, 3)
    const folder = await convertedGguf(
      { ...file, metadata: { ...file.metadata, 'bert.pooling_type': number } },
      'float32',
    )
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      statSync(join(folder, path)).isFile(),
    )
    const named = files.map((path) => ({ path, bytes: statSync(join(folder, path)).size, sha256: '0'.repeat(64) }))
    const macFormula = { kind: 'embed', perToken: 1, perPair: 1 } as const
    const about = { id: 'tiny', kind: 'embed', name: 'Tiny', licence: 'mit', source: 'a test', context: 0 } as const
    const model = installedModelOf({ ...about, macFormula, files: named }, folder)
    expect((await probeModel(model, { threads: 1 })).context).toBe(shape.context)

    // "A bad CABX": capitals are nothing to it, and the end of the last word is unknown
    const ids = [2, 6, 4, 1, 3]
    const rows = plainVectors(shape, tinyBert(shape, 0, 3), ids)
    const counted = pooling === 'cls' ? rows.slice(0, 1) : rows
    const expected = rows[0]!.map((_, at) => counted.reduce((sum, row) => sum + row[at]!, 0))
    const run = await runJob(
      { jobId: 'job', input: { kind: 'embed', texts: ['A bad CABX'] }, model },
      { threads: 1, signal: new AbortController().signal, onToken: () => undefined },
    )
    expect(run.sizes).toEqual({ kind: 'embed', tokensPerText: [ids.length] })
    const [vector] = run.output as number[][]
    expect(cosine(expected, Float32Array.from(vector!))).toBeGreaterThan(0.9999)
    // The other way is another vector.
    expect(cosine(rows[pooling === 'cls' ? 2 : 0]!, Float32Array.from(vector!))).toBeLessThan(0.999)
  })

  test.each([
    ['that sees only what came before', { 'bert.attention.causal': true }, 'only those before it'],
    ['for ranking', { 'bert.pooling_type': 4 }, 'by "rank", which Lode does not compute'],
    ['of another tokenizer', { 'tokenizer.ggml.model': 't5' }, 'tokenizer of the kind t5'],
    ['without words', { 'tokenizer.ggml.tokens': '' }, 'no tokenizer'],
    [
      'with too few vectors',
      { 'tokenizer.ggml.tokens': Array<string>(14).fill('a') },
      '14 words, and vectors for fewer',
    ],
    ['whose heads do not divide', { 'bert.attention.head_count': 3 }, 'its heads do not divide'],
    ['without a context', { 'bert.context_length': 0 }, 'no usable bert.context_length'],
  ])('%s is refused, and leaves nothing', async (_what, change, words) => {
    const file = tinyGgufBert(shape, 0, 3)
    const home = scratch()
    writeFileSync(join(home, 'tiny.gguf'), ggufBytes({ ...file.metadata, ...change }, file.tensors))
    await expect(
      convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder: join(home, 'out') }),
    ).rejects.toMatchObject({
      code: 'model-refused',
      message: expect.stringContaining(words) as string,
    })
    expect(existsSync(join(home, 'out'))).toBe(false)
  })
})

function cosine(one: Float64Array, other: Float32Array): number {
  const dot = one.reduce((sum, value, index) => sum + value * other[index]!, 0)
  return dot / (Math.hypot(...one) * Math.hypot(...other))
}
