import sharp, { type Metadata } from 'sharp'
import { Failure } from '#shared/domain/errors'

/** A decoded picture as it is displayed: eight-bit RGB rows, no alpha. */
export interface Picture {
  pixels: Uint8Array
  width: number
  height: number
  /** pixels of the displayed picture per pixel here; above 1 where the picture was made smaller to save memory */
  scale: number
}

/** What detection sees: the picture scaled and padded at the right and the bottom to whole blocks. */
export interface DetectionView {
  pixels: Uint8Array
  width: number
  height: number
  /** pixels here per pixel of the picture */
  scale: number
}

/** Refused above: decoding would take more memory than a worker should. */
export const MAX_PICTURE_PIXELS = 80_000_000
/** Kept for cutting out lines: 16 million pixels hold an A4 page at 400 dpi. */
const MAX_KEPT_PIXELS = 16_000_000
/** Detection sees at most this many, so that one run stays well under a second on two cores. */
const MAX_DETECTION_PIXELS = 1536 * 1536
/** Smaller pictures are shown to detection enlarged (at most twice): small letters are found more surely. */
const SMALL_SIDE = 320
/** The network halves its input five times. */
export const DETECTION_BLOCK = 32

const FORMATS = new Set(['png', 'jpeg', 'webp', 'tiff', 'gif', 'heif', 'avif'])
const CHOOSE_ANOTHER = 'Choose a PNG, JPEG, WebP, TIFF, GIF or AVIF picture.'

/**
 * Decodes a picture file: turned as its EXIF orientation says, grey and CMYK as RGB, transparency on white.
 * Throws Failure 'invalid-input' for what is no picture, a truncated one, and one of more than MAX_PICTURE_PIXELS.
 */
export async function decodePicture(file: Uint8Array): Promise<Picture> {
  const { width, height } = displayedSize(await readMetadata(file))
  const shrink = Math.min(1, Math.sqrt(MAX_KEPT_PIXELS / (width * height)))
  let image = sharp(file, { limitInputPixels: MAX_PICTURE_PIXELS, failOn: 'error' }).autoOrient()
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

/** Scales and pads for detection. Both sides of the result are multiples of DETECTION_BLOCK. */
export async function viewForDetection(picture: Picture): Promise<DetectionView> {
  const { width, height } = picture
  const enlarge = Math.min(2, Math.max(1, SMALL_SIDE / Math.max(width, height)))
  const scale = Math.min(enlarge, Math.sqrt(MAX_DETECTION_PIXELS / (width * height)))
  const size = scaledSize(width, height, scale)
  const padded = { width: toWholeBlocks(size.width), height: toWholeBlocks(size.height) }
  const { data, info } = await sharp(picture.pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .extend({ right: padded.width - size.width, bottom: padded.height - size.height, extendWith: 'copy' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: toRgb(data, info.channels), ...padded, scale }
}

async function readMetadata(file: Uint8Array): Promise<Metadata> {
  let metadata: Metadata
  try {
    metadata = await sharp(file, { limitInputPixels: MAX_PICTURE_PIXELS }).metadata()
  } catch (error) {
    if (error instanceof Error && /pixel limit/i.test(error.message)) throw tooLarge()
    throw new Failure('invalid-input', 'The file is not a picture that can be read.', CHOOSE_ANOTHER)
  }
  if (!FORMATS.has(metadata.format)) {
    throw new Failure('invalid-input', `Text in ${metadata.format.toUpperCase()} files cannot be read.`, CHOOSE_ANOTHER)
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

function displayedSize(metadata: Metadata): { width: number; height: number } {
  const { width, height } = metadata.autoOrient
  return { width, height }
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
