import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { MAX_OCR_PAGES } from '#shared/domain/job'
import { bombs } from '#test/fixtures/picture-bombs'
import { pdfFile } from '#test/fixtures/pdf'
import { openPdf } from './pdf'
import { draw, linesOf, read, textsOf, twoLines, twoTexts } from './ocr.test.support'

const refused = { name: 'Failure', code: 'invalid-input' }
const saying = (words: string) => ({ ...refused, message: expect.stringContaining(words) })

describe('a TIFF file', () => {
  it('is read page by page, each line with its page', async () => {
    const pages = [twoLines, [], [{ ...twoLines[0]!, text: 'The last sheet' }]]
    const sheets = await Promise.all(
      pages.map(async (lines) => (await draw(lines, 480, 170)).flatten().removeAlpha().raw().toBuffer()),
    )
    const file = await sharp(Buffer.concat(sheets), { raw: { width: 480, height: 510, channels: 3, pageHeight: 170 } })
      .tiff({ compression: 'deflate' })
      .toBuffer()
    const run = await read(file)
    expect(linesOf(run).map(({ page, text }) => [page, text])).toEqual([
      [1, twoTexts[0]],
      [1, twoTexts[1]],
      [3, 'The last sheet'],
    ])
    expect(linesOf(run)[2]!.box[0]![1]).toBeLessThan(100)
    expect(run.sizes).toMatchObject({ detectionPixels: 3 * 480 * 192 })
  })
})

describe('a PDF file', () => {
  it('is drawn and read page by page, boxes in points', async () => {
    const run = await read(
      pdfFile([{ lines: ['Every page is drawn', 'and then read'] }, { lines: ['The second one'], size: [300, 200] }]),
    )
    expect(linesOf(run).map(({ page, text }) => [page, text])).toEqual([
      [1, 'Every page is drawn'],
      [1, 'and then read'],
      [2, 'The second one'],
    ])
    const [[left, top], [right], [, bottom]] = linesOf(run)[2]!.box as [
      [number, number],
      [number, number],
      [number, number],
    ]
    expect(left).toBeGreaterThan(30)
    expect(left).toBeLessThan(41)
    expect(right).toBeLessThan(200)
    expect(top).toBeGreaterThan(35)
    expect(bottom).toBeLessThan(75)
  })

  it('of one page gives lines without a page', async () => {
    const [line] = linesOf(await read(pdfFile([{ lines: ['A single sheet'] }])))
    expect(line).toMatchObject({ text: 'A single sheet' })
    expect(line).not.toHaveProperty('page')
  })

  it('is refused when it is locked, broken, empty or has too many pages', async () => {
    const lock = `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}> >>`
    await expect(read(pdfFile([{ lines: ['secret'] }], `/Encrypt ${lock} /ID [<00> <00>]`))).rejects.toMatchObject(
      saying('password'),
    )
    const whole = pdfFile([{ lines: ['whole'] }])
    for (const file of [whole.subarray(0, 60), Buffer.from('%PDF-1.7\nno more'), Buffer.from('%PDF-')])
      await expect(read(file)).rejects.toMatchObject(saying('damaged'))
    await expect(read(pdfFile([]))).rejects.toMatchObject(refused)
    await expect(read(pdfFile(Array(MAX_OCR_PAGES + 1).fill({})))).rejects.toMatchObject(
      saying(`${MAX_OCR_PAGES + 1} pages`),
    )
  })

  it('of enormous size is drawn at a size that fits', async () => {
    const large = await read(
      pdfFile([{ size: [14_400, 300], content: 'BT /F1 60 Tf 700 100 Td (As long as a street) Tj ET' }]),
    )
    expect(textsOf(large)).toEqual(['As long as a street'])
    expect(Math.abs(linesOf(large)[0]!.box[0]![0] - 700)).toBeLessThan(30)
  })

  it('stops when it is cancelled', async () => {
    const controller = new AbortController()
    const running = read(pdfFile([{ lines: ['one'] }]), controller.signal)
    setImmediate(() => controller.abort())
    await expect(running).rejects.toMatchObject({ name: 'Failure', code: 'cancelled' })
  })
})

describe('bombs: small files that claim or unpack to huge pictures', () => {
  it.each(Object.entries(bombs()))('%s is refused and takes no memory', async (_, file) => {
    expect(file.length).toBeLessThan(2_000_000)
    const before = process.memoryUsage.rss()
    await expect(read(file)).rejects.toMatchObject(refused)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000)
  })

  const pictureBomb = (): Buffer => {
    const size = '/Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 8'
    const dictionary = `/Type /XObject /Subtype /Image ${size} /Filter /FlateDecode`
    const stream = deflateSync(Buffer.alloc(4_000_000))
    return pdfFile([
      { size: [9000, 9000], content: 'q 9000 0 0 9000 0 0 cm /X0 Do Q', objects: [{ dictionary, stream }] },
    ])
  }

  it.each([
    ['time', { milliseconds: 300, bytes: 8e9 }],
    ['memory', { milliseconds: 20_000, bytes: 20e6 }],
  ])('a PDF page with a picture of 3.6 billion pixels is stopped when it takes too much %s', async (what, limits) => {
    const document = openPdf(pictureBomb(), new AbortController().signal, limits)
    await expect(document.then((open) => open.read(0))).rejects.toMatchObject(saying(`too much ${what}`))
    await document.then(
      (open) => open.close(),
      () => undefined,
    )
  })
})
