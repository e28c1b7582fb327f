import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto, { type onnx } from 'onnx-proto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { JobRun } from '#shared/domain/job'
import { probeModel, runJob } from '../index'
import { embedModel } from '../real-models.test.support'

function embed(texts: string[], signal = new AbortController().signal): Promise<JobRun> {
  return runJob(
    { jobId: 'job', input: { kind: 'embed', texts }, model: embedModel! },
    { threads: 1, signal, onToken: () => undefined },
  )
}

function cosine(a: number[], b: number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0) / Math.hypot(...a) / Math.hypot(...b)
}

/** last_hidden_state = table[input_ids]: the smallest embedding model there is, in float32. */
function tableGraph(): Uint8Array {
  const [words, dimensions] = [30_522, 4]
  const table = Float32Array.from({ length: words * dimensions }, (_, index) => Math.sin(index * 12.9898))
  const value = (name: string, elemType: number, ...dims: string[]): onnx.IValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((dimension) => (dimension === '4' ? { dimValue: 4 } : { dimParam: dimension })) },
      },
    },
  })
  const graph: onnx.IGraphProto = {
    name: 'table',
    input: ['input_ids', 'attention_mask'].map((name) => value(name, 7, 'texts', 'tokens')),
    output: [value('last_hidden_state', 1, 'texts', 'tokens', '4')],
    initializer: [{ name: 'table', dims: [words, dimensions], dataType: 1, rawData: new Uint8Array(table.buffer) }],
    node: [{ opType: 'Gather', input: ['table', 'input_ids'], output: ['last_hidden_state'] }],
  }
  return onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph }).finish()
}

describe.skipIf(!embedModel)('embeddings on the real model', () => {
  test('texts of like meaning lie closer than others', async () => {
    const vectors = (
      await embed([
        'A cat sits on the mat.',
        'The kitten is resting on a rug.',
        'Share prices fell sharply on Monday.',
        'The stock market lost value at the start of the week.',
      ])
    ).output as number[][]
    const [cat, kitten, shares, market] = vectors as [number[], number[], number[], number[]]
    expect(cosine(cat, kitten)).toBeGreaterThan(0.5)
    expect(cosine(shares, market)).toBeGreaterThan(0.5)
    for (const animal of [cat, kitten])
      for (const money of [shares, market]) expect(cosine(animal, money)).toBeLessThan(0.2)
  })

  test('vectors have 384 numbers and length 1, and their hash is the evidence', async () => {
    const run = await embed(['one', 'two words', ''])
    const vectors = run.output as number[][]
    const digest = createHash('sha256')
    for (const vector of vectors) {
      expect(vector).toHaveLength(384)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
      digest.update(new Uint8Array(Float32Array.from(vector).buffer))
    }
    expect(run.evidence).toEqual({ kind: 'embed', vectorsSha256: digest.digest('hex') })
  })

  test('order, number of tokens and vectors do not depend on the neighbours', async () => {
    const long = 'the quick brown fox jumps over the lazy dog '.repeat(12)
    const texts = [long, 'short', '', `${long} again`, 'a sentence of middling length', 'short']
    const together = await embed(texts)
    const vectors = together.output as number[][]
    const alone: number[] = []
    for (const [index, text] of texts.entries()) {
      const run = await embed([text])
      if (run.sizes.kind === 'embed') alone.push(...run.sizes.tokensPerText)
      expect((run.output as number[][])[0]).toEqual(vectors[index])
    }
    expect(together.sizes).toEqual({ kind: 'embed', tokensPerText: alone })
    expect(alone).toEqual([110, 3, 2, 111, 8, 3])
    expect((await embed(texts)).evidence).toEqual(together.evidence)
  })

  test('a model without ranges over a batch runs in batches, and gives the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lode-embed-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    for (const { path } of embedModel!.manifest.files)
      if (path !== 'model.onnx') symlinkSync(join(embedModel!.folder, path), join(folder, path))
    writeFileSync(join(folder, 'model.onnx'), tableGraph())
    const texts = Array.from({ length: 50 }, (_, index) => 'word '.repeat(index % 7) + index)
    const context = { threads: 1, signal: new AbortController().signal, onToken: () => undefined }
    const model = { ...embedModel!, folder }
    const together = (await runJob({ jobId: 'job', input: { kind: 'embed', texts }, model }, context))
      .output as number[][]
    for (const [index, text] of texts.entries()) {
      const alone = (await runJob({ jobId: 'job', input: { kind: 'embed', texts: [text] }, model }, context))
        .output as number[][]
      expect(cosine(alone[0]!, together[index]!)).toBeCloseTo(1, 5)
    }
    expect(cosine(together[0]!, together[1]!)).toBeLessThan(0.9999)
  })

  test('a text beyond the context is cut there, whatever it is', async () => {
    const word = 'hello '
    const [cut, longer, binary] = [word.repeat(254), word.repeat(150_000), '\u0000\u0001\ufffd\ud800'.repeat(100_000)]
    const run = await embed([cut, longer, binary])
    const [first, second] = run.output as number[][]
    expect(cosine(first!, second!)).toBeCloseTo(1, 6)
    expect(run.sizes).toMatchObject({ tokensPerText: [256, 256, expect.any(Number)] })
  })

  test('stops when cancelled', async () => {
    const controller = new AbortController()
    const run = embed(Array<string>(2000).fill('a text that takes its time, again and again'), controller.signal)
    setImmediate(() => controller.abort())
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('its MACs are those computed by hand', async () => {
    const [layers, hidden, inner] = [6, 384, 1536]
    expect(await probeModel(embedModel!, { threads: 1 })).toEqual({
      macFormula: {
        kind: 'embed',
        perToken: layers * (4 * hidden * hidden + 2 * hidden * inner),
        perPair: layers * 2 * hidden,
      },
      context: 256,
    })
    const wide = { ...embedModel!, manifest: { ...embedModel!.manifest, context: 0 } }
    expect((await probeModel(wide, { threads: 1 })).context).toBe(512)
  })
})
