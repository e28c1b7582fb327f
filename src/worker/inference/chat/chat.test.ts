import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { chatSampling, type ChatInput, type ChatMessage, type JobRun } from '#shared/domain/job'
import { installedModelOf } from '#shared/domain/model-stages'
import { probeModel, runJob } from '../index'
import { chatModel } from '../real-models.test.support'
import { loadTokenizer } from '../tokenizer'

interface Ask {
  messages: ChatMessage[]
  maxTokens?: number
  signal?: AbortSignal
  onToken?: (text: string, index: number) => void
  context?: number
  choice?: Pick<ChatInput, 'sampling' | 'stop'>
}

function ask({
  messages,
  maxTokens = 24,
  signal = new AbortController().signal,
  onToken = () => undefined,
  context,
  choice = {},
}: Ask): Promise<JobRun> {
  const manifest = { ...chatModel!.manifest, ...(context !== undefined && { context }) }
  return runJob(
    { jobId: 'job', input: { kind: 'chat', messages, maxTokens, ...choice }, model: { ...chatModel!, manifest } },
    { threads: 1, signal, onToken },
  )
}

function evidenceOf(run: JobRun): Extract<JobRun['evidence'], { kind: 'chat' }> {
  if (run.evidence.kind !== 'chat') throw new Error('no evidence of a chat')
  return run.evidence
}

/** <|im_end|> */
const END = 2
const question: ChatMessage[] = [{ role: 'user', content: 'What is the capital of France?' }]

describe.skipIf(!chatModel)('chat on the real model', () => {
  test('answers, and streams what it answers', async () => {
    const pieces: { text: string; index: number }[] = []
    const run = await ask({ messages: question, maxTokens: 64, onToken: (text, index) => pieces.push({ text, index }) })
    const evidence = evidenceOf(run)
    expect(run.output).toContain('Paris')
    expect(pieces.length).toBeGreaterThan(5)
    expect(pieces.map((piece) => piece.text).join('')).toBe(run.output)
    expect(pieces.map((piece) => piece.index)).toEqual(
      [...new Set(pieces.map((piece) => piece.index))].toSorted((a, b) => a - b),
    )
    expect(evidence.finish).toBe(evidence.tokenIds.at(-1) === END ? 'stop' : 'length')
    expect(run.sizes).toEqual({
      kind: 'chat',
      promptTokens: evidence.promptTokenIds.length,
      generatedTokens: evidence.tokenIds.length,
    })
    const tokenizer = await loadTokenizer(chatModel!)
    expect(tokenizer.decode(evidence.tokenIds)).toBe(run.output)
    // The model's own template: a system message, the question, and the beginning of the answer.
    const prompt =
      '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n'
    expect(evidence.promptTokenIds).toEqual((await tokenizer.encode(prompt, 8192, new AbortController().signal)).ids)
  })

  test('draws by the seed, and the evidence names every drawn token', async () => {
    const sampled = async (seed: number) =>
      ask({ messages: question, choice: { sampling: chatSampling.parse({ temperature: 2, seed }) } })
    const first = await sampled(1)
    expect((await sampled(1)).output).toBe(first.output)
    expect((await sampled(2)).output).not.toBe(first.output)
    const { tokenIds, topLogProbabilities } = evidenceOf(first)
    tokenIds.forEach((id, position) => {
      expect(topLogProbabilities[position]!.map(([candidate]) => candidate)).toContain(id)
    })
  })

  test('ends before a stop string that lies across tokens', async () => {
    const whole = (await ask({ messages: question })).output as string
    const cut = whole.indexOf('Paris') + 2
    const stop = whole.slice(cut, cut + 8)
    const pieces: string[] = []
    const run = await ask({ messages: question, choice: { stop: [stop] }, onToken: (text) => pieces.push(text) })
    expect(run.output).toBe(whole.slice(0, cut))
    expect(pieces.join('')).toBe(run.output)
    expect(evidenceOf(run).finish).toBe('stop')
  })

  test('ends with a token that generation_config.json names, which is counted but not shown', async () => {
    const before = evidenceOf(await ask({ messages: question }))
    const end = before.tokenIds[4]!
    const length = before.tokenIds.indexOf(end) + 1
    const folder = mkdtempSync(join(tmpdir(), 'lode-chat-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    for (const { path } of chatModel!.manifest.files) symlinkSync(join(chatModel!.folder, path), join(folder, path))
    writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: [end, 1_000_000] }))
    const files = [...chatModel!.manifest.files, { path: 'generation_config.json', bytes: 1, sha256: '0'.repeat(64) }]
    const run = await runJob(
      {
        jobId: 'job',
        input: { kind: 'chat', messages: question, maxTokens: 24 },
        model: installedModelOf({ ...chatModel!.manifest, files }, folder),
      },
      { threads: 1, signal: new AbortController().signal, onToken: () => undefined },
    )
    expect(evidenceOf(run)).toMatchObject({ finish: 'stop', tokenIds: before.tokenIds.slice(0, length) })
    expect(run.output).toBe((await loadTokenizer(chatModel!)).decode(before.tokenIds.slice(0, length - 1)))
    expect(run.sizes).toMatchObject({ generatedTokens: length })
  })

  test('gives the same tokens and log-probabilities twice, the greedy choice first', async () => {
    const [first, second] = [await ask({ messages: question }), await ask({ messages: question })]
    expect(second.output).toBe(first.output)
    expect(second.evidence).toEqual(first.evidence)
    const evidence = evidenceOf(first)
    expect(evidence.topLogProbabilities).toHaveLength(evidence.tokenIds.length)
    evidence.topLogProbabilities.forEach((top, position) => {
      expect(top).toHaveLength(5)
      expect(top[0]?.[0]).toBe(evidence.tokenIds[position])
      expect(top.map(([, value]) => value)).toEqual(top.map(([, value]) => value).toSorted((a, b) => b - a))
      expect(top.reduce((sum, [, value]) => sum + Math.exp(value), 0)).toBeLessThanOrEqual(1 + 1e-9)
    })
  })

  test('a pass over prompt and answer together gives the same log-probabilities within rounding', async () => {
    const evidence = evidenceOf(await ask({ messages: question }))
    const runtime = await import('onnxruntime-node')
    const session = await runtime.InferenceSession.create(join(chatModel!.folder, 'model.onnx'), {
      intraOpNumThreads: 1,
    })
    const ids = [...evidence.promptTokenIds, ...evidence.tokenIds.slice(0, -1)]
    const whole = (values: number[]) =>
      new runtime.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
    const empty = session.inputNames
      .filter((name) => name.startsWith('past_key_values'))
      .map((name) => [name, new runtime.Tensor('float32', new Float32Array(0), [1, 3, 0, 64])])
    const { logits } = await session.run(
      { ...Object.fromEntries(empty), input_ids: whole(ids), attention_mask: whole(ids.map(() => 1)) },
      ['logits'],
    )
    const data = logits!.data as Float32Array
    const distances: number[] = []
    evidence.tokenIds.forEach((id, position) => {
      const row = data.subarray(
        (evidence.promptTokenIds.length - 1 + position) * 49152,
        (evidence.promptTokenIds.length + position) * 49152,
      )
      const maximum = row.reduce((a, b) => Math.max(a, b))
      const logSum = maximum + Math.log(row.reduce((sum, value) => sum + Math.exp(value - maximum), 0))
      for (const [candidate, value] of evidence.topLogProbabilities[position] ?? []) {
        distances.push(Math.abs((row[candidate] ?? 0) - logSum - value))
      }
      expect(row[id]).toBeGreaterThan(maximum - 1)
    })
    // Decoding takes one-row kernels, which round otherwise; a wrong cache or position would give distances of several units.
    expect(distances.reduce((a, b) => a + b) / distances.length).toBeLessThan(0.3)
    await session.release()
  })

  test('ends at maxTokens, and at the end of the context', async () => {
    const short = await ask({ messages: question, maxTokens: 3 })
    expect(evidenceOf(short)).toMatchObject({ finish: 'length', tokenIds: expect.objectContaining({ length: 3 }) })
    const prompt = evidenceOf(short).promptTokenIds.length
    // One more than fits: the last token never passes through the layers.
    const narrow = await ask({ messages: question, maxTokens: 100, context: prompt + 4 })
    expect(evidenceOf(narrow)).toMatchObject({ finish: 'length', tokenIds: expect.objectContaining({ length: 5 }) })
    expect(evidenceOf(narrow).tokenIds.slice(0, 3)).toEqual(evidenceOf(short).tokenIds)
    await expect(ask({ messages: question, context: prompt - 1 })).rejects.toMatchObject({
      code: 'invalid-input',
      message: `the text has ${prompt} tokens; this model takes at most ${prompt - 1}`,
    })
  })

  test('refuses a text longer than the context, also a very long one, before any work', async () => {
    for (const content of ['hello world '.repeat(50_000), 'a'.repeat(1_000_000)]) {
      await expect(ask({ messages: [{ role: 'user', content }] })).rejects.toMatchObject({
        code: 'invalid-input',
        message: 'the text has more than 8,192 tokens; this model takes at most 8,192',
      })
    }
  })

  test('what a prompt gives does not depend on the parts it is computed in', async () => {
    const content = `Here are some words: ${'tree river stone cloud '.repeat(70)}. Which word came first?`
    const run = await ask({ messages: [{ role: 'user', content }], maxTokens: 2 })
    expect(evidenceOf(run).promptTokenIds.length).toBeGreaterThan(256)
    const largerParts = await runJob(
      {
        jobId: 'job',
        input: { kind: 'chat', messages: [{ role: 'user', content }], maxTokens: 2 },
        model: {
          ...chatModel!,
          manifest: { ...chatModel!.manifest, macFormula: { kind: 'chat', perToken: 1e6, perLogits: 1, perPair: 1 } },
        },
      },
      { threads: 2, signal: new AbortController().signal, onToken: () => undefined },
    )
    expect(evidenceOf(largerParts).topLogProbabilities[0]).toEqual(evidenceOf(run).topLogProbabilities[0])
  })

  test('takes emoji, CJK, control characters and half characters', async () => {
    const content = '👩‍🚀 漢字かな交じり文 Grüße \u0000\u0007 \ud800 العربية'
    const run = await ask({ messages: [{ role: 'user', content }], maxTokens: 4 })
    const tokenizer = await loadTokenizer(chatModel!)
    expect(tokenizer.decode(evidenceOf(run).promptTokenIds)).toContain(content.replaceAll(/\p{Surrogate}/gu, '\ufffd'))
  })

  test('stops when cancelled, in the answer and in the prompt, and can be asked again at once', async () => {
    const inAnswer = new AbortController()
    const pieces: string[] = []
    const cancelled = ask({
      messages: question,
      maxTokens: 500,
      signal: inAnswer.signal,
      onToken: (text) => {
        pieces.push(text)
        inAnswer.abort()
      },
    })
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    expect(pieces).toHaveLength(1)

    const inPrompt = new AbortController()
    const long = ask({
      messages: [{ role: 'user', content: 'hello world '.repeat(2000) }],
      signal: inPrompt.signal,
      onToken: (text) => pieces.push(text),
    })
    setImmediate(() => inPrompt.abort())
    await expect(long).rejects.toMatchObject({ code: 'cancelled' })
    expect(pieces).toHaveLength(1)
    expect((await ask({ messages: question, maxTokens: 2 })).output).not.toBe('')
  })

  test('two conversations at once do not mix', async () => {
    const other: ChatMessage[] = [{ role: 'user', content: 'Name a colour.' }]
    const [alone, aloneToo] = [await ask({ messages: question }), await ask({ messages: other })]
    const [together, togetherToo] = await Promise.all([ask({ messages: question }), ask({ messages: other })])
    expect(together.evidence).toEqual(alone.evidence)
    expect(togetherToo.evidence).toEqual(aloneToo.evidence)
  })

  test('its MACs are those computed by hand', async () => {
    const [layers, hidden, keyValue, inner, vocabulary] = [30, 576, 2 * 3 * 64, 1536, 49152]
    const layer = hidden * (hidden + keyValue) + hidden * hidden + 3 * hidden * inner
    expect(await probeModel(chatModel!, { threads: 1 })).toEqual({
      macFormula: {
        kind: 'chat',
        perToken: layers * layer,
        perLogits: hidden * vocabulary,
        perPair: layers * 2 * 9 * 64,
      },
      context: 8192,
    })
  })

  test('the manifest is the one of these files', () => {
    for (const file of chatModel!.manifest.files) {
      const bytes = readFileSync(join(chatModel!.folder, file.path))
      expect({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }).toEqual({
        bytes: file.bytes,
        sha256: file.sha256,
      })
    }
  })
})
