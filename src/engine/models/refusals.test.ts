import { createHash } from 'node:crypto'
import { readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ModelCard } from '#shared/domain/card'
import { createModelStore } from './index'
import { folderOf, smallGraph, smallModel, temporaryFolder } from './model-folder.test.support'

/** Adds a folder to a fresh store whose models never get as far as being run. What is left in the store afterwards stands beside the failure. */
async function refusalOf(folder: string): Promise<{ code: string; message: string; action: string; left: string[] }> {
  const store = temporaryFolder()
  const models = await createModelStore({
    folder: store,
    builtIn: [],
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

async function expectRefused(folder: string, message: RegExp): Promise<void> {
  const failure = await refusalOf(folder)
  expect(failure.message).toMatch(message)
  expect(failure).toMatchObject({ code: 'model-refused', left: [] })
  expect(failure.action).not.toBe('')
}

function without(files: Record<string, string | Uint8Array>, path: string): Record<string, string | Uint8Array> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== path))
}

function cardOf(files: Record<string, string | Uint8Array>, change: Partial<ModelCard> = {}): string {
  const card: ModelCard = {
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
  return JSON.stringify(card)
}

describe('a folder that is not whole', () => {
  test.each(['config.json', 'tokenizer.json', 'model.onnx'])('without %s is refused by that name', async (path) => {
    await expectRefused(folderOf(without(smallModel(), path)), new RegExp(`^${path} is missing`))
  })

  test('that does not exist is not found', async () => {
    expect(await refusalOf(join(temporaryFolder(), 'nowhere'))).toMatchObject({ code: 'not-found', left: [] })
  })

  test('that is a file is refused', async () => {
    const folder = folderOf(smallModel())
    await expectRefused(join(folder, 'model.onnx'), /is a file/)
  })

  test('with an empty file is refused', async () => {
    await expectRefused(folderOf({ ...smallModel(), 'tokenizer.json': '' }), /^tokenizer.json is empty/)
  })
})

describe('a graph', () => {
  test('cut short anywhere is refused', async () => {
    const whole = smallGraph()
    for (let bytes = 1; bytes < whole.length; bytes += 3) {
      await expectRefused(folderOf({ ...smallModel(), 'model.onnx': whole.subarray(0, bytes) }), /^model.onnx /)
    }
  })

  test('that is other data is refused', async () => {
    await expectRefused(
      folderOf({ ...smallModel(), 'model.onnx': 'no graph at all' }),
      /^model.onnx is cut short or is not an ONNX file/,
    )
  })

  test('with a custom operator is refused', async () => {
    await expectRefused(
      folderOf(smallModel({ domain: 'ai.custom' })),
      /^model.onnx uses the custom operator ai.custom.MatMul/,
    )
  })

  test('that is neither chat nor embedding is refused', async () => {
    await expectRefused(folderOf(smallModel({ inputs: ['pixels'] })), /^model.onnx is neither .* pixels/)
  })

  test.each([
    '../outside.bin',
    '/etc/hostname',
    'weights/../../outside.bin',
    String.raw`..\outside.bin`,
    'C:\\weights.bin',
    '',
  ])('with weights at %j is refused', async (location) => {
    await expectRefused(
      folderOf(smallModel({ externalData: { location } })),
      /^model.onnx takes weights from .* not a file inside the folder/,
    )
  })

  test('whose weights file is missing or too short is refused by that file', async () => {
    const files = smallModel({ externalData: { location: 'weights.data', offset: '0', length: '64' } })
    await expectRefused(folderOf(files), /^weights.data is missing/)
    await expectRefused(folderOf({ ...files, 'weights.data': new Uint8Array(63) }), /^weights.data is cut short/)
  })
})

describe('files that may not be there', () => {
  test.each(['weights.pkl', 'model.pt', 'deep/er/model.pth', 'MODEL.CKPT'])(
    '%s is refused by its name',
    async (path) => {
      await expectRefused(folderOf({ ...smallModel(), [path]: 'anything' }), new RegExp(`^${path} is a pickle`))
    },
  )

  test.each([
    ['a bare pickle', new Uint8Array([0x80, 0x04, 0x95, 0x00])],
    ['an archive', new Uint8Array([0x50, 0x4b, 0x03, 0x04])],
  ])('a .bin file that is %s is refused', async (_, start) => {
    await expectRefused(folderOf({ ...smallModel(), 'pytorch_model.bin': start }), /^pytorch_model.bin is a pickle/)
  })

  test('a link that leaves the folder is refused, also as part of a path', async () => {
    const outside = folderOf({ 'tokenizer.json': '{}', 'part/config.json': '{}' }, 'outside')
    const folder = folderOf(without(smallModel(), 'tokenizer.json'))
    symlinkSync(join(outside, 'tokenizer.json'), join(folder, 'tokenizer.json'))
    await expectRefused(folder, /^tokenizer.json is a link that leaves the folder/)

    const linked = folderOf(smallModel())
    symlinkSync(join(outside, 'part'), join(linked, 'part'))
    await expectRefused(linked, /^part is a link that leaves the folder/)
  })

  test('a link to nothing is refused', async () => {
    const folder = folderOf(smallModel())
    symlinkSync(join(folder, 'gone'), join(folder, 'generation_config.json'))
    await expectRefused(folder, /^generation_config.json is a link to nothing/)
  })

  test('a graph of 3 GiB is refused without being read', async () => {
    const folder = folderOf(smallModel())
    truncateSync(join(folder, 'model.onnx'), 3 * 1024 ** 3)
    await expectRefused(folder, /^model.onnx has 3221225472 bytes; at most/)
  })

  test('a folder with thousands of files is refused', async () => {
    const folder = folderOf(smallModel())
    for (let index = 0; index < 2001; index++) writeFileSync(join(folder, `${index}.txt`), 'x')
    await expectRefused(folder, /too many files/)
  })
})

describe('a folder with a card of its own', () => {
  test('whose file differs is refused by that file', async () => {
    const files = smallModel()
    const card = cardOf(files)
    await expectRefused(
      folderOf({ ...files, 'config.json': '[]', 'card.json': card }),
      /^config.json does not have the SHA-256/,
    )
    await expectRefused(
      folderOf({ ...files, 'config.json': '{ }', 'card.json': card }),
      /^config.json has 3 bytes where card.json says 2/,
    )
    await expectRefused(
      folderOf({ ...without(files, 'config.json'), 'card.json': card }),
      /^config.json is missing; card.json names it/,
    )
  })

  test('that is not a card, or names a way out, is refused', async () => {
    const files = smallModel()
    await expectRefused(folderOf({ ...files, 'card.json': '{' }), /^card.json is not JSON/)
    await expectRefused(folderOf({ ...files, 'card.json': '{}' }), /^card.json is not a model card/)
    const leaving = cardOf(files, { files: [{ path: '../secret', bytes: 1, sha256: '0'.repeat(64) }] })
    await expectRefused(
      folderOf({ ...files, 'card.json': leaving }),
      /^card.json is not a model card .*must stay inside/,
    )
  })

  test('that says another kind, or leaves weights out, is refused', async () => {
    const files = smallModel({ externalData: { location: 'weights.data', length: '64' } })
    const weights = { 'weights.data': new Uint8Array(64) }
    await expectRefused(
      folderOf({ ...files, ...weights, 'card.json': cardOf(files) }),
      /^card.json does not name weights.data/,
    )
    const chat = cardOf({ ...files, ...weights }, { kind: 'chat' })
    await expectRefused(
      folderOf({ ...files, ...weights, 'card.json': chat }),
      /^card.json says chat, but model.onnx is a model for embed/,
    )
  })
})
