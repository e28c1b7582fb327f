import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { normalizedEditDistance } from '#shared/domain/text-distance'
import { openFont } from '../../samples/fonts'
import { generateSample } from '../../samples/index'
import { probeOcr, runOcr } from './index'
import { draw, linesOf, model, read, textsOf, twoLines, twoTexts, type Placed } from './ocr.test.support'

const { manifest, folder } = model
const SIZES = [16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40]

describe('reading pictures', () => {
  it('reads synthetic jobs', async () => {
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

  it.each([90, 180, 270])('reads a page that was laid down turned by %i degrees, in its order', async (degrees) => {
    const turned = sharp(await (await draw(twoLines, 480, 170)).png().toBuffer()).rotate(degrees)
    const run = await read(await turned.png().toBuffer())
    expect(textsOf(run)).toEqual(twoTexts)
    const [[left, top], [right, bottom]] = linesOf(run)[0]!.box as [[number, number], [number, number]]
    const angle = (Math.round((Math.atan2(bottom - top, right - left) * 180) / Math.PI) + 360) % 360
    expect(angle).toBe(degrees)
  })

  it('finds small print in a large picture, and says how much it looked at', async () => {
    const lines = Array.from({ length: 6 }, (_, index): Placed => ({
      text: `Clause ${index + 2} holds for every buyer of this lamp`,
      x: 120 + 600 * index,
      y: 90 + 220 * index,
      size: 10,
    }))
    const run = await read(await (await draw(lines, 4000, 1300)).png().toBuffer())
    expect(textsOf(run)).toEqual(lines.map(({ text }) => text))
    linesOf(run).forEach(({ box }, index) => {
      expect(Math.abs(box[0]![0] - lines[index]!.x)).toBeLessThan(12)
      expect(Math.abs(box[3]![1] - lines[index]!.y)).toBeLessThan(12)
    })
    if (run.sizes.kind !== 'ocr') throw new TypeError('not the sizes of a picture')
    expect(run.sizes.detectionPixels).toBeGreaterThan(4000 * 1300)
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
  it('has the files that its manifest names', async () => {
    for (const { path, bytes, sha256 } of manifest.files) {
      const file = await readFile(join(folder, path))
      expect(file.length).toBe(bytes)
      expect(createHash('sha256').update(file).digest('hex')).toBe(sha256)
    }
  })

  it('has the MACs that its manifest says, counted from both graphs', async () => {
    expect(await probeOcr(model, { threads: 1 })).toEqual({
      macFormula: manifest.macFormula,
      context: manifest.context,
    })
  })

  it('is refused when a file is damaged, missing or not named', async () => {
    const refused = { name: 'Failure', code: 'model-refused' }
    const copy = await mkdtemp(join(tmpdir(), 'lode-ocr-'))
    try {
      for (const { path } of manifest.files.slice(0, 2)) await copyFile(join(folder, path), join(copy, path))
      await expect(probeOcr({ ...model, folder: copy }, { threads: 1 })).rejects.toMatchObject(refused)
      await copyFile(join(folder, manifest.files[2]!.path), join(copy, manifest.files[2]!.path))
      await truncate(join(copy, manifest.files[1]!.path), 1_000_000)
      await expect(probeOcr({ ...model, folder: copy }, { threads: 1 })).rejects.toMatchObject(refused)
      const unnamed = { ...model, manifest: { ...manifest, files: manifest.files.slice(1) } }
      await expect(probeOcr(unnamed, { threads: 3 })).rejects.toMatchObject(refused)
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
  })
})
