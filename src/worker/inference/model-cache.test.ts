import { expect, test } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { runJob } from './index'
import { chatModel, embedModel } from './real-models.test.support'
import { createKindModelCache, createModelCache, guardMemory, type ModelKey } from './model-cache'

/** Models of one byte each, of two kinds. `now`: what the clock says. */
function recorder(limit: number) {
  const loaded: string[] = []
  const disposed: string[] = []
  const clock = { now: 0 }
  const modelCache = createModelCache(() => clock.now)
  modelCache.setLimit(limit)
  const dispose = (model: string): Promise<void> => Promise.resolve(void disposed.push(model))
  const caches = [createKindModelCache<string>(dispose, modelCache), createKindModelCache<string>(dispose, modelCache)]
  const keyOf = (id: string, threads = 1): ModelKey => ({ id: `${id}/${threads}`, hash: id, bytes: 1 })
  const use = (
    id: string,
    work: () => Promise<void> = () => Promise.resolve(),
    { threads = 1, load = () => Promise.resolve(id) } = {},
  ): Promise<void> =>
    caches[id < 'm' ? 0 : 1]!.use(
      keyOf(id, threads),
      () => {
        loaded.push(id)
        return load()
      },
      work,
    )
  return { use, loaded, disposed, clock, modelCache }
}

test('keeps the models used last within the memory, of all kinds together, and loads each once', async () => {
  const { use, loaded, disposed, modelCache } = recorder(2)
  for (const key of ['a', 'z', 'a', 'b', 'a']) await use(key)
  expect(loaded).toEqual(['a', 'z', 'b'])
  expect(disposed).toEqual(['z'])
  expect(modelCache.loaded()).toEqual([
    { hash: 'b', bytes: 1 },
    { hash: 'a', bytes: 1 },
  ])
})

test('lets go of what nobody used for ten minutes, and of the same weights for other threads', async () => {
  const { use, disposed, clock, modelCache } = recorder(9)
  for (const key of ['a', 'b']) await use(key)
  clock.now = 5 * 60_000
  await use('b')
  clock.now = 10 * 60_000
  modelCache.evictIdle()
  await use('b', undefined, { threads: 2 })
  expect(disposed).toEqual(['a', 'b'])
  expect(modelCache.loaded()).toEqual([{ hash: 'b', bytes: 1 }])
})

test('a load that finds no memory is tried once more without the idle ones; then it is what it is', async () => {
  const { use, loaded, disposed } = recorder(9)
  await use('a')
  let room = false
  const load = (): Promise<string> =>
    room ? Promise.resolve('b') : Promise.reject(new Error(((room = true), 'std::bad_alloc: bad allocation')))
  await use('b', undefined, { load })
  expect({ loaded, disposed }).toEqual({ loaded: ['a', 'b', 'b'], disposed: ['a'] })
  const full = (): Promise<string> => Promise.reject(new Error('Failed to allocate memory for requested buffer'))
  await expect(use('c', undefined, { load: full })).rejects.toThrow('Failed to allocate')
})

test('keeps the models used last, and loads each once (one kind)', async () => {
  const { use, loaded, disposed } = recorder(2)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await use(key)
  expect(loaded).toEqual(['a', 'b', 'c', 'b'])
  expect(disposed).toEqual(['b', 'c'])
})

test('does not dispose a model in use, and loads once for two at a time', async () => {
  const { use, loaded, disposed } = recorder(1)
  let finish = (): void => undefined
  const busy = use('a', () => new Promise((resolve) => (finish = resolve)))
  const besides = use('a')
  await besides
  await use('b')
  expect({ loaded, disposed }).toEqual({ loaded: ['a', 'b'], disposed: ['b'] })
  finish()
  await busy
  expect(disposed).toEqual(['b'])
})

test('a load that fails is tried again', async () => {
  const { use, loaded } = recorder(2)
  const failing = use('a', undefined, {
    load: () => Promise.reject(new Failure('model-refused', foreignWords('damaged'))),
  })
  await expect(failing).rejects.toMatchObject({ code: 'model-refused' })
  await use('a')
  expect(loaded).toEqual(['a', 'a'])
})

test('memory that runs out in a graph fails the job with a sentence; other faults stay what they are', async () => {
  const { onnx } = await import('onnx-proto')
  const runtime = await import('onnxruntime-node')
  const value = (name: string, elemType: number, dim: object) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [dim] } } },
  })
  const graph = {
    name: 'expand',
    node: [{ opType: 'Expand', input: ['x', 'shape'], output: ['y'] }],
    input: [value('x', 1, { dimValue: 1 }), value('shape', 7, { dimValue: 1 })],
    output: [value('y', 1, { dimParam: 'n' })],
  }
  const model = onnx.ModelProto.fromObject({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph })
  const session = await runtime.InferenceSession.create(onnx.ModelProto.encode(model).finish(), { logSeverityLevel: 4 })
  const expandTo = (size: bigint) =>
    guardMemory('A model', () =>
      session.run({
        x: new runtime.Tensor('float32', [1], [1]),
        shape: new runtime.Tensor('int64', BigInt64Array.of(size), [1]),
      }),
    )
  await expect(expandTo(1n << 44n)).rejects.toMatchObject({
    code: 'out-of-memory',
    message: 'the memory ran out while A model computed this job',
  })
  expect((await expandTo(3n))['y']?.dims).toEqual([3])
  await expect(guardMemory('A model', () => Promise.reject(new RangeError('no such token')))).rejects.toThrow(
    RangeError,
  )
  await session.release()
})

test.skipIf(!embedModel || !chatModel)(
  'a job for the wrong kind of model, or of no known form, is refused',
  async () => {
    const context = { threads: 1, signal: new AbortController().signal, onToken: () => undefined }
    const input = { kind: 'embed' as const, texts: ['x'] }
    await expect(runJob({ jobId: '1', input, model: chatModel! }, context)).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(
      runJob({ jobId: '1', input: { ...input, texts: [] }, model: embedModel! }, context),
    ).rejects.toMatchObject({ code: 'invalid-input' })
    const aborted = { ...context, signal: AbortSignal.abort() }
    await expect(runJob({ jobId: '1', input, model: embedModel! }, aborted)).rejects.toMatchObject({
      code: 'cancelled',
    })
    const elsewhere = { ...embedModel!, folder: '/nowhere' }
    await expect(runJob({ jobId: '1', input, model: elsewhere }, context)).rejects.toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^config.json/),
    })
  },
)
