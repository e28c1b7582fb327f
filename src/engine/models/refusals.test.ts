import { createHash } from 'node:crypto'
import { readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ModelManifest } from '#shared/domain/manifest'
import { createModelStore } from './store'
import { folderOf, noConversion, smallGraph, smallModel, temporaryFolder } from './model-folder.test.support'

/** Adds a folder to a fresh store whose models never get as far as being run. What is left in the store afterwards stands beside the failure. */
async function refusalOf(folder: string): Promise<{ code: string; message: string; action: string; left: string[] }> {
  const store = temporaryFolder()
  const models = await createModelStore({
    folder: store,
    builtIn: [],
    convert: noConversion,
    probe: () => Promise.reject(new Error('the model was run before it was refused')),
  })
  const failure = (await models.add(folder).catch((error: unknown) => error)) as {
    code: string
    message: string
    action: string
  }
  expect(models.list()).toEqual([])
  return { code: failure.code, message: failure.message, action: failure.action, left: readdirSync(store) }
}

/** The message of a refusal that leaves nothing behind and says what to do. */
async function refusal(folder: string): Promise<string> {
  const failure = await refusalOf(folder)
  expect(failure).toMatchObject({ code: 'model-refused', left: [] })
  expect(failure.action).not.toBe('')
  return failure.message
}

function without(files: Record<string, string | Uint8Array>, path: string): Record<string, string | Uint8Array> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== path))
}

function manifestOf(files: Record<string, string | Uint8Array>, change: Partial<ModelManifest> = {}): string {
  const manifest: ModelManifest = {
    id: 'carded',
    kind: 'embed',
    name: 'Carded',
    files: Object.entries(files).map(([path, content]) => ({
      path,
      bytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
    licence: 'MIT',
    source: 'a test',
    context: 16,
    macFormula: { kind: 'embed', perToken: 1, perPair: 1 },
    ...change,
  }
  return JSON.stringify(manifest)
}

describe('a folder that is not whole', () => {
  test.each(['config.json', 'tokenizer.json', 'model.onnx'])('without %s is refused by that name', async (path) => {
    expect(await refusal(folderOf(without(smallModel(), path)))).toMatch(new RegExp(`^${path} is missing`))
  })

  test('that does not exist is not found', async () => {
    expect(await refusalOf(join(temporaryFolder(), 'nowhere'))).toMatchObject({ code: 'not-found', left: [] })
  })

  test.each([
    ['weights.pt', 'x', /^weights.pt is a pickle/],
    ['pytorch_model.bin', new Uint8Array([0x80, 4, 0x95, 0]), /^pytorch_model.bin is a pickle/],
    ['model.h5', 'x', /^model.h5 isn't a supported model/],
    ['broken.onnx', 'x', /^broken.onnx is cut short or is not an ONNX file/],
  ])('a file %s is refused for what it is', async (name, content, words) => {
    const folder = folderOf({ ...smallModel(), [name]: content })
    expect(await refusal(join(folder, name))).toMatch(words)
  })

  test('with two GGUF files and no graph asks for one', async () => {
    expect(await refusal(folderOf({ 'a.gguf': 'x', 'b.gguf': 'y' }))).toMatch(/holds 2 GGUF files/)
  })

  test('with an empty file is refused', async () => {
    expect(await refusal(folderOf({ ...smallModel(), 'tokenizer.json': '' }))).toMatch(/^tokenizer.json is empty/)
  })
})

describe('a graph', () => {
  test('cut short anywhere is refused', async () => {
    const whole = smallGraph()
    for (let bytes = 1; bytes < whole.length; bytes += 3) {
      expect(await refusal(folderOf({ ...smallModel(), 'model.onnx': whole.subarray(0, bytes) }))).toMatch(
        /^model.onnx /,
      )
    }
  })

  test('that is other data is refused', async () => {
    expect(await refusal(folderOf({ ...smallModel(), 'model.onnx': 'no graph at all' }))).toMatch(
      /^model.onnx is cut short or is not an ONNX file/,
    )
  })

  test('with a custom operator is refused', async () => {
    expect(await refusal(folderOf(smallModel({ domain: 'ai.custom' })))).toMatch(
      /^model.onnx uses the custom operator ai.custom.MatMul/,
    )
  })

  test('that is neither chat nor embedding is refused', async () => {
    expect(await refusal(folderOf(smallModel({ inputs: ['pixels'] })))).toMatch(/^model.onnx is neither .* pixels/)
  })

  test.each([
    '../outside.bin',
    '/etc/hostname',
    'weights/../../outside.bin',
    String.raw`..\outside.bin`,
    'C:\\weights.bin',
    '',
  ])('with weights at %j is refused', async (location) => {
    expect(await refusal(folderOf(smallModel({ externalData: { location } })))).toMatch(
      /^model.onnx takes weights from .* not a file inside the folder/,
    )
  })

  test('whose weights file is missing or too short is refused by that file', async () => {
    const files = smallModel({ externalData: { location: 'weights.data', offset: '0', length: '64' } })
    expect(await refusal(folderOf(files))).toMatch(/^weights.data is missing/)
    expect(await refusal(folderOf({ ...files, 'weights.data': new Uint8Array(63) }))).toMatch(
      /^weights.data is cut short/,
    )
  })
})

describe('files that may not be there', () => {
  test.each(['weights.pkl', 'model.pt', 'deep/er/model.pth', 'MODEL.CKPT'])(
    '%s is refused by its name',
    async (path) => {
      expect(await refusal(folderOf({ ...smallModel(), [path]: 'anything' }))).toMatch(
        new RegExp(`^${path} is a pickle`),
      )
    },
  )

  test.each([
    ['a bare pickle', new Uint8Array([0x80, 0x04, 0x95, 0x00])],
    ['an archive', new Uint8Array([0x50, 0x4b, 0x03, 0x04])],
  ])('a .bin file that is %s is refused', async (_, start) => {
    expect(await refusal(folderOf({ ...smallModel(), 'pytorch_model.bin': start }))).toMatch(
      /^pytorch_model.bin is a pickle/,
    )
  })

  test('a link that leaves the folder is refused, also as part of a path', async () => {
    const outside = folderOf({ 'tokenizer.json': '{}', 'part/config.json': '{}' }, 'outside')
    const folder = folderOf(without(smallModel(), 'tokenizer.json'))
    symlinkSync(join(outside, 'tokenizer.json'), join(folder, 'tokenizer.json'))
    expect(await refusal(folder)).toMatch(/^tokenizer.json is a link that leaves the folder/)

    const linked = folderOf(smallModel())
    symlinkSync(join(outside, 'part'), join(linked, 'part'))
    expect(await refusal(linked)).toMatch(/^part is a link that leaves the folder/)
  })

  test('a link to nothing is refused', async () => {
    const folder = folderOf(smallModel())
    symlinkSync(join(folder, 'gone'), join(folder, 'generation_config.json'))
    expect(await refusal(folder)).toMatch(/^generation_config.json is a link to nothing/)
  })

  test('a graph of 3 GiB is refused without being read', async () => {
    const folder = folderOf(smallModel())
    truncateSync(join(folder, 'model.onnx'), 3 * 1024 ** 3)
    expect(await refusal(folder)).toMatch(/^model.onnx has 3,221,225,472 bytes; at most/)
  })

  test('a folder with thousands of files is refused', async () => {
    const folder = folderOf(smallModel())
    for (let index = 0; index < 2001; index++) writeFileSync(join(folder, `${index}.txt`), 'x')
    expect(await refusal(folder)).toMatch(/too many files/)
  })
})

describe('a folder with a manifest of its own', () => {
  test('whose file differs is refused by that file', async () => {
    const files = smallModel()
    const manifest = manifestOf(files)
    expect(await refusal(folderOf({ ...files, 'config.json': '[]', 'card.json': manifest }))).toMatch(
      /^config.json does not have the SHA-256/,
    )
    expect(await refusal(folderOf({ ...files, 'config.json': '{ }', 'card.json': manifest }))).toMatch(
      /^config.json has 3 bytes where card.json says 2/,
    )
    expect(await refusal(folderOf({ ...without(files, 'config.json'), 'card.json': manifest }))).toMatch(
      /^config.json is missing; card.json names it/,
    )
  })

  test('that is not a manifest, or names a way out, is refused', async () => {
    const files = smallModel()
    expect(await refusal(folderOf({ ...files, 'card.json': '{' }))).toMatch(/^card.json is not JSON/)
    expect(await refusal(folderOf({ ...files, 'card.json': '{}' }))).toMatch(/^card.json is not a model manifest/)
    const leaving = manifestOf(files, { files: [{ path: '../secret', bytes: 1, sha256: '0'.repeat(64) }] })
    expect(await refusal(folderOf({ ...files, 'card.json': leaving }))).toMatch(
      /^card.json is not a model manifest .*must stay inside/,
    )
  })

  test('that says another kind, or leaves weights out, is refused', async () => {
    const files = smallModel({ externalData: { location: 'weights.data', length: '64' } })
    const weights = { 'weights.data': new Uint8Array(64) }
    expect(await refusal(folderOf({ ...files, ...weights, 'card.json': manifestOf(files) }))).toMatch(
      /^card.json does not name weights.data/,
    )
    const chat = manifestOf({ ...files, ...weights }, { kind: 'chat' })
    expect(await refusal(folderOf({ ...files, ...weights, 'card.json': chat }))).toMatch(
      /^card.json says chat, but model.onnx is a model for embed/,
    )
  })
})
