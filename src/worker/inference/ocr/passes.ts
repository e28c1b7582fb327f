/** The passes of detection over a page: at which scale it is searched, and in which strips. */
import type { RotatedBox } from './boxes'
import { firstScale, type PageSize, type Rows } from './picture'

/** Boxes lower than this in a reduced view hold letters of less than 9 pixels, and lines of such letters may not be found at all. */
const SMALL_BOX_PIXELS = 18
/** Height of the boxes of small letters in the second pass. */
const WANTED_BOX_PIXELS = 24
/** Pixels of all strips of the second pass together: four times the first pass. */
const MAX_SECOND_PIXELS = 4 * 1536 * 1536
/** Pixels of one strip; its rows follow from that. */
const STRIP_PIXELS = 1536 * 1536
/** Neighbouring strips overlap by this many line heights, so that every line is whole in one of them. */
const SHARED_LINES = 4

/** The scale for a second pass, or the scale of the first pass where that was good enough for these boxes. */
export function closerScale(page: PageSize, boxes: readonly Pick<RotatedBox, 'halfWidth' | 'halfHeight'>[]): number {
  const scale = firstScale(page)
  if (scale >= 1) return scale
  const heights = boxes.map((box) => 2 * scale * Math.min(box.halfHeight, box.halfWidth)).toSorted((a, b) => a - b)
  // A page has small print beside a heading, so the lower quartile decides. No boxes at all may mean print that was too small to be found.
  const small = heights[Math.floor(heights.length / 4)] ?? SMALL_BOX_PIXELS / 2
  if (small >= SMALL_BOX_PIXELS) return scale
  return Math.min(finestScale(page), (scale * WANTED_BOX_PIXELS) / small)
}

/** The largest scale that any pass over a page has. */
export function finestScale(page: PageSize): number {
  const scale = firstScale(page)
  return scale >= 1 ? scale : Math.max(scale, Math.min(1, Math.sqrt(MAX_SECOND_PIXELS / (page.width * page.height))))
}

/** Rows of the picture that two neighbouring strips share. */
export function sharedRows(scale: number): number {
  return (SHARED_LINES * WANTED_BOX_PIXELS) / scale
}

/** The strips of the second pass, from the top. */
export function stripsOf({ width, height }: PageSize, scale: number): Rows[] {
  const shared = sharedRows(scale)
  const rows = Math.max(2 * shared, STRIP_PIXELS / (scale * scale * width))
  const count = Math.max(1, Math.ceil((height - shared) / (rows - shared)))
  const step = (height - shared) / count
  return Array.from({ length: count }, (_, index) => ({
    top: Math.floor(index * step),
    bottom: Math.min(height, Math.ceil((index + 1) * step + shared)),
  }))
}
