/** A running engine, reached by the command: start, stop, models, and useful jobs of all three kinds on real models. */
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { z } from 'zod'
import { connectWebSocket } from '#cli/client'
import type { WorkDetail } from '#shared/contract/jobs'
import { generateSample } from '#worker/samples/index'
import {
  finished,
  follow,
  lode,
  processesMentioning,
  realModel,
  startLode,
  temporaryFolder,
  type Finished,
} from '../support/lode'
import { eventually } from '../support/waiting'
import {
  answerOf,
  exportLine,
  failureOf,
  jobAnswer,
  modelAnswer,
  modelsAnswer,
  modelsVerifyAnswer,
  statusAnswer,
  verifyAnswer,
} from './cli-schemas'

const CHAT = 'smollm2-135m-instruct-int4'
const EMBED = 'all-minilm-l6-v2-int8'
/** A question that this model answers until its tokens run out: minutes. */
const ENDLESS = 'Write a long story about a miner and a dragon.'

const dataDir = temporaryFolder()
const work = temporaryFolder()
const engine = startLode(dataDir, ['serve', '--json'])
const serving = follow(engine)
const run = (...words: string[]): Promise<Finished> => lode(dataDir, [...words, '--json'])
const submit = (kind: string, input: string | Buffer, ...options: string[]): Promise<Finished> =>
  lode(dataDir, ['job', 'submit', '--kind', kind, '--input', '-', '--json', ...options], { input })
const status = async () => answerOf(statusAnswer, await run('status'))

function needs(context: TestContext, model: string): void {
  if (realModel(model) === null) context.skip(`../shared/models/${model} is not here`)
}

beforeAll(async () => {
  await serving.until(({ pid }) => pid === engine.pid)
  for (const name of [EMBED, CHAT]) {
    const folder = realModel(name)
    if (folder === null) continue
    answerOf(modelAnswer, await run('models', 'add', folder))
  }
})
afterAll(async () => {
  engine.kill('SIGTERM')
  await serving.exited
  await eventually(() => processesMentioning(dataDir).length === 0, 'nothing left running')
})

describe('a running engine', () => {
  test('says where its screens are, and mines only on request', async () => {
    expect(
      z.strictObject({ link: z.url(), dataDir: z.string(), pid: z.number() }).parse(serving.events[0]),
    ).toMatchObject({ dataDir, pid: engine.pid })
    expect(await status()).toMatchObject({ mining: false, pid: engine.pid })
    expect((await run('start')).json()).toEqual({ mining: true, pid: engine.pid })
    expect((await run('start')).json()).toEqual({ mining: true, pid: engine.pid })
    expect(await status()).toMatchObject({ mining: true, pid: engine.pid })
    const stopped = await run('stop')
    expect(stopped.json()).toEqual({ mining: false, pid: engine.pid })
    expect(await status()).toMatchObject({ mining: false, pid: engine.pid })
  })

  test('is not started a second time for its folder', async () => {
    const second = await lode(dataDir, ['serve', '--json'])
    const failure = failureOf(second)
    expect(failure.code).toBe('already-running')
    expect(failure.message).toContain(String(engine.pid))
  })

  test('lists and checks its models', async (context) => {
    needs(context, EMBED)
    const models = answerOf(modelsAnswer, await run('models', 'list'))
    expect(models.filter(({ builtIn }) => builtIn).map(({ kind }) => kind)).toEqual(['ocr'])
    expect(models.find(({ id }) => id === EMBED)).toMatchObject({
      kind: 'embed',
      builtIn: false,
      licence: 'Apache-2.0',
    })
    const verified = answerOf(modelsVerifyAnswer, await run('models', 'verify'))
    for (const { files } of verified) for (const file of files) expect(file).toMatchObject({ ok: true })
    const builtIn = models.find((model) => model.builtIn)
    if (builtIn) expect(failureOf(await run('models', 'remove', builtIn.id)).code).toBe('conflict')
  })
})

describe('jobs on a running engine', () => {
  test('embed: a vector a line, of length one, like for like', async (context) => {
    needs(context, EMBED)
    const file = join(work, 'lines.txt')
    writeFileSync(file, 'The cat sat on the mat.\r\nA cat is sitting on a mat.\r\nInterest rates rose again.\r\n')
    const job = answerOf(jobAnswer, await run('job', 'submit', '--kind', 'embed', '--input', file, '--model', EMBED))
    if (job.kind !== 'embed') throw new Error(job.kind)
    expect(job).toMatchObject({ model: EMBED, state: 'accepted' })
    expect(job.output.map((vector) => vector.length)).toEqual([384, 384, 384])
    const dot = (a: number[] = [], b: number[] = []): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)
    const [cat, sameCat, rates] = job.output
    expect(dot(cat, cat)).toBeCloseTo(1, 4)
    expect(dot(cat, sameCat)).toBeGreaterThan(dot(cat, rates) + 0.3)
    const bytes = Buffer.from(Float32Array.from(job.output.flat()).buffer)
    expect(job.evidence.vectorsSha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    await expectCredit(job)
  })

  test('chat: greedy, its tokens with their evidence, at most so many', async (context) => {
    needs(context, CHAT)
    const job = answerOf(jobAnswer, await submit('chat', 'What is the capital of France?', '--max-tokens', '12'))
    if (job.kind !== 'chat') throw new Error(job.kind)
    expect(job).toMatchObject({ model: CHAT, state: 'accepted' })
    expect(job.output).toContain('Paris')
    const { promptTokenIds, tokenIds, topLogProbabilities, finish } = job.evidence
    expect(tokenIds.length).toBeLessThanOrEqual(12)
    expect(finish).toBe(tokenIds.length === 12 ? 'length' : 'stop')
    expect(job.tokens).toBe(promptTokenIds.length + tokenIds.length)
    expect(topLogProbabilities.map(([best]) => best?.[0])).toEqual(tokenIds)
    for (const position of topLogProbabilities)
      expect(position.map(([, value]) => value)).toEqual(position.map(([, value]) => value).toSorted((a, b) => b - a))
    await expectCredit(job)
    // The same question again: the same answer, streamed as it is written.
    const question = ['job', 'submit', '--kind', 'chat', '--input', '-', '--max-tokens', '12', '--stream']
    const streamed = await lode(dataDir, question, { input: 'What is the capital of France?' })
    expect(streamed).toMatchObject({ code: 0, stdout: `${job.output}\n` })
    // Without freedom it stays greedy, and a text that lies across tokens ends it; with freedom the seed decides.
    const chosen = async (...options: string[]) => {
      const next = answerOf(
        jobAnswer,
        await submit('chat', 'What is the capital of France?', '--max-tokens', '12', ...options),
      )
      if (next.kind !== 'chat') throw new Error(next.kind)
      return next
    }
    const ended = await chosen('--temperature', '0', '--stop', 'aris', '--stop', 'never said')
    expect(ended).toMatchObject({
      output: job.output.slice(0, job.output.indexOf('aris')),
      evidence: { finish: 'stop' },
    })
    const free = ['--temperature', '1.5', '--top-p', '0.95', '--seed']
    const drawn = await chosen(...free, '3')
    expect((await chosen(...free, '3')).evidence.tokenIds).toEqual(drawn.evidence.tokenIds)
  })

  test('ocr: the lines of a picture, with their boxes', async () => {
    const sample = await generateSample({ kind: 'ocr', seed: createHash('sha256').update('a picture').digest('hex') })
    if (sample.input.kind !== 'ocr') throw new Error(sample.input.kind)
    const file = join(work, 'picture')
    writeFileSync(file, Buffer.from(sample.input.image, 'base64'))
    const job = answerOf(jobAnswer, await run('job', 'submit', '--kind', 'ocr', '--input', file))
    if (job.kind !== 'ocr') throw new Error(job.kind)
    expect(job.state).toBe('accepted')
    expect(job.evidence.lines).toBe(job.output.length)
    const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
    const read = letters(job.output.map(({ text }) => text).join(''))
    const words = (sample.knownText ?? []).flatMap((line) => line.split(/\s+/)).map(letters)
    expect(words.filter((word) => read.includes(word)).length / words.length).toBeGreaterThan(0.7)
    await expectCredit(job)
  })

  test('of a model that is not there, or of another kind, is refused by its name', async () => {
    expect(failureOf(await submit('embed', 'text', '--model', 'no-such-model'))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('no-such-model') as string,
    })
    const ocr = answerOf(modelsAnswer, await run('models', 'list')).find(({ kind }) => kind === 'ocr')
    const other = failureOf(await submit('embed', 'text', '--model', ocr?.id ?? ''))
    expect(other.message).toContain('ocr')
    expect(other.code).toBe('invalid-input')
  })

  async function expectCredit(job: z.infer<typeof jobAnswer>): Promise<void> {
    const lines = (await run('ledger', 'export')).lines().map((line) => exportLine.parse(line))
    expect(lines.find(({ id }) => id === job.creditId)).toMatchObject({
      kind: 'job',
      state: 'accepted',
      macs: job.macs,
    })
    expect(BigInt(job.macs)).toBeGreaterThan(0n)
    expect(answerOf(verifyAnswer, await run('ledger', 'verify'))).toMatchObject({ ok: true, problems: [] })
  }
})

describe('four questions at once', () => {
  test('are answered side by side, each with its receipt and its part of the energy', async (context) => {
    needs(context, CHAT)
    const { link } = z.looseObject({ link: z.url() }).parse(serving.events[0])
    const { port, hash } = new URL(link)
    const client = await connectWebSocket(Number(port), hash.replace('#token=', ''))
    try {
      const heard: string[] = []
      client.on('job.token', ({ id }) => heard.push(id))
      const ids = await Promise.all(
        ['a miner', 'a dragon', 'a river', 'a clock'].map(async (about) => {
          const messages = [{ role: 'user' as const, content: `Tell a story about ${about}.` }]
          const input = { kind: 'chat' as const, messages, maxTokens: 24 }
          return (await client.call('jobs.submit', { input, model: CHAT })).id
        }),
      )
      const details = (): Promise<WorkDetail[]> => Promise.all(ids.map((id) => client.call('jobs.get', { id })))
      await eventually(
        async () => (await details()).every(({ state }) => state === 'accepted'),
        'four accepted answers',
      )
      // Side by side: the last to begin speaks before the first has ended.
      const first = Math.max(...ids.map((id) => heard.indexOf(id)))
      const last = Math.min(...ids.map((id) => heard.lastIndexOf(id)))
      expect(first).toBeLessThan(last)
      const jobs = await details()
      const credits = jobs.map(({ creditId }) => creditId)
      expect(new Set(credits).size).toBe(4)
      const { rows } = await client.call('earnings.credits', { offset: 0, limit: 50 })
      for (const id of credits) expect(rows.find((row) => row.id === id)).toMatchObject({ receipt: expect.any(String) })
      for (const { joules, electricityCost } of jobs) {
        if (joules !== null) expect(Number(electricityCost?.nanos)).toBeGreaterThan(0)
      }
    } finally {
      client.close()
    }
  })
})

describe('a worker that the system ends, as it does for want of memory', () => {
  test('takes no question with it: they are begun again, fewer at once, and the device goes on', async (context) => {
    needs(context, CHAT)
    const { link } = z.looseObject({ link: z.url() }).parse(serving.events[0])
    const { port, hash } = new URL(link)
    const client = await connectWebSocket(Number(port), hash.replace('#token=', ''))
    const ids: string[] = []
    const cancelAll = async (): Promise<void> => {
      for (const id of ids) await client.call('jobs.cancel', { id }).catch(() => undefined)
    }
    try {
      let heard = new Set<string>()
      client.on('job.token', ({ id }) => heard.add(id))
      for (const about of ['a miner', 'a dragon', 'a river']) {
        const messages = [{ role: 'user' as const, content: `${ENDLESS} And ${about}.` }]
        ids.push(
          (await client.call('jobs.submit', { input: { kind: 'chat', messages, maxTokens: 4000 }, model: CHAT })).id,
        )
      }
      await eventually(() => heard.size === 3, 'three answers under way')
      const worker = processesMentioning(dataDir).filter((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('"role":"worker"'),
      )
      for (const pid of worker) process.kill(pid, 'SIGKILL')
      // Words that the worker had said before it ended may still be on their way.
      const states = async (): Promise<string[]> =>
        (await Promise.all(ids.map(async (id) => (await client.call('jobs.get', { id })).state))).toSorted()
      await eventually(
        async () => (await states()).join() === 'queued,queued,running',
        'one answer runs, and two wait for it',
      )
      heard = new Set()
      await eventually(() => heard.size > 0, 'an answer under way again')
      expect(await states()).toEqual(['queued', 'queued', 'running'])
      expect(readFileSync(join(dataDir, 'lode.log'), 'utf8')).toMatch(
        /"atOnce":1,"reason":"its worker was ended while they ran","msg":"a device takes fewer jobs at once"/,
      )
      expect(heard.size).toBe(1)
    } finally {
      await cancelAll()
      client.close()
    }
  })
})

describe('in the middle of a long answer', () => {
  /** Submits a question without end and returns when the first words of the answer have arrived. */
  async function longAnswer(maxTokens: number) {
    const options = ['job', 'submit', '--kind', 'chat', '--input', '-', '--stream', '--max-tokens', String(maxTokens)]
    const child = startLode(dataDir, options)
    const begun = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
    const done = finished(child, `${ENDLESS} ${Math.random()}`)
    await Promise.race([begun, done])
    expect(child.exitCode).toBeNull()
    return { child, done }
  }

  test('"stop" does not wait for it, and the job says that it was stopped', async (context) => {
    needs(context, CHAT)
    expect((await run('start')).code).toBe(0)
    const { done } = await longAnswer(4000)
    const stopped = await run('stop')
    expect(stopped.json()).toEqual({ mining: false, pid: engine.pid })
    const submitted = await done
    expect(submitted.code).toBe(1)
    expect(submitted.stderr).toMatch(/stopped/)
  })

  test('"stop --finish" waits for it, and it is credited', async (context) => {
    needs(context, CHAT)
    expect((await run('start')).code).toBe(0)
    const { done } = await longAnswer(48)
    const stopped = await run('stop', '--finish')
    expect(stopped.json()).toEqual({ mining: false, pid: engine.pid })
    expect(await done).toMatchObject({ code: 0 })
  })

  test('a signal to the command takes the job back, and the device does the next', async (context) => {
    needs(context, CHAT)
    const { child, done } = await longAnswer(4000)
    child.kill('SIGINT')
    const submitted = await done
    expect(submitted.code).toBe(1)
    expect(submitted.stderr).toMatch(/cancelled/)
    const next = answerOf(jobAnswer, await submit('chat', 'What is the capital of Italy?', '--max-tokens', '8'))
    expect(next.state).toBe('accepted')
  })

  test(
    'the network can no longer read its model: the result is held, and credited when it can',
    { tags: ['long'] },
    async (context) => {
      needs(context, CHAT)
      const before = await status()
      const { done } = await longAnswer(64)
      const file = join(dataDir, 'models', CHAT, 'tokenizer.json')
      renameSync(file, `${file}.away`)
      try {
        const submitted = await done
        expect(submitted.code).toBe(0)
        expect(submitted.stderr).toContain('The network credits it once it has checked it.')
        const { creditMacs } = await status()
        expect(BigInt(creditMacs.held)).toBeGreaterThan(0n)
        expect(creditMacs.total).toBe(before.creditMacs.total)
      } finally {
        renameSync(`${file}.away`, file)
      }
      await eventually(async () => (await status()).creditMacs.held === '0', 'that the network has checked it')
      expect(BigInt((await status()).creditMacs.total)).toBeGreaterThan(BigInt(before.creditMacs.total))
    },
  )
})

test('without a running engine one is started for the job alone; a damaged model is seen, and removed', async (context) => {
  needs(context, EMBED)
  const alone = temporaryFolder()
  const call = (words: string[], input = ''): Promise<Finished> => lode(alone, [...words, '--json'], { input })
  answerOf(modelAnswer, await call(['models', 'add', realModel(EMBED) ?? '']))
  const job = answerOf(jobAnswer, await call(['job', 'submit', '--kind', 'embed', '--input', '-'], 'one line'))
  expect(job).toMatchObject({ kind: 'embed', state: 'accepted' })
  expect(job.kind === 'embed' && job.output).toHaveLength(1)
  expect(processesMentioning(alone)).toEqual([])
  const after = answerOf(statusAnswer, await call(['status']))
  expect(after).toMatchObject({ mining: false, credits: 1 })

  appendFileSync(join(alone, 'models', EMBED, 'tokenizer.json'), ' ')
  const damaged = await call(['models', 'verify'])
  expect(damaged.code).toBe(1)
  const files = modelsVerifyAnswer.parse(damaged.json()).find(({ id }) => id === EMBED)?.files
  expect(files?.filter(({ ok }) => !ok).map(({ path }) => path)).toEqual(['tokenizer.json'])
  expect(failureOf(await call(['job', 'submit', '--kind', 'embed', '--input', '-'], 'one line')).message).toMatch(/\w/)
  expect(await call(['models', 'remove', EMBED])).toMatchObject({ code: 0 })
  const left = answerOf(modelsAnswer, await call(['models', 'list']))
  expect(left.map(({ id }) => id)).not.toContain(EMBED)
})
