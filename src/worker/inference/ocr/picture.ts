/** A picture in memory, and the views of it in which detection looks for text. */
import sharp from 'sharp'

/** What a page measures in memory, known before it is decoded. */
export interface PageSize {
  width: number
  height: number
  /** pixels of the displayed picture (of a PDF page: points) per pixel here; not 1 where it was scaled */
  scale: number
}

/** A decoded page as it is displayed: eight-bit RGB rows, no alpha. */
export interface Picture extends PageSize {
  pixels: Uint8Array
}

/** The input of detection: rows of the picture, scaled, and padded at the right and the bottom to whole blocks. */
export interface DetectionView {
  pixels: Uint8Array
  width: number
  height: number
  /** pixels here per pixel of the picture */
  scale: number
  /** the picture's row that comes first */
  top: number
}

/** Pictures are kept at this size at most, for cutting out lines: 16 million pixels hold an A4 page at 400 dpi. */
export const MAX_KEPT_PIXELS = 16_000_000
/** Pixels of a view at most, so that one run of detection stays well under a second on two cores. */
const MAX_DETECTION_PIXELS = 1536 * 1536
/** Smaller pictures are enlarged for detection, at most twice: detection finds larger letters more reliably. */
const SMALL_SIDE = 320
/** The network halves its input five times. */
export const DETECTION_BLOCK = 32

/** The scale of detection's first pass: small pictures enlarged, large ones reduced. */
export function firstScale({ width, height }: PageSize): number {
  const enlarge = Math.min(2, Math.max(1, SMALL_SIDE / Math.max(width, height)))
  return Math.min(enlarge, Math.sqrt(MAX_DETECTION_PIXELS / (width * height)))
}

/** Rows of a picture, `bottom` exclusive. */
export interface Rows {
  top: number
  bottom: number
}

/** The size of those rows at that scale, and padded to whole blocks as detection sees them. */
export function viewSize({ width }: Pick<PageSize, 'width'>, scale: number, { top, bottom }: Rows) {
  const size = scaledSize(width, bottom - top, scale)
  return { size, padded: { width: toWholeBlocks(size.width), height: toWholeBlocks(size.height) } }
}

/** Scales and pads rows of a picture for detection. Both sides of the result are multiples of DETECTION_BLOCK. */
export async function viewForDetection(picture: Picture, scale: number, rows: Rows): Promise<DetectionView> {
  const { width } = picture
  const height = rows.bottom - rows.top
  const { size, padded } = viewSize(picture, scale, rows)
  const pixels = picture.pixels.subarray(3 * width * rows.top, 3 * width * rows.bottom)
  const { data, info } = await sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .extend({ right: padded.width - size.width, bottom: padded.height - size.height, extendWith: 'copy' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: toRgb(data, info.channels), ...padded, scale, top: rows.top }
}

/** The size at which a decoded page is kept. `scale`: as in PageSize. */
export function keptSize(width: number, height: number): PageSize {
  const shrink = Math.min(1, Math.sqrt(MAX_KEPT_PIXELS / (width * height)))
  const kept = shrink < 1 ? scaledSize(width, height, shrink) : { width, height }
  return { ...kept, scale: width / kept.width }
}

/** Width and height in whole pixels after scaling, at least 1. */
export function scaledSize(width: number, height: number, scale: number): { width: number; height: number } {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

function toWholeBlocks(side: number): number {
  return Math.ceil(side / DETECTION_BLOCK) * DETECTION_BLOCK
}

/** RGB rows of what sharp returns: grey pictures come back with fewer channels than three. */
export function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  const rgb = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    rgb.fill(data[from] ?? 0, to, to + 3)
  }
  return rgb
}
