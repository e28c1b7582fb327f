import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatMacs, jobMacs } from '#shared/domain/manifest'
import { chatSampling } from '#shared/domain/job'
import { installedModelOf, type InstalledModel } from '#shared/domain/model-stages'
import { MAX_PARALLEL_CHATS } from '#shared/ipc/worker'
import { ggufBytes, randomNumbers, tinyModel, WORDS } from '../../convert/sources/gguf.test.support'
import { convertModel } from '../../convert/index'
import { probeModel } from '../index'
import { chatModel } from '../real-models.test.support'
import type { Answer } from './answer'
import { createChatBackend, type ChatBackend } from './backend'
import { loadChatModel, type ChatModel } from './model'
import type { ChatRequest } from './request'

const home = mkdtempSync(join(tmpdir(), 'lode-chat-backend-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const shape = {
  family: 'llama',
  layers: 2,
  width: 256,
  hidden: 512,
  heads: 4,
  keyValueHeads: 2,
  headSize: 64,
} as const

/** A graph that Lode built, with random weights; prompts are prefilled in chunks of eight and sixteen tokens. */
async function tinyLocation(): Promise<InstalledModel> {
  const { metadata, tensors } = tinyModel(shape, 8, 11)
  writeFileSync(join(home, 'tiny.gguf'), ggufBytes({ ...metadata, 'llama.context_length': 1024 }, tensors))
  const folder = join(home, 'tiny')
  await convertModel({ form: 'gguf', path: join(home, 'tiny.gguf'), folder })
  const files = readdirSync(folder).map((path) => ({ path, bytes: 1, sha256: '0'.repeat(64) }))
  const macFormula = { kind: 'chat', perToken: 0, perLogits: 0, perPair: 0 } as const
  const named = { id: 'tiny', kind: 'chat', name: 'Tiny', licence: 'mit', source: 'a test', context: 0 } as const
  return installedModelOf({ ...named, files, macFormula }, folder)
}

const random = randomNumbers(7)
const prompt = (length: number): number[] => Array.from({ length }, () => 1 + Math.floor(random() * (WORDS.length - 1)))

/** Asks for an answer of many steps: only `maxNewTokens` ends it. */
function ask(backend: ChatBackend, ids: number[], change: Partial<ChatRequest> = {}): Promise<Answer> {
  const { signal } = new AbortController()
  return backend.answer({
    prompt: ids,
    maxNewTokens: 12,
    sampling: undefined,
    stop: [],
    signal,
    onToken: () => undefined,
    ...change,
  })
}

/** The answer, or why there is none. */
async function settled(answer: Promise<Answer>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([answer])
  return outcome.status === 'fulfilled' ? outcome.value : outcome.reason
}

function expectSame(actual: Answer, expected: Answer): void {
  expect(actual.ids).toEqual(expected.ids)
  expect(actual.top).toHaveLength(expected.ids.length)
  actual.top.forEach((row, position) => {
    row.forEach(([id, value], place) => {
      const [expectedId, expectedValue] = expected.top[position]![place]!
      expect(id).toBe(expectedId)
      // Products of one row and of several round otherwise.
      expect(Math.abs(value - expectedValue)).toBeLessThan(0.05)
    })
  })
}

describe('many requests on a graph that Lode built', () => {
  let location: InstalledModel
  let model: ChatModel
  /** tokens of every run, in order */
  const runs: { rows: number; tokens: number }[] = []
  let failNext: Error | undefined
  beforeAll(async () => {
    location = await tinyLocation()
    const loaded = await loadChatModel(location, 1)
    const { session } = loaded
    const watched = new Proxy(session, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'run' || typeof value !== 'function') return value
        return async (feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType) => {
          const [rows = 0, tokens = 0] = feeds['input_ids']!.dims
          runs.push({ rows, tokens })
          const error = failNext
          failNext = undefined
          if (error) throw error
          return session.run(feeds, fetches)
        }
      },
    })
    // no token ends an answer, so that lengths are known
    model = { ...loaded, session: watched, endIds: new Set() }
  })
  afterAll(() => model.session.release())
  const plenty = (): number => 1e12

  test('is known as one by its inputs and outputs', () => {
    expect(model.batchedCache).toMatchObject({ heads: shape.keyValueHeads, headSize: shape.headSize })
    expect(model.batchedCache?.inputs).toHaveLength(shape.layers)
    expect(model.prefillChunkTokens).toBe(8)
  })

  test('answer as each does alone, whenever they come and go', async () => {
    const prompts = [3, 40, 9, 17, 1, 150, 8, 24, 33, 5].map(prompt)
    const lengths = [30, 4, 60, 12, 150, 3, 1, 9, 20, 40]
    const alone: Answer[] = []
    for (const [index, ids] of prompts.entries())
      alone.push(await ask(createChatBackend(model, plenty), ids, { maxNewTokens: lengths[index]! }))
    runs.length = 0
    const backend = createChatBackend(model, plenty)
    const together = await Promise.all(
      prompts.map(async (ids, index) => {
        for (let turn = 0; turn < index * 3; turn++) await new Promise(setImmediate)
        return ask(backend, ids, { maxNewTokens: lengths[index]! })
      }),
    )
    together.forEach((answer, index) => expectSame(answer, alone[index]!))
    expect(Math.max(...runs.map(({ rows }) => rows))).toBeGreaterThan(3)
    expect(alone.map(({ ids }) => ids.length)).toEqual(lengths)
  })

  test('says after every run what it computed of each, and that adds up to the job', async () => {
    const formula = { kind: 'chat', perToken: 1000, perLogits: 77, perPair: 3 } as const
    const backend = createChatBackend(model, plenty)
    const lengths = [5, 70, 33]
    const sums = lengths.map(() => 0)
    /** which requests each run was for */
    const shared: number[][] = []
    const answers = lengths.map((length, index) =>
      ask(backend, prompt(length), {
        maxNewTokens: 10 + index,
        onComputed: (part) => {
          sums[index]! += chatMacs(formula, part)
          if (shared.length < runs.length) shared.length = runs.length
          shared[runs.length - 1] = [...(shared[runs.length - 1] ?? []), index]
        },
      }),
    )
    runs.length = 0
    await Promise.all(answers)
    const whole = lengths.map((length, index) => {
      const macs = jobMacs(formula, { kind: 'chat', promptTokens: length, generatedTokens: 10 + index })
      return Number(macs.prompt + macs.generated)
    })
    expect(sums).toEqual(whole)
    expect(shared.map((requests) => requests.length)).toEqual(runs.map(({ rows }) => rows))
  })

  test('sampled answers are those of their seed, also beside others', async () => {
    const ids = prompt(20)
    const sampling = chatSampling.parse({ temperature: 0.3, seed: 5, topP: 0.9 })
    const alone = await ask(createChatBackend(model, plenty), ids, { sampling })
    const backend = createChatBackend(model, plenty)
    const [beside] = await Promise.all([
      ask(backend, ids, { sampling }),
      ask(backend, prompt(9)),
      ask(backend, prompt(30)),
    ])
    expect(beside.ids).toEqual(alone.ids)
  })

  test('no more than the limit run at once, the next begins when one is cancelled', async () => {
    const backend = createChatBackend(model, plenty)
    const controllers = Array.from({ length: MAX_PARALLEL_CHATS + 1 }, () => new AbortController())
    const order: number[] = []
    runs.length = 0
    const answers = controllers.map(({ signal }, index) =>
      settled(
        ask(backend, prompt(2), {
          signal,
          maxNewTokens: 100,
          onToken: () => {
            order.push(index)
            // by then all of them have begun but the last, which waits
            if (index === 3 && order.filter((other) => other === 3).length === 20) {
              expect(order).not.toContain(MAX_PARALLEL_CHATS)
              controllers[3]!.abort()
            }
          },
        }),
      ),
    )
    const results = await Promise.all(answers)
    expect(results[3]).toMatchObject({ code: 'cancelled' })
    expect(results.filter((result) => !(result instanceof Error))).toHaveLength(MAX_PARALLEL_CHATS)
    // Its row is free at the next step: not one more token of it.
    expect(order.filter((index) => index === 3)).toHaveLength(20)
    expect(Math.max(...runs.map(({ rows }) => rows))).toBe(MAX_PARALLEL_CHATS)
  })

  test('a long prompt does not hold up the others: a token of theirs for each of its parts', async () => {
    const backend = createChatBackend(model, plenty)
    const order: string[] = []
    const prompts = [prompt(4), prompt(160), prompt(23)]
    const alone: Answer[] = []
    for (const [index, ids] of prompts.entries())
      alone.push(await ask(createChatBackend(model, plenty), ids, { maxNewTokens: [60, 5, 40][index]! }))
    const short = ask(backend, prompts[0]!, { maxNewTokens: 60, onToken: () => order.push('short') })
    const other = ask(backend, prompts[2]!, { maxNewTokens: 40 })
    await new Promise(setImmediate)
    const long = ask(backend, prompts[1]!, { maxNewTokens: 5, onToken: () => order.push('long') })
    const together = await Promise.all([short, long, other])
    together.forEach((answer, index) => expectSame(answer, alone[index]!))
    // two parts of eight tokens and nine of sixteen, and a token of the other's after each
    expect(order.indexOf('long')).toBeGreaterThanOrEqual(10)
    expect(order.indexOf('long')).toBeLessThan(16)
  })

  test('an equal beginning is computed once, and changes nothing', async () => {
    const system = prompt(64)
    const [one, other] = [
      [...system, ...prompt(10)],
      [...system, ...prompt(22)],
    ]
    const alone = await ask(createChatBackend(model, plenty), other)
    const backend = createChatBackend(model, plenty)
    await ask(backend, one)
    runs.length = 0
    const again = await ask(backend, other)
    expect(again).toEqual(alone)
    expect(runs.filter(({ tokens }) => tokens > 1).map(({ tokens }) => tokens)).toEqual([16, 6])
    // the whole prompt known: its last part is computed all the same, since its logits are wanted
    runs.length = 0
    expect(await ask(backend, other)).toEqual(alone)
    expect(runs.filter(({ tokens }) => tokens > 1)).toEqual([{ rows: 1, tokens: 6 }])
    // four tokens more than whole parts go with the part before them, also where that part is known
    const little = other.slice(0, 84)
    const littleAlone = await ask(createChatBackend(model, plenty), little)
    runs.length = 0
    expect(await ask(backend, little)).toEqual(littleAlone)
    expect(runs.filter(({ tokens }) => tokens > 1)).toEqual([{ rows: 1, tokens: 20 }])
  })

  test('where memory does not suffice for one more, that one fails in words, and fewer run for a while', async () => {
    // the long prompt alone has room, and both in one block have not
    let room = 2_000_000
    const backend = createChatBackend(model, () => room)
    const first = ask(backend, prompt(10), { maxNewTokens: 80 })
    const second = settled(ask(backend, prompt(500), { maxNewTokens: 20 }))
    const failed = await second
    expect(failed).toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(
        /^there is not enough memory for this conversation beside the others: \d+ MB/,
      ) as string,
    })
    expect(backend.limit).toBe(1)
    expect((await first).ids).toHaveLength(80)
    room = 1e12
    // one after another, until memory is trusted again
    const results = await Promise.all(Array.from({ length: 17 }, (_, index) => ask(backend, prompt(10 + index))))
    expect(results.map(({ ids }) => ids.length)).toEqual(Array(17).fill(12))
    expect(backend.limit).toBe(3)
  })

  test('onnxruntime without memory ends the newest request alone', async () => {
    const backend = createChatBackend(model, plenty)
    const first = ask(backend, prompt(3), { maxNewTokens: 40 })
    let shown = 0
    const second = settled(
      ask(backend, prompt(3), {
        maxNewTokens: 40,
        onToken: () => {
          if (++shown === 5) failNext = new Error('Non-zero status code: std::bad_alloc')
        },
      }),
    )
    expect(await second).toMatchObject({
      code: 'out-of-memory',
      message: expect.stringContaining('not enough memory') as string,
    })
    expect((await first).ids).toHaveLength(40)
    expect(backend.limit).toBe(1)
  })

  test('its MACs are those computed by hand', async () => {
    const { layers, width, hidden, heads, keyValueHeads, headSize } = shape
    const layer = width * (heads + 2 * keyValueHeads) * headSize + heads * headSize * width + 3 * width * hidden
    expect(await probeModel(location, { threads: 1 })).toEqual({
      context: 1024,
      macFormula: {
        kind: 'chat',
        perToken: layers * layer,
        perLogits: width * WORDS.length,
        perPair: 2 * layers * heads * headSize,
      },
    })
  })
})

test.skipIf(!chatModel)('requests on a graph with a cache of its own take turns', async () => {
  const model = await loadChatModel(chatModel!, 1)
  const backend = createChatBackend(model)
  const order: number[] = []
  const answers = [0, 1].map((index) =>
    ask(backend, [1, 5 + index, 9], { maxNewTokens: 6, onToken: () => order.push(index) }),
  )
  await Promise.all(answers)
  expect(order.slice(0, 6)).toContain(0)
  expect(order.slice(0, 6)).toContain(1)
  await model.session.release()
})
