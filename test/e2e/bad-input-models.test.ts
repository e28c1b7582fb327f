/** Model folders that are broken, through `lode models add`: refused, the file named, nothing half-installed, the engine up. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallGraph, smallModel } from '#engine/models/model-folder.test.support'
import { follow, lode, realModel, startLode, temporaryFolder } from '../support/lode'
import { answerOf, failureOf, modelsAnswer, statusAnswer } from './cli-schemas'

type Files = Record<string, string | Uint8Array>

const dataDir = temporaryFolder()
const work = temporaryFolder()
const engine = startLode(dataDir, ['serve', '--json'])
const serving = follow(engine)
beforeAll(() => serving.until(({ pid }) => pid === engine.pid))
afterAll(async () => {
  engine.kill('SIGTERM')
  await serving.exited
})

let count = 0
function folderOf(files: Files): string {
  const folder = join(work, `model-${count++}`)
  mkdirSync(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** A manifest that says what these files should be. */
function manifestOf(files: Files): string {
  return JSON.stringify({
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
  })
}
const without = (path: string): Files =>
  Object.fromEntries(Object.entries(smallModel()).filter(([name]) => name !== path))

/** What the command says. Whatever it refuses, the store stays as it was and the engine up. */
async function refusal(folder: string): Promise<{ code: string; message: string; action: string }> {
  const failure = failureOf(await lode(dataDir, ['models', 'add', folder, '--json']))
  const models = answerOf(modelsAnswer, await lode(dataDir, ['models', 'list', '--json']))
  expect(models.filter(({ builtIn }) => !builtIn)).toEqual([])
  expect(readdirSync(join(dataDir, 'models'))).toEqual([])
  expect(engine.exitCode).toBeNull()
  return failure
}

describe('a model folder', () => {
  test.each<[string, () => string, RegExp]>([
    ['without config.json', () => folderOf(without('config.json')), /^config\.json is missing/],
    ['without tokenizer.json', () => folderOf(without('tokenizer.json')), /^tokenizer\.json is missing/],
    ['without its graph', () => folderOf(without('model.onnx')), /^model\.onnx is missing/],
    ['that is empty', () => folderOf({}), /is missing/],
    [
      'whose file has another hash than its manifest',
      () => folderOf({ ...smallModel(), 'config.json': '[]', 'card.json': manifestOf(smallModel()) }),
      /^config\.json .*SHA-256/,
    ],
    [
      'with a truncated graph',
      () => folderOf({ ...smallModel(), 'model.onnx': smallGraph().subarray(0, 40) }),
      /^model\.onnx .*cut short/,
    ],
    [
      'whose graph takes weights from outside',
      () => folderOf(smallModel({ externalData: { location: '../../etc/passwd' } })),
      /^model\.onnx takes weights from .*not a file inside the folder/,
    ],
    [
      'whose manifest names a path that leaves it',
      () =>
        folderOf({
          ...smallModel(),
          'card.json': manifestOf(smallModel()).replace('"config.json"', '"../config.json"'),
        }),
      /^card\.json is not a model manifest/,
    ],
    ['with a pickle', () => folderOf({ ...smallModel(), 'weights.pkl': 'x' }), /^weights\.pkl is a pickle/],
    [
      'with a pickle under another name',
      () => folderOf({ ...smallModel(), 'pytorch_model.bin': new Uint8Array([0x80, 4, 0x95, 0]) }),
      /^pytorch_model\.bin is a pickle/,
    ],
    ['whose tokenizer is no tokenizer', () => folderOf(smallModel()), /tokenizer\.json|model\.onnx/],
  ])('%s is refused, and the file named', async (_what, make, names) => {
    const failure = await refusal(make())
    expect(failure).toMatchObject({ code: 'model-refused', message: expect.stringMatching(names) as string })
    expect(failure.action).not.toBe('')
  })

  test('with a link that leaves it is refused', async () => {
    const folder = folderOf(without('tokenizer.json'))
    symlinkSync('/etc/hostname', join(folder, 'tokenizer.json'))
    expect(await refusal(folder)).toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^tokenizer\.json is a link that leaves/) as string,
    })
  })

  test('or file that is not there is not found by its name', async () => {
    const nowhere = join(work, 'nowhere')
    expect(await refusal(nowhere)).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(nowhere) as string,
    })
  })

  test('of a real model, cut short near its end, is refused before it runs', async (context) => {
    const real = realModel('all-minilm-l6-v2-int8')
    if (real === null) return context.skip('../shared/models/all-minilm-l6-v2-int8 is not here')
    const files = Object.fromEntries(readdirSync(real).map((name) => [name, readFileSync(join(real, name))]))
    const graph = files['model.onnx']
    if (!graph) throw new Error('the model has no graph')
    expect(await refusal(folderOf({ ...files, 'model.onnx': graph.subarray(0, graph.length - 1000) }))).toMatchObject({
      code: 'model-refused',
      message: expect.stringMatching(/^model\.onnx /) as string,
    })
  })
})

test('after all of it the engine answers, and its verifier was not lost', async () => {
  expect(answerOf(statusAnswer, await lode(dataDir, ['status', '--json'])).pid).toBe(engine.pid)
  const log = readFileSync(join(dataDir, 'lode.log'), 'utf8')
  expect(log).toContain('"process":"verifier"')
  expect(log).not.toContain('process stopped')
})
