import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import type { ModelPrecision } from '#shared/domain/worker-protocol'
import { countTransformerMacs } from '../inference/graph/macs'
import { readGraph } from '../inference/graph/read'
import { convertModel } from './index'
import {
  bertConfig,
  bertTokenizer,
  plainVectors,
  safetensorsBytes,
  tinyBert,
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

async function converted(type: number, precision: ModelPrecision): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'lode-bert-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const folder = writeFolder(join(home, 'tiny-bert'), {
    'config.json': bertConfig(shape),
    'tokenizer.json': bertTokenizer,
    'model.safetensors': safetensorsBytes(tinyBert(shape, type, 3)),
    'README.md': '---\nlanguage: en\nlicense: apache-2.0\n---\n# Tiny\n',
  })
  const result = await convertModel(folder, join(home, 'out'), { precision })
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
  return rows.map((row, text) =>
    row.map((_, at) => values.slice((text * longest + at) * shape.width, (text * longest + at + 1) * shape.width)),
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
  const graph = await readGraph(join(await converted(0, precision), 'model.onnx'))
  const macs = countTransformerMacs(graph, ['last_hidden_state'], { heads: shape.heads, headSize: 16 })
  const { layers, width, hidden } = shape
  expect(macs).toEqual({
    perToken: layers * (4 * width * width + 2 * width * hidden),
    perLogits: 0,
    perPair: layers * 2 * width,
  })
})

function cosine(one: Float64Array, other: Float32Array): number {
  const dot = one.reduce((sum, value, index) => sum + value * other[index]!, 0)
  return dot / (Math.hypot(...one) * Math.hypot(...other))
}
