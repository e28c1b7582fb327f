/** Draws pictures of text whose content is known. */
import sharp from 'sharp'
import { FONT_STYLES, openFont, type FontStyle } from './fonts'
import type { SeededRandom } from './random'
import { capitalized } from './texts'
import { ALL_WORDS } from './words'

/** Red, green, blue, 0 to 255. */
type Color = readonly [number, number, number]

interface DrawnLine {
  text: string
  sizePixels: number
  style: FontStyle
  color: Color
}
export interface Drawing {
  file: Uint8Array
  /** lines from top to bottom */
  lines: string[]
}

const MIN_SIZE = 16
const MAX_SIZE = 40
const MARGIN = 20
const MAX_TEXT_WIDTH = 640
/** WCAG's ratio for ordinary text: what a person reads without effort. */
const MIN_CONTRAST = 4.5

/** A PNG or JPEG picture with two to six lines of words in different sizes, weights, colours and places. */
export async function drawPicture(random: SeededRandom): Promise<Drawing> {
  const background = drawColor(random, random.chance(60) ? [200, 255] : [0, 60])
  const count = random.integer(2, 6)
  const lines: DrawnLine[] = []
  for (let index = 0; index < count; index++) lines.push(await drawLine(random, background))
  const svg = await compose(random, background, lines)
  const image = sharp(Buffer.from(svg)).flatten({ background: toCss(background) })
  const encoded = random.chance(50) ? image.png() : image.jpeg({ quality: random.integer(80, 95) })
  return { file: await encoded.toBuffer(), lines: lines.map(({ text }) => text) }
}

async function drawLine(random: SeededRandom, background: Color): Promise<DrawnLine> {
  const style = random.pick(FONT_STYLES)
  const sizePixels = random.integer(MIN_SIZE, MAX_SIZE)
  const { width } = await openFont(style)
  const first = random.pick(ALL_WORDS)
  // In this typeface a capital I looks like a small l: nobody could tell which was drawn.
  let text = random.chance(40) && !first.startsWith('i') ? capitalized(first) : first
  for (let more = random.integer(0, 4); more > 0; more--) {
    const word = random.chance(10) ? String(random.integer(2, 9999)) : random.pick(ALL_WORDS)
    const longer = `${text} ${word}`
    if (width(longer, sizePixels) <= MAX_TEXT_WIDTH) text = longer
  }
  let color: Color
  do color = drawColor(random, [0, 255])
  while (contrast(color, background) < MIN_CONTRAST)
  return { text, sizePixels, style, color }
}

async function compose(random: SeededRandom, background: Color, lines: readonly DrawnLine[]): Promise<string> {
  const fonts = await Promise.all(lines.map(({ style }) => openFont(style)))
  const widths = lines.map(({ text, sizePixels }, index) => fonts[index]!.width(text, sizePixels))
  const width = Math.ceil(Math.max(...widths)) + 2 * MARGIN + random.integer(0, 160)
  let y = MARGIN + random.integer(0, 20)
  const paths = lines.map(({ text, sizePixels, color }, index) => {
    y += sizePixels
    const freePixels = width - 2 * MARGIN - widths[index]!
    const x = MARGIN + random.integer(0, Math.floor(freePixels))
    const path = `<path fill="${toCss(color)}" d="${fonts[index]!.path(text, x, y, sizePixels)}"/>`
    y += Math.ceil(sizePixels * 0.4) + random.integer(4, 30)
    return path
  })
  const height = y + MARGIN
  const size = `width="${width}" height="${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect ${size} fill="${toCss(background)}"/>${paths.join('')}</svg>`
}

function drawColor(random: SeededRandom, [low, high]: readonly [number, number]): Color {
  return [random.integer(low, high), random.integer(low, high), random.integer(low, high)]
}

function toCss([red, green, blue]: Color): string {
  return `rgb(${red},${green},${blue})`
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
function contrast(first: Color, second: Color): number {
  const [darker, lighter] = [luminance(first), luminance(second)].toSorted((a, b) => a - b) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(color: Color): number {
  const [red, green, blue] = color.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
