import sharp, { type Metadata } from 'sharp'
import { Failure } from '#shared/domain/errors'
import type { OcrDocument } from './document'
import { CHOOSE_ANOTHER, type FileKind } from './file-kind'

/** A decoded picture as it is displayed: eight-bit RGB rows, no alpha. */
export interface Picture {
  pixels: Uint8Array
  width: number
  height: number
  /** pixels of the displayed picture (of a PDF page: points) per pixel here; not 1 where it was scaled */
  scale: number
}

/** What detection sees: rows of the picture, scaled and padded at the right and the bottom to whole blocks. */
export interface DetectionView {
  pixels: Uint8Array
  width: number
  height: number
  /** pixels here per pixel of the picture */
  scale: number
  /** the picture's row that comes first */
  top: number
}

/** Refused above: decoding would take more memory than a worker should. */
export const MAX_PICTURE_PIXELS = 80_000_000
/** Kept for cutting out lines: 16 million pixels hold an A4 page at 400 dpi. */
export const MAX_KEPT_PIXELS = 16_000_000
/** Detection sees at most this many, so that one run stays well under a second on two cores. */
const MAX_DETECTION_PIXELS = 1536 * 1536
/** Smaller pictures are shown to detection enlarged (at most twice): small letters are found more surely. */
const SMALL_SIDE = 320
/** The network halves its input five times. */
export const DETECTION_BLOCK = 32

/**
 * Opens a picture file: a TIFF file has as many pages as it says, of every other kind the first picture is read.
 * Throws Failure 'invalid-input' for what is no picture and one of more than MAX_PICTURE_PIXELS, before it is decoded.
 */
export async function openPictures(file: Uint8Array, kind: FileKind): Promise<OcrDocument> {
  const { pages } = await readMetadata(file, 0)
  return {
    pages: kind === 'tiff' ? (pages ?? 1) : 1,
    read: (index) => decodePicture(file, index),
    close: () => Promise.resolve(),
  }
}

/**
 * Decodes one picture of a file: turned as its EXIF orientation says, grey and CMYK as RGB, transparency on white.
 * Throws Failure 'invalid-input' for a truncated one and one of more than MAX_PICTURE_PIXELS.
 */
async function decodePicture(file: Uint8Array, page: number): Promise<Picture> {
  const { width, height } = (await readMetadata(file, page)).autoOrient
  const shrink = Math.min(1, Math.sqrt(MAX_KEPT_PIXELS / (width * height)))
  let image = sharp(file, { page, limitInputPixels: MAX_PICTURE_PIXELS, failOn: 'error' }).autoOrient()
  if (shrink < 1) image = image.resize({ ...scaledSize(width, height, shrink), fit: 'fill' })
  try {
    const { data, info } = await image
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { pixels: toRgb(data, info.channels), width: info.width, height: info.height, scale: width / info.width }
  } catch {
    throw new Failure(
      'invalid-input',
      'The picture is damaged or incomplete.',
      'Save or copy the picture again and retry.',
    )
  }
}

/** The whole picture at the scale that detection looks at first: small ones enlarged, large ones reduced. */
export function firstView(picture: Picture): Promise<DetectionView> {
  const { width, height } = picture
  const enlarge = Math.min(2, Math.max(1, SMALL_SIDE / Math.max(width, height)))
  const scale = Math.min(enlarge, Math.sqrt(MAX_DETECTION_PIXELS / (width * height)))
  return viewForDetection(picture, scale, { top: 0, bottom: height })
}

/** Scales and pads rows of a picture for detection. Both sides of the result are multiples of DETECTION_BLOCK. */
export async function viewForDetection(
  picture: Picture,
  scale: number,
  rows: { top: number; bottom: number },
): Promise<DetectionView> {
  const { width } = picture
  const height = rows.bottom - rows.top
  const size = scaledSize(width, height, scale)
  const padded = { width: toWholeBlocks(size.width), height: toWholeBlocks(size.height) }
  const pixels = picture.pixels.subarray(3 * width * rows.top, 3 * width * rows.bottom)
  const { data, info } = await sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .extend({ right: padded.width - size.width, bottom: padded.height - size.height, extendWith: 'copy' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: toRgb(data, info.channels), ...padded, scale, top: rows.top }
}

async function readMetadata(file: Uint8Array, page: number): Promise<Metadata> {
  let metadata: Metadata
  try {
    metadata = await sharp(file, { page, limitInputPixels: MAX_PICTURE_PIXELS }).metadata()
  } catch (error) {
    if (error instanceof Error && /pixel limit/i.test(error.message)) throw tooLarge()
    throw new Failure('invalid-input', 'The picture is damaged or of a kind that cannot be read.', CHOOSE_ANOTHER)
  }
  if (metadata.width * metadata.height > MAX_PICTURE_PIXELS) throw tooLarge()
  return metadata
}

function tooLarge(): Failure {
  const millions = MAX_PICTURE_PIXELS / 1_000_000
  return new Failure(
    'invalid-input',
    `The picture has more than ${millions} million pixels.`,
    'Make it smaller or cut it into parts.',
  )
}

function scaledSize(width: number, height: number, scale: number): { width: number; height: number } {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

function toWholeBlocks(side: number): number {
  return Math.ceil(side / DETECTION_BLOCK) * DETECTION_BLOCK
}

/** Grey pictures come back from sharp with fewer channels than three. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  const rgb = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    rgb.fill(data[from] ?? 0, to, to + 3)
  }
  return rgb
}
