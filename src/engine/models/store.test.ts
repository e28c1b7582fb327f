import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import type { Model } from '#shared/contract/models'
import { Failure } from '#shared/domain/errors'
import type { ModelLocation } from '#shared/domain/worker-protocol'
import { probeModel } from '#worker/inference/index'
import { chatModel, embedModel } from '#worker/inference/real-models.test.support'
import { createModelStore, readKnownCards, type ModelStore } from './index'
import { folderOf, noConversion, smallModel, temporaryFolder } from './model-folder.test.support'

const knownCards = readKnownCards(join(dirname(fileURLToPath(import.meta.url)), '../../../resources/cards'))

/** A store whose models are run by the real inference code. */
function realStore(folder: string, onChange?: (models: Model[]) => void): Promise<ModelStore> {
  return createModelStore({
    folder,
    builtIn: [],
    convert: noConversion,
    knownCards,
    probe: (location) => probeModel(location, { threads: 1 }),
    ...(onChange && { onChange }),
  })
}

/** A store that takes every model as one that runs: for what happens around that. */
function plainStore(folder: string, builtIn: ModelLocation[] = []): Promise<ModelStore> {
  const macFormula = { kind: 'embed', perToken: 16, perPair: 2 } as const
  return createModelStore({
    folder,
    builtIn,
    convert: noConversion,
    probe: () => Promise.resolve({ macFormula, context: 8 }),
  })
}

function copyOf(model: ModelLocation): string {
  const folder = join(temporaryFolder(), basename(model.folder))
  mkdirSync(folder)
  for (const file of model.card.files) cpSync(join(model.folder, file.path), join(folder, file.path))
  return folder
}

function flipByte(path: string, position: number): void {
  const bytes = readFileSync(path)
  bytes[position] = (bytes[position] ?? 0) ^ 0xff
  rmSync(path)
  writeFileSync(path, bytes)
}

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe.each([
  { real: chatModel, kind: 'chat' as const },
  { real: embedModel, kind: 'embed' as const },
])('the real model for $kind', ({ real, kind }) => {
  test.skipIf(!real)(
    'is added with its own name, licence and counted MACs, and found again after a restart',
    async () => {
      const folder = temporaryFolder()
      const changes = vi.fn<(models: Model[]) => void>()
      const store = await realStore(folder, changes)
      const added = await store.add(real!.folder)
      // The card in resources/cards states what the graph must give: the probe counted it afresh.
      expect(added).toMatchObject({ ...real!.card, state: 'ready', builtIn: false })
      expect(changes).toHaveBeenCalledExactlyOnceWith([added])
      for (const { path } of real!.card.files) {
        expect(readFileSync(join(folder, added.id, path)).equals(readFileSync(join(real!.folder, path)))).toBe(true)
      }

      const again = await realStore(folder)
      expect(again.list()).toEqual([added])
      expect(again.resolve(kind)).toEqual({
        card: expect.objectContaining({ id: added.id }),
        folder: join(folder, added.id),
        hash: added.hash,
      })
      expect(again.resolve(kind, added.hash)).toEqual(again.resolve(kind, added.id))
      expect(again.usable()).toEqual([again.resolve(kind)])
      expect(await again.add(real!.folder)).toEqual(added)
      await again.remove(added.id)
      expect(readdirSync(folder)).toEqual([])
    },
  )

  test.skipIf(!real)('is refused with one byte changed, a file missing, or its graph cut', async () => {
    const folder = temporaryFolder()
    const store = await realStore(folder)
    const changed = copyOf(real!)
    flipByte(join(changed, 'model.onnx'), 12_000_000)
    await expect(store.add(changed)).rejects.toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^model.onnx is not the file of .*SHA-256 differs/),
    })

    const incomplete = copyOf(real!)
    rmSync(join(incomplete, 'tokenizer_config.json'))
    await expect(store.add(incomplete)).rejects.toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^tokenizer_config.json is missing/),
    })

    const graph = readFileSync(join(real!.folder, 'model.onnx'))
    const cut = join(dirname(incomplete), 'of-another-name')
    cpSync(changed, cut, { recursive: true })
    writeFileSync(join(cut, 'model.onnx'), graph.subarray(0, graph.length - 1000))
    await expect(store.add(cut)).rejects.toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^model.onnx /),
    })
    expect(readdirSync(folder)).toEqual([])
  })
})

test.skipIf(!embedModel)('a model that does not run is refused with what is wrong, and leaves nothing', async () => {
  const folder = temporaryFolder()
  const store = await realStore(folder)
  const real = Object.fromEntries(
    ['config.json', 'tokenizer.json'].map((path) => [path, readFileSync(join(embedModel!.folder, path))]),
  )
  await expect(store.add(folderOf({ ...smallModel(), ...real }))).rejects.toMatchObject({ code: 'model-refused' })
  await expect(store.add(folderOf(smallModel()))).rejects.toMatchObject({
    code: 'model-refused',
    message: expect.stringMatching(/^tokenizer.json: /),
  })
  expect(readdirSync(folder)).toEqual([])
  expect(store.list()).toEqual([])
})

test('an unknown model takes its name from the folder and says that its licence is unknown', async () => {
  const store = await plainStore(temporaryFolder())
  const added = await store.add(folderOf({ ...smallModel(), 'README.md': 'left where it is' }, 'Mein Modell (2)'))
  expect(added).toMatchObject({
    id: 'mein-modell-2-',
    name: 'Mein Modell (2)',
    licence: 'unknown',
    kind: 'embed',
    context: 8,
  })
  expect(added.files.map((file) => file.path)).toEqual(['config.json', 'model.onnx', 'tokenizer.json'])
})

test('weights in a file of their own and links inside the folder are taken along', async () => {
  const folder = temporaryFolder()
  const store = await plainStore(folder)
  const files = smallModel({ externalData: { location: 'model.onnx_data', offset: '16', length: '64' } })
  const source = folderOf({
    ...files,
    'model.onnx_data': new Uint8Array(80),
    'originals/generation_config.json': '{"eos_token_id": 3}',
  })
  symlinkSync(join(source, 'originals/generation_config.json'), join(source, 'generation_config.json'))
  const added = await store.add(source)
  expect(added.files.map((file) => file.path)).toContain('model.onnx_data')
  expect(readFileSync(join(folder, added.id, 'generation_config.json'), 'utf8')).toBe('{"eos_token_id": 3}')
  expect((await store.verify()).flatMap((model) => model.files).every((file) => file.ok)).toBe(true)
})

test('verify finds a changed file; its model runs no more until it is added again', async () => {
  const folder = temporaryFolder()
  const store = await plainStore(folder)
  const source = folderOf(smallModel())
  const { id } = await store.add(source)
  flipByte(join(folder, id, 'config.json'), 0)
  expect(store.list()[0]?.state).toBe('ready')
  const [verified] = await store.verify()
  expect(verified).toMatchObject({ state: 'wrong-hash' })
  expect(verified?.files.filter((file) => !file.ok).map((file) => file.path)).toEqual(['config.json'])
  expect(failureOf(() => store.resolve('embed'))).toMatchObject({
    code: 'not-found',
    message: 'the files of my-model are damaged or missing',
  })
  expect(await store.add(source)).toMatchObject({ state: 'ready' })

  rmSync(join(folder, id, 'tokenizer.json'))
  expect(store.list()[0]?.state).toBe('missing-file')
  expect((await store.verify())[0]?.state).toBe('missing-file')
  expect(await store.add(source)).toMatchObject({ state: 'ready' })
  expect((await store.verify())[0]?.state).toBe('ready')
})

test('another model of the same name is a conflict, and the first one stays', async () => {
  const store = await plainStore(temporaryFolder())
  const first = await store.add(folderOf(smallModel()))
  await expect(store.add(folderOf({ ...smallModel(), 'config.json': '{"a":1}' }))).rejects.toMatchObject({
    code: 'conflict',
  })
  expect(store.list()).toEqual([first])
})

test('two additions at once do not meet', async () => {
  const store = await plainStore(temporaryFolder())
  const added = await Promise.all(['one', 'two', 'one'].map((name) => store.add(folderOf(smallModel(), name))))
  expect(added.map((model) => model.id)).toEqual(['one', 'two', 'one'])
  expect(store.list().map((model) => model.id)).toEqual(['one', 'two'])
})

test('a built-in model is listed first, verified, and cannot be removed', async () => {
  const other = await plainStore(temporaryFolder())
  await other.add(folderOf(smallModel(), 'built-in'))
  const builtIn = other.resolve('embed')
  const store = await plainStore(temporaryFolder(), [builtIn])
  await store.add(folderOf(smallModel(), 'a-first-letter'))
  expect(store.list().map((model) => [model.id, model.builtIn])).toEqual([
    ['built-in', true],
    ['a-first-letter', false],
  ])
  expect(store.resolve('embed').card.id).toBe('built-in')
  await expect(store.remove('built-in')).rejects.toMatchObject({ code: 'conflict' })
  await expect(store.remove('nothing')).rejects.toMatchObject({ code: 'not-found' })
  expect(await store.verify()).toHaveLength(2)
})

test('asking for a model that is not there, or is for something else, says so', async () => {
  const store = await plainStore(temporaryFolder())
  expect(failureOf(() => store.resolve('chat'))).toMatchObject({
    code: 'not-found',
    message: 'there is no model for chat',
  })
  const { id } = await store.add(folderOf(smallModel()))
  expect(failureOf(() => store.resolve('chat', id))).toMatchObject({
    code: 'invalid-input',
    message: 'my-model is a model for embed, not for chat',
  })
  expect(failureOf(() => store.resolve('chat', 'unheard-of'))).toMatchObject({ code: 'not-found' })
})

test('a store where a file is in the way says so', async () => {
  const file = join(folderOf({ models: 'a file' }), 'models')
  await expect(plainStore(file)).rejects.toMatchObject({
    code: 'data-folder',
    message: `${file} cannot be read or written`,
  })
})
