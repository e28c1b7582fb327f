/** A GGUF file, through `lode models add`: it becomes a model that answers, or is refused and leaves nothing. */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ggufBytes, tinyModel } from '#worker/convert/sources/gguf.test.support'
import { follow, lode, startLode, temporaryFolder } from '../support/lode'
import { answerOf, failureOf, modelAnswer } from './cli-schemas'

const dataDir = temporaryFolder()
const work = temporaryFolder()
const engine = startLode(dataDir, ['serve', '--json'])
const serving = follow(engine)
beforeAll(() => serving.until(({ pid }) => pid === engine.pid))
afterAll(async () => {
  engine.kill('SIGTERM')
  await serving.exited
})

const shape = { family: 'qwen2', layers: 2, width: 256, hidden: 512, heads: 4, keyValueHeads: 2, headSize: 64 } as const
const { metadata, tensors } = tinyModel(shape, 8, 21)
const bytes = ggufBytes(metadata, tensors)

test('it is converted, counted from its own graph, and answers', async () => {
  const file = join(work, 'Tiny-Qwen2.Q8_0.gguf')
  writeFileSync(file, bytes)
  const added = answerOf(
    modelAnswer.omit({ files: true }).loose(),
    await lode(dataDir, ['models', 'add', file, '--json']),
  )
  expect(added).toMatchObject({
    id: 'tiny-qwen2.q8_0',
    kind: 'chat',
    name: 'Tiny qwen2',
    licence: 'mit',
    source: 'made from Tiny-Qwen2.Q8_0.gguf',
    state: 'ready',
    context: 128,
    macFormula: {
      kind: 'chat',
      // query and output 256 × 256, key and value 256 × 128, three products with the hidden width, two layers
      perToken: 2 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512),
      perLogits: 64 * 256,
      perPair: 2 * 2 * 4 * 64,
    },
  })
  const folder = join(dataDir, 'models', added.id)
  const before = statSync(folder).ino
  writeFileSync(join(work, 'a copy.gguf'), bytes)
  const again = await lode(dataDir, ['models', 'add', join(work, 'a copy.gguf'), '--json'])
  expect(answerOf(modelAnswer.omit({ files: true }).loose(), again)).toEqual(added)
  expect(statSync(folder).ino).toBe(before)

  const answer = await lode(
    dataDir,
    ['job', 'submit', '--kind', 'chat', '--model', 'tiny-qwen2.q8_0', '--input', '-', '--max-tokens', '5', '--json'],
    { input: 'abc 42' },
  )
  expect(answer.code).toBe(0)
  expect(JSON.parse(answer.stdout)).toMatchObject({ model: 'tiny-qwen2.q8_0', state: 'accepted' })
  expect(readdirSync(join(dataDir, 'models'))).toEqual(['tiny-qwen2.q8_0'])
})

test.each([
  ['cut short', bytes.subarray(0, bytes.length - 1000), /cut short/],
  ['something else', Buffer.from('hello'), /is not a GGUF file/],
  ['of another family', ggufBytes({ ...metadata, 'general.architecture': 'rwkv6' }, tensors), /family rwkv6/],
] as const)('a file that is %s is refused and leaves nothing', async (_, content, words) => {
  const before = readdirSync(join(dataDir, 'models'))
  const file = join(work, 'other.gguf')
  writeFileSync(file, content)
  const failure = failureOf(await lode(dataDir, ['models', 'add', file, '--json']))
  expect(failure.code).toBe('model-refused')
  expect(failure.message).toMatch(words)
  expect(failure.action).not.toBe('')
  expect(readdirSync(join(dataDir, 'models'))).toEqual(before)
  expect(engine.exitCode).toBeNull()
})

test('a file that is not there', async () => {
  const failure = failureOf(await lode(dataDir, ['models', 'add', join(work, 'none.gguf'), '--json']))
  expect(failure.code).toBe('not-found')
})
