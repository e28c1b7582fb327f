/** Inputs that are not what they should be: a clear failure or a correct result, and the worker lives on. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { follow, lode, realModel, startLode, temporaryFolder, type Finished } from '../support/lode'
import { answerOf, failureOf, jobAnswer } from './cli-schemas'

const CHAT = 'smollm2-135m-instruct-int4'
const EMBED = 'all-minilm-l6-v2-int8'

const dataDir = temporaryFolder()
const work = temporaryFolder()
const engine = startLode(dataDir, ['serve', '--json'])
const serving = follow(engine)
const submit = (kind: string, input: Buffer | string, ...options: string[]): Promise<Finished> =>
  lode(dataDir, ['job', 'submit', '--kind', kind, '--input', '-', '--json', ...options], { input })

function needs(context: TestContext, model: string): void {
  if (realModel(model) === null) context.skip(`../shared/models/${model} is not here`)
}

let picture: Buffer
beforeAll(async () => {
  await serving.until(({ pid }) => pid === engine.pid)
  for (const name of [EMBED, CHAT]) {
    const folder = realModel(name)
    if (folder !== null) await lode(dataDir, ['models', 'add', folder, '--json'])
  }
  picture = await sharp({ create: { width: 320, height: 120, channels: 3, background: '#ffffff' } })
    .png()
    .toBuffer()
})
afterAll(async () => {
  engine.kill('SIGTERM')
  await serving.exited
})

describe('a picture', () => {
  test.each([
    ['that is a text', () => Buffer.from('This is a text and no picture.\n')],
    ['that is a program', () => readFileSync(process.execPath).subarray(0, 100_000)],
    ['cut short in its header', () => picture.subarray(0, 20)],
    ['that has a header alone', () => picture.subarray(0, 45)],
    ['that is empty', () => Buffer.alloc(0)],
  ])('%s is refused with a sentence', async (_what, bytes) => {
    const failure = failureOf(await submit('ocr', bytes()))
    expect(failure.code).toBe('invalid-input')
    expect(failure.message).toMatch(/picture|file/)
    expect(failure.message).not.toMatch(/\bat \/|Error:|undefined/)
    expect(failure.action).not.toBe('')
  })

  test('cut short in the middle is refused, not half read', async () => {
    const jpeg = await sharp({
      create: {
        width: 640,
        height: 480,
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .jpeg()
      .toBuffer()
    expect(failureOf(await submit('ocr', jpeg.subarray(0, jpeg.length / 2))).code).toBe('invalid-input')
  })

  test('that says it has billions of pixels is refused before they are made', async () => {
    const bomb = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="60000"><rect width="9" height="9"/></svg>',
    )
    const failure = failureOf(await submit('ocr', bomb))
    expect(failure.code).toBe('invalid-input')
    const header = Buffer.from(picture)
    header.writeUInt32BE(60_000, 16)
    header.writeUInt32BE(60_000, 20)
    expect(failureOf(await submit('ocr', header)).code).toBe('invalid-input')
  })

  test.each([
    [
      'of 1 × 1',
      () =>
        sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } })
          .png()
          .toBuffer(),
    ],
    ['that is blank', () => Promise.resolve(picture)],
    [
      'of 1 × 3000',
      () =>
        sharp({ create: { width: 1, height: 3000, channels: 3, background: '#fff' } })
          .png()
          .toBuffer(),
    ],
    [
      'that is transparent',
      () =>
        sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
          .png()
          .toBuffer(),
    ],
  ])('%s has no text, which is a correct result', async (_what, draw) => {
    const job = answerOf(jobAnswer, await submit('ocr', await draw()))
    expect(job).toMatchObject({ kind: 'ocr', state: 'accepted', output: [], evidence: { lines: 0 } })
  })

  test('in CMYK is read like the same one in RGB', async () => {
    const { generateSample } = await import('#worker/samples/index')
    const { input } = await generateSample({ kind: 'ocr', seed: 'c0ffee' })
    const original = Buffer.from(input.kind === 'ocr' ? input.image : '', 'base64')
    const cmyk = await sharp(original).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk')
    const [plain, printed] = [
      answerOf(jobAnswer, await submit('ocr', original)),
      answerOf(jobAnswer, await submit('ocr', cmyk)),
    ]
    if (plain.kind !== 'ocr' || printed.kind !== 'ocr') throw new Error('not ocr')
    const words = (job: typeof plain): string[] => job.output.flatMap(({ text }) => text.toLowerCase().split(/\s+/))
    expect(words(plain).length).toBeGreaterThan(0)
    const same = words(plain).filter((word) => words(printed).includes(word))
    expect(same.length / words(plain).length).toBeGreaterThan(0.6)
  })
})

describe('a text', () => {
  test.each(['chat', 'embed'])('of bytes that are no text is refused for %s', async (kind) => {
    for (const bytes of [picture, Buffer.from([0xff, 0xfe, 0x00, 0x41]), Buffer.from('zero\0byte')]) {
      const failure = failureOf(await submit(kind, bytes))
      expect(failure).toMatchObject({ code: 'invalid-input', message: expect.stringContaining('not text') as string })
    }
  })

  test.each(['', '   \n\t\n'])('with nothing in it is refused for chat: %j', async (text) => {
    const failure = failureOf(await submit('chat', text))
    expect(failure.code).toBe('invalid-input')
    expect(failure.message).toMatch(/empty/)
  })

  test('with nothing in it has a vector of length one for embed', async (context) => {
    needs(context, EMBED)
    const job = answerOf(jobAnswer, await submit('embed', ''))
    if (job.kind !== 'embed') throw new Error(job.kind)
    expect(job.output).toHaveLength(1)
    expect(job.output.flat().reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 4)
  })

  test('longer than the context is refused for chat, in tokens', async (context) => {
    needs(context, CHAT)
    const failure = failureOf(await submit('chat', 'One more word. '.repeat(6000)))
    expect(failure.code).toBe('invalid-input')
    expect(failure.message).toMatch(/\d.*tokens/)
  })

  test('longer than the context counts as far as it goes for embed, and no further', async (context) => {
    needs(context, EMBED)
    const [long, cut] = ['and so on '.repeat(2000), 'and so on '.repeat(100)]
    const job = answerOf(jobAnswer, await submit('embed', `${long}\n${cut}\nshort`))
    if (job.kind !== 'embed') throw new Error(job.kind)
    const [ofLong = [], ofCut = [], ofShort = []] = job.output
    const cosine = (other: number[]): number => ofLong.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0)
    expect(cosine(ofCut)).toBeGreaterThan(0.999)
    expect(cosine(ofShort)).toBeLessThan(0.9)
    expect(job.tokens).toBeLessThan(2 * 256 + 10)
  })

  test('of more characters than anything takes is refused before it is sent', async () => {
    expect(failureOf(await submit('chat', 'x'.repeat(1_000_001)))).toMatchObject({ code: 'invalid-input' })
  })

  test('that is a folder, or not there, is refused by its name', async () => {
    const at = (input: string) => lode(dataDir, ['job', 'submit', '--kind', 'chat', '--input', input, '--json'])
    expect(failureOf(await at(work))).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('folder') as string,
    })
    const missing = join(work, 'missing.txt')
    expect(failureOf(await at(missing)).message).toContain(missing)
  })
})

test('after all of it no worker was lost, nothing failed inside, and the next picture is read', async () => {
  writeFileSync(join(work, 'blank.png'), picture)
  expect((await lode(dataDir, ['job', 'submit', '--kind', 'ocr', '--input', join(work, 'blank.png')])).code).toBe(0)
  const log = readFileSync(join(dataDir, 'lode.log'), 'utf8')
  expect(log).toContain('"process":"worker cpu0"')
  for (const words of ['process stopped', '"fault"', 'a job failed inside']) expect(log).not.toContain(words)
})
