/**
 * The sizes of a page that was read, from the page's own size and the lines of the output alone, so that a rig and whoever
 * checks its result count the same. Lines are clipped to the page, and what two of them cover counts once.
 */
import type { JobSizes, OcrLine } from '#shared/domain/job'
import { LEAST_BOX_PIXELS, type Point } from './boxes'
import { columnsOf, toWholeSteps } from './crop'
import { closerScale, finestScale, stripsOf } from './passes'
import { firstScale, viewSize, type PageSize, type Rows } from './picture'

export type OcrSizes = Omit<Extract<JobSizes, { kind: 'ocr' }>, 'kind'>

/** Rows of a page on which the cover of its lines is sampled, at most. */
const MAX_SAMPLED_ROWS = 4096

/**
 * `detectionPixels`: of the first pass, and of a second one where the lines are so small that a rig searches them again; on
 * a page without lines of the first alone. `recognitionColumns`: of each line by its area at the height of a line picture, without what earlier lines
 * cover.
 */
export function pageSizes(page: PageSize, lines: readonly OcrLine[]): OcrSizes {
  const boxes = lines.map(({ box }) => clippedBox(page, box))
  return { detectionPixels: detectionPixels(page, boxes), recognitionColumns: recognitionColumns(page, boxes) }
}

/** A line's box in pixels of the page as it is in memory. */
interface ClippedBox {
  corners: Point[]
  /** along the text, and across it: means of opposite sides */
  length: number
  thickness: number
  area: number
}

function clippedBox({ width, height, scale }: PageSize, box: OcrLine['box']): ClippedBox {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value / scale))
  const corners = box.map(([x, y]) => ({ x: within(x, width), y: within(y, height) }))
  const side = (from: number, to: number): number => {
    const [a, b] = [corners[from]!, corners[to]!]
    return Math.hypot(b.x - a.x, b.y - a.y)
  }
  const doubled = corners.reduce((sum, a, index) => {
    const b = corners[(index + 1) % corners.length]!
    return sum + a.x * b.y - b.x * a.y
  }, 0)
  return {
    corners,
    length: (side(0, 1) + side(3, 2)) / 2,
    thickness: (side(1, 2) + side(0, 3)) / 2,
    area: Math.abs(doubled) / 2,
  }
}

function detectionPixels(page: PageSize, boxes: readonly ClippedBox[]): number {
  const pixelsOf = (scale: number, rows: Rows): number => {
    const { padded } = viewSize(page, scale, rows)
    return padded.width * padded.height
  }
  const first = firstScale(page)
  const pixels = pixelsOf(first, { top: 0, bottom: page.height })
  if (boxes.length === 0) return pixels
  const halves = boxes.map(({ length, thickness }) => ({ halfWidth: length / 2, halfHeight: thickness / 2 }))
  const closer = closerScale(page, halves)
  if (closer <= first) return pixels
  return stripsOf(page, closer).reduce((sum, rows) => sum + pixelsOf(closer, rows), pixels)
}

function recognitionColumns(page: PageSize, boxes: readonly ClippedBox[]): number {
  const cover = createCover(page.height)
  // Detection finds no thinner line. A thinner one would have many columns and little area.
  const least = LEAST_BOX_PIXELS / finestScale(page)
  return boxes.reduce((sum, { corners, thickness, area }) => {
    const share = cover.add(corners)
    const height = Math.max(thickness, least)
    const length = (area * share) / height
    return length > 0 ? sum + toWholeSteps(columnsOf(length, height)) : sum
  }, 0)
}

/** What the lines of a page cover so far, as intervals on sampled rows. */
function createCover(height: number): { add(corners: readonly Point[]): number } {
  const count = Math.min(MAX_SAMPLED_ROWS, Math.max(1, Math.ceil(height)))
  const pitch = height / count
  /** for each row the ends of its intervals, ascending: from, to, from, to */
  const rows = Array.from({ length: count }, (): number[] => [])
  return {
    /** Adds a box; answers with the share of it, 0 to 1, that nothing covered before. */
    add: (corners) => {
      const ys = corners.map(({ y }) => y)
      const first = Math.max(0, Math.ceil(Math.min(...ys) / pitch - 0.5))
      const last = Math.min(count - 1, Math.floor(Math.max(...ys) / pitch - 0.5))
      let own = 0
      let free = 0
      for (let row = first; row <= last; row++) {
        const [from, to] = crossing(corners, (row + 0.5) * pitch)
        if (!(to > from)) continue
        own += to - from
        free += uncovered(rows[row]!, from, to)
      }
      return own > 0 ? free / own : 0
    },
  }
}

/** From where to where a row crosses a box. */
function crossing(corners: readonly Point[], y: number): [number, number] {
  let [from, to] = [Infinity, -Infinity]
  corners.forEach((a, index) => {
    const b = corners[(index + 1) % corners.length]!
    if (a.y === b.y || y < Math.min(a.y, b.y) || y > Math.max(a.y, b.y)) return
    const x = a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)
    from = Math.min(from, x)
    to = Math.max(to, x)
  })
  return [from, to]
}

/** Joins an interval to a row's; answers with the length that was not covered. */
function uncovered(ends: number[], from: number, to: number): number {
  let begin = 0
  let most = ends.length / 2
  // The first interval that does not end before `from`.
  while (begin < most) {
    const middle = (begin + most) >> 1
    if (ends[2 * middle + 1]! < from) begin = middle + 1
    else most = middle
  }
  let free = to - from
  let [joinedFrom, joinedTo] = [from, to]
  let end = begin
  for (; 2 * end < ends.length && ends[2 * end]! <= to; end++) {
    const [a, b] = [ends[2 * end]!, ends[2 * end + 1]!]
    free -= Math.max(0, Math.min(to, b) - Math.max(from, a))
    joinedFrom = Math.min(joinedFrom, a)
    joinedTo = Math.max(joinedTo, b)
  }
  ends.splice(2 * begin, 2 * (end - begin), joinedFrom, joinedTo)
  return Math.max(0, free)
}
