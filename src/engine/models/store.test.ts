import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import type { ModelView } from '#shared/contract/models'
import { CONVERTER_SHA256 } from '#shared/domain/converter'
import { Failure } from '#shared/domain/errors'
import type { InstalledModel } from '#shared/domain/model-stages'
import { probeModel } from '#worker/inference/index'
import { chatModel, embedModel } from '#worker/inference/real-models.test.support'
import { readKnownManifests } from './known-manifests'
import { createModelStore, type ModelStore } from './store'
import { folderOf, noConversion, smallModel, temporaryFolder } from './model-folder.test.support'

const knownManifests = readKnownManifests(join(dirname(fileURLToPath(import.meta.url)), '../../../resources/cards'))

/** A store whose models are run by the real inference code. */
function realStore(folder: string, onChange?: (models: ModelView[]) => void): Promise<ModelStore> {
  return createModelStore({
    folder,
    builtIn: [],
    convert: noConversion,
    knownManifests,
    probe: (location) => probeModel(location, { threads: 1 }),
    ...(onChange && { onChange }),
  })
}

/** A store that takes every model as one that runs: for what happens around that. */
function plainStore(folder: string, builtIn: InstalledModel[] = []): Promise<ModelStore> {
  const macFormula = { kind: 'embed', perToken: 16, perPair: 2 } as const
  return createModelStore({
    folder,
    builtIn,
    convert: noConversion,
    probe: () => Promise.resolve({ macFormula, context: 8 }),
  })
}

function copyOf(model: InstalledModel): string {
  const folder = join(temporaryFolder(), basename(model.folder))
  mkdirSync(folder)
  for (const file of model.manifest.files) cpSync(join(model.folder, file.path), join(folder, file.path))
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
      const changes = vi.fn<(models: ModelView[]) => void>()
      const store = await realStore(folder, changes)
      const added = await store.add(real!.folder)
      // The manifest in resources/cards states what the graph must give: the probe counted it afresh.
      expect(added).toMatchObject({ ...real!.manifest, state: 'ready', builtIn: false })
      expect(changes).toHaveBeenCalledExactlyOnceWith([added])
      for (const { path } of real!.manifest.files) {
        expect(readFileSync(join(folder, added.id, path)).equals(readFileSync(join(real!.folder, path)))).toBe(true)
      }

      const again = await realStore(folder)
      expect(again.list()).toEqual([added])
      expect(again.resolve(kind)).toEqual({
        manifest: expect.objectContaining({ id: added.id }),
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

describe('a model that is made of a file', () => {
  /** Says how often it converted; what it makes has `graph` within. */
  async function making(folder: string, options: { inUse?: string[] } = {}) {
    const converter = { runs: 0, graph: 'first' }
    const store = await createModelStore({
      folder,
      builtIn: [],
      convert: async ({ folder: target }) => {
        converter.runs++
        const files = { ...smallModel(), 'config.json': JSON.stringify({ graph: converter.graph }) }
        mkdirSync(target)
        for (const [path, content] of Object.entries(files)) writeFileSync(join(target, path), content)
        return { name: 'Made', licence: 'mit' }
      },
      probe: () => Promise.resolve({ macFormula: { kind: 'embed', perToken: 16, perPair: 2 }, context: 8 }),
      inUse: () => new Set(options.inUse),
    })
    return { store, converter }
  }
  const gguf = (name: string, content = 'GGUF of a test'): string => join(folderOf({ [name]: content }), name)
  /** As if an earlier Lode had made it. */
  const age = (folder: string, id: string): void => {
    const path = join(folder, id, 'card.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as ModelView
    writeFileSync(path, JSON.stringify({ ...manifest, origin: { ...manifest.origin, converter: '1'.repeat(64) } }))
  }

  test('is made once, whatever the file is called and whoever runs', async () => {
    const folder = temporaryFolder()
    const { store, converter } = await making(folder)
    const added = await store.add(gguf('My Model (1).Q8_0.gguf'))
    expect(added).toMatchObject({
      id: 'my-model-1-.q8_0',
      origin: { files: [{ path: 'My Model (1).Q8_0.gguf' }], converter: CONVERTER_SHA256, hash: 'computed' },
    })
    expect(await store.add(gguf('a-copy.gguf'))).toEqual(added)
    expect(converter.runs).toBe(1)
    const again = await making(folder)
    expect(await again.store.add(gguf('another-copy.gguf'))).toEqual(added)
    expect(again.converter.runs).toBe(0)

    // Another file, or one of Lode's that was changed, is another matter.
    flipByte(join(folder, added.id, 'config.json'), 3)
    expect(await again.store.add(gguf('My Model (1).Q8_0.gguf'))).toEqual(added)
    expect(again.converter.runs).toBe(1)
    expect((await again.store.add(gguf('other.gguf', 'GGUF of another'))).id).toBe('other')
    expect(again.converter.runs).toBe(2)
  })

  test('of safetensors depends on all files of the folder', async () => {
    const folder = temporaryFolder()
    const { store, converter } = await making(folder)
    const files = { 'model.safetensors': 'weights', 'config.json': '{}', 'tokenizer.json': '{}' }
    const added = await store.add(folderOf(files, 'one'))
    expect(added.origin?.files.map(({ path }) => path)).toEqual(Object.keys(files))
    expect(await store.add(join(folderOf(files, 'two'), 'model.safetensors'))).toEqual(added)
    expect(converter.runs).toBe(1)
    expect((await store.add(folderOf({ ...files, 'tokenizer.json': '{"a":1}' }, 'three'))).id).toBe('three')
  })

  test('by another converter is replaced in its place, but never while it has jobs', async () => {
    const folder = temporaryFolder()
    const inUse: string[] = []
    const { store, converter } = await making(folder, { inUse })
    const first = await store.add(gguf('model.gguf'))
    age(folder, first.id)
    converter.graph = 'second'
    const reopened = await making(folder, { inUse })
    reopened.converter.graph = 'second'
    const [old] = reopened.store.list()

    inUse.push(first.id)
    await expect(reopened.store.add(gguf('model.gguf'))).rejects.toMatchObject({
      code: 'conflict',
      message: 'Made was to be made anew, but has jobs now',
    })
    expect(reopened.store.list()).toEqual([old])
    expect(readFileSync(join(folder, first.id, 'config.json'), 'utf8')).toContain('first')

    inUse.length = 0
    const second = await reopened.store.add(gguf('model.gguf'))
    expect(second).toMatchObject({ id: first.id, state: 'ready', origin: { converter: CONVERTER_SHA256 } })
    expect(second.hash).not.toBe(first.hash)
    expect(readFileSync(join(folder, first.id, 'config.json'), 'utf8')).toContain('second')
    expect(reopened.store.list()).toEqual([second])
    expect(readdirSync(folder)).toEqual([first.id])
  })

  test('that was being replaced when everything stopped is put back', async () => {
    const folder = temporaryFolder()
    const { store } = await making(folder)
    const added = await store.add(gguf('model.gguf'))
    renameSync(join(folder, added.id), join(folder, `.unfinished-replaced-${added.id}`))
    expect((await making(folder)).store.list()).toEqual([added])
    // Where the new one was there already, the old one goes.
    cpSync(join(folder, added.id), join(folder, `.unfinished-replaced-${added.id}`), { recursive: true })
    expect((await making(folder)).store.list()).toEqual([added])
    expect(readdirSync(folder)).toEqual([added.id])
  })
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
  expect(store.resolve('embed').manifest.id).toBe('built-in')
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
