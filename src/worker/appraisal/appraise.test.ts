import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { JobInput, JobRun, OcrLine } from '#shared/domain/job'
import type { InstalledModel } from '#shared/domain/model-stages'
import { bombs } from '#test/fixtures/picture-bombs'
import { pdfFile } from '#test/fixtures/pdf'
import { runJob } from '../inference/index'
import { draw, model as ocrModel, twoLines } from '../inference/ocr/ocr.test.support'
import { chatModel, embedModel } from '../inference/real-models.test.support'
import type { Appraisal } from './appraisal'
import { createAppraising } from './appraise'

const appraising = createAppraising()
type Claim = Pick<JobRun, 'output' | 'evidence'>

const appraise = (input: JobInput, model: InstalledModel, { output, evidence }: Claim): Promise<Appraisal> =>
  appraising.appraise({ input: JSON.stringify(input), model, output, evidence })

function run(input: JobInput, model: InstalledModel): Promise<JobRun> {
  const { signal } = new AbortController()
  return runJob({ jobId: 'job', input, model }, { threads: 1, signal, onToken: () => undefined })
}

const wrong = (words: string): object => ({ state: 'wrong', message: expect.stringContaining(words) })
const fileInput = (file: Uint8Array): JobInput => ({ kind: 'ocr', image: Buffer.from(file).toString('base64') })

describe('what was read of a file', () => {
  const sheet = async () => (await draw(twoLines, 480, 170)).png().toBuffer()
  const boxed = (...boxes: OcrLine['box'][]): Claim => ({
    output: boxes.map((box) => ({ text: 'WORDS', box, confidence: 0.99 })),
    evidence: { kind: 'ocr', lines: boxes.length },
  })
  const rectangle = (left: number, top: number, width: number, height: number): OcrLine['box'] => [
    [left, top],
    [left + width, top],
    [left + width, top + height],
    [left, top + height],
  ]
  const columns = async (file: Uint8Array, ...boxes: OcrLine['box'][]): Promise<number> => {
    const appraisal = await appraise(fileInput(file), ocrModel, boxed(...boxes))
    if (appraisal.state !== 'derived' || appraisal.sizes.kind !== 'ocr') throw new Error(JSON.stringify(appraisal))
    return appraisal.sizes.recognitionColumns
  }

  it.each<[string, () => Promise<Uint8Array>]>([
    ['a picture', sheet],
    [
      'a photograph that is turned',
      async () =>
        sharp(await sheet())
          .rotate(-90)
          .withMetadata({ orientation: 6 })
          .jpeg({ quality: 92 })
          .toBuffer(),
    ],
    [
      'a TIFF file of two pages',
      async () => {
        const page = await (await draw(twoLines, 480, 170)).flatten().removeAlpha().raw().toBuffer()
        const raw = { width: 480, height: 340, channels: 3, pageHeight: 170 } as const
        return sharp(Buffer.concat([page, page]), { raw })
          .tiff()
          .toBuffer()
      },
    ],
    ['a PDF file', async () => pdfFile([{ lines: ['Every page'] }, { lines: ['The second one'], size: [300, 200] }])],
  ])('has the sizes that its rig counted: %s', async (_, make) => {
    const input = fileInput(await make())
    const honest = await run(input, ocrModel)
    expect((honest.output as OcrLine[]).length).toBeGreaterThan(0)
    expect(await appraise(input, ocrModel, honest)).toEqual({ state: 'derived', sizes: honest.sizes })
  })

  it.each<[string, Parameters<typeof draw>]>([
    ['kept smaller', [[{ text: 'Far corner', x: 3000, y: 3000, size: 90 }], 5000, 4000]],
    [
      'searched again for its small print',
      [[{ text: 'A clause in small print', x: 120, y: 90, size: 10 }], 3000, 1300],
    ],
  ])('has the sizes that its rig counted: a large picture, %s', { tags: ['long'] }, async (_, drawing) => {
    const input = fileInput(await (await draw(...drawing)).png().toBuffer())
    const honest = await run(input, ocrModel)
    expect((honest.output as OcrLine[]).length).toBeGreaterThan(0)
    expect(await appraise(input, ocrModel, honest)).toEqual({ state: 'derived', sizes: honest.sizes })
  })

  it('counts no more than the page holds, however wide, far away or many its boxes are', async () => {
    const file = await sheet()
    const one = await columns(file, rectangle(20, 30, 400, 40))
    expect(one).toBe(552) // 1.15 × 48 × 400 / 40
    const half = rectangle(20, 50, 400, 20)
    expect(await columns(file, rectangle(20, 30, 400, 40), rectangle(20, 30, 400, 40))).toBe(one)
    expect(await columns(file, rectangle(20, 30, 400, 40), half)).toBe(one)
    expect(await columns(file, rectangle(-1e9, 30, 2e9, 40))).toBe(664) // 480 pixels wide
    expect(await columns(file, rectangle(1e6, 1e6, 400, 40), rectangle(-500, -40, 400, 40))).toBe(0)
    expect(await columns(file, rectangle(20, 30, 400, 0), rectangle(20, 30, 0, 40))).toBe(0)
    const bow = [half[0]!, half[2]!, half[1]!, half[3]!] as OcrLine['box']
    expect(await columns(file, bow)).toBeLessThanOrEqual(one)
    // Thin lines one above another: each counts by its area as if it were as thick as detection finds one at least.
    const thin = Array.from({ length: 42 }, (_, index) => rectangle(0, 4 * index, 480, 1))
    expect(await columns(file, ...thin)).toBe(42 * 776) // 1.15 × 48 × 480 / 5.85²
  })

  it('counts the pixels of the file, not what lines say', async () => {
    const file = await sheet()
    for (const boxes of [[], [rectangle(0, 0, 400, 1)], [rectangle(0, 0, 1e9, 1e9)]]) {
      const appraisal = await appraise(fileInput(file), ocrModel, boxed(...boxes))
      expect(appraisal).toMatchObject({ sizes: { detectionPixels: 480 * 192 } })
    }
  })

  it.each(Object.entries(bombs()))('is wrong where no rig can read the file: %s', async (_, file) => {
    const appraisal = await appraise(fileInput(file), ocrModel, boxed(rectangle(0, 0, 400, 40)))
    expect(appraisal).toMatchObject({ state: 'wrong' })
  })

  it('is wrong for a file with too many pages, and a line on none of them', async () => {
    const book = pdfFile(Array.from({ length: 21 }, () => ({ lines: ['A page'] })))
    expect(await appraise(fileInput(book), ocrModel, boxed())).toEqual(wrong('21 pages'))
    const two = fileInput(pdfFile([{ lines: ['One'] }, { lines: ['Two'] }]))
    const lines = boxed(rectangle(40, 40, 100, 20))
    expect(await appraise(two, ocrModel, lines)).toEqual(wrong('does not name its page'))
    const onPage = (page: number): Claim => ({
      ...lines,
      output: (lines.output as OcrLine[]).map((line) => ({ ...line, page })),
    })
    expect(await appraise(two, ocrModel, onPage(3))).toEqual(wrong('does not have'))
    expect(await appraise(two, ocrModel, onPage(2))).toMatchObject({ state: 'derived' })
    expect(await appraise(fileInput(await sheet()), ocrModel, onPage(1))).toEqual(wrong('does not name'))
  })
})

describe.skipIf(!chatModel)('a chat', () => {
  const model = chatModel!
  const question = {
    kind: 'chat' as const,
    messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
  }
  type Evidence = Extract<JobRun['evidence'], { kind: 'chat' }>

  it.each<[string, Partial<Extract<JobInput, { kind: 'chat' }>>]>([
    ['that ends by itself', { maxTokens: 64 }],
    ['that is cut at its limit', { maxTokens: 3 }],
    ['that ends at a stop string', { maxTokens: 64, stop: ['Paris'] }],
  ])('%s has the sizes that its rig counted', async (_, choice) => {
    const input: JobInput = { ...question, maxTokens: 64, ...choice }
    const honest = await run(input, model)
    expect(await appraise(input, model, honest)).toEqual({ state: 'derived', sizes: honest.sizes })
  })

  it('is wrong where prompt, ids, text or end are not those of its model', async () => {
    const input: JobInput = { ...question, maxTokens: 64, stop: ['Paris'] }
    const honest = await run(input, model)
    const evidence = honest.evidence as Evidence
    const changed = (changes: Partial<Evidence>, output = honest.output): Promise<Appraisal> =>
      appraise(input, model, { output, evidence: { ...evidence, ...changes } })
    const { promptTokenIds, tokenIds } = evidence
    expect(await changed({ promptTokenIds: [...promptTokenIds, 5] })).toEqual(wrong('prompt'))
    expect(await changed({ promptTokenIds: promptTokenIds.with(3, 5) })).toEqual(wrong('prompt'))
    expect(await changed({ tokenIds: [...tokenIds, 5] })).toEqual(wrong('behind the end'))
    expect(await changed({ tokenIds: tokenIds.slice(0, -1) })).toMatchObject({ state: 'wrong' })
    expect(await changed({ tokenIds: tokenIds.with(1, 1 << 29) })).toMatchObject({ state: 'wrong' })
    expect(await changed({ finish: 'length' })).toEqual(wrong('end'))
    expect(await changed({}, 'Lyon.')).toEqual(wrong('text'))
    expect(await changed({}, [[1]])).toEqual(wrong('not those of a chat'))
    const tight = { ...model, manifest: { ...model.manifest, context: promptTokenIds.length + 1 } }
    expect(tokenIds.length).toBeGreaterThan(2)
    expect(await appraise(input, tight, honest)).toEqual(wrong('More tokens'))
    expect(await appraise({ kind: 'embed', texts: ['a'] }, model, honest)).toEqual(wrong('kind'))
  })

  it('says nothing of a result where its own model cannot be read', async () => {
    const claim = { output: '', evidence: { kind: 'chat', promptTokenIds: [], tokenIds: [] } } as unknown as Claim
    const gone = { ...model, folder: '/nowhere' }
    await expect(appraise({ ...question, maxTokens: 1 }, gone, claim)).rejects.toMatchObject({ code: 'model-refused' })
  })
})

describe.skipIf(!embedModel)('embeddings', () => {
  it('have the tokens that their rig counted, cut at the context, also of nothing', async () => {
    const input: JobInput = { kind: 'embed', texts: ['A line.', '', 'a long text '.repeat(400), 'Zürich 東京 🙂'] }
    const honest = await run(input, embedModel!)
    expect(await appraise(input, embedModel!, honest)).toEqual({ state: 'derived', sizes: honest.sizes })
    const few = { ...honest, output: (honest.output as number[][]).slice(1) }
    expect(await appraise(input, embedModel!, few)).toEqual(wrong('one a text'))
  })
})
