/** Picture files, decoded page by page. */
import sharp, { type Metadata } from 'sharp'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { OcrDocument } from './document'
import { type FileKind } from './file-kind'
import { keptSize, toRgb, type PageSize, type Picture } from './picture'

/** Larger pictures are refused: decoding them would take more memory than a worker should. */
export const MAX_PICTURE_PIXELS = 80_000_000

/**
 * Opens a picture file. A TIFF file may have several pages; of every other kind the first picture is read.
 * Throws Failure 'invalid-input' for a file that is no picture, and for a picture of more than MAX_PICTURE_PIXELS before it is decoded.
 */
export async function openPictures(file: Uint8Array, kind: FileKind): Promise<OcrDocument> {
  const { pages } = await readMetadata(file, 0)
  return {
    pages: kind === 'tiff' ? (pages ?? 1) : 1,
    measure: async (index) => measurePicture(file, index),
    read: (index) => decodePicture(file, index),
    close: () => Promise.resolve(),
  }
}

/**
 * Decodes one picture of a file: turned by its EXIF orientation, grey and CMYK as RGB, transparency on white.
 * Throws Failure 'invalid-input' for a truncated picture and for one of more than MAX_PICTURE_PIXELS.
 */
async function decodePicture(file: Uint8Array, page: number): Promise<Picture> {
  const { width, height, scale } = await measurePicture(file, page)
  let image = sharp(file, { page, limitInputPixels: MAX_PICTURE_PIXELS, failOn: 'error' }).autoOrient()
  if (scale !== 1) image = image.resize({ width, height, fit: 'fill' })
  try {
    const { data, info } = await image
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { pixels: toRgb(data, info.channels), width: info.width, height: info.height, scale }
  } catch {
    throw new Failure('invalid-input', message('ocr-picture-damaged'))
  }
}

async function measurePicture(file: Uint8Array, page: number): Promise<PageSize> {
  const { width, height } = (await readMetadata(file, page)).autoOrient
  return keptSize(width, height)
}

async function readMetadata(file: Uint8Array, page: number): Promise<Metadata> {
  let metadata: Metadata
  try {
    metadata = await sharp(file, { page, limitInputPixels: MAX_PICTURE_PIXELS }).metadata()
  } catch (error) {
    if (error instanceof Error && /pixel limit/i.test(error.message)) throw tooLarge()
    throw new Failure('invalid-input', message('ocr-picture-not-readable'))
  }
  if (metadata.width * metadata.height > MAX_PICTURE_PIXELS) throw tooLarge()
  return metadata
}

function tooLarge(): Failure {
  const millions = MAX_PICTURE_PIXELS / 1_000_000
  return new Failure('invalid-input', message('ocr-picture-too-large', { millions }))
}
