import { expect, test } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { runJob } from './index'
import { chatModel, embedModel } from './real-models.test.support'
import { createModelCache } from './sessions'

function recorder(limit: number) {
  const loaded: string[] = []
  const disposed: string[] = []
  const cache = createModelCache<string>(limit, (model) => Promise.resolve(void disposed.push(model)))
  const use = (key: string, work: () => Promise<void> = () => Promise.resolve()): Promise<void> =>
    cache.use(
      key,
      () => {
        loaded.push(key)
        return Promise.resolve(key)
      },
      work,
    )
  return { cache, use, loaded, disposed }
}

test('keeps the models used last, and loads each once', async () => {
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
  const { cache, use, loaded } = recorder(2)
  const failing = cache.use(
    'a',
    () => Promise.reject(new Failure('model-refused', 'damaged')),
    () => Promise.resolve(),
  )
  await expect(failing).rejects.toMatchObject({ code: 'model-refused' })
  await use('a')
  expect(loaded).toEqual(['a'])
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
