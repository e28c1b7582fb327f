/** Puts the lines of a page in reading order. */
import { corners, type RotatedBox } from './boxes'

interface Extent {
  left: number
  right: number
  top: number
  bottom: number
}

/** A gap between columns is at least this many line heights wide and runs through at least MIN_COLUMN_LINES on both sides. */
const COLUMN_GAP = 1
const MIN_COLUMN_LINES = 3
/** Columns of running text; narrower ones are cells of a table, which is read row by row. */
const MIN_COLUMN_WIDTH = 6
/** Boxes share a row when this part of the lower one's height overlaps. */
const ROW_OVERLAP = 0.5
/** Only boxes this much wider than high decide how the page is turned. */
const LEVEL_RATIO = 4
const QUARTER = Math.PI / 2

/**
 * Indices of boxes in reading order: top to bottom, left to right within a row; columns of running text one after
 * another where an empty gap divides them. A page that is rotated by any angle is turned level first.
 */
export function readingOrder(boxes: readonly RotatedBox[]): number[] {
  const turn = turnOf(boxes)
  const extents = boxes.map((box) => extentOf(box, turn))
  return order(
    extents,
    extents.map((_, index) => index),
  )
}

/**
 * The rotation of the page, in radians: the quarter turn of most of its lines, plus the median of their angles from there,
 * weighted by length. Short boxes have random angles and do not count.
 */
function turnOf(boxes: readonly RotatedBox[]): number {
  const lines = boxes
    .filter(({ halfWidth, halfHeight }) => halfWidth >= LEVEL_RATIO * halfHeight)
    .map(({ axis, halfWidth }) => {
      const angle = Math.atan2(axis.y, axis.x)
      const quarter = Math.round(angle / QUARTER)
      return { quarter: (quarter + 4) % 4, lean: angle - quarter * QUARTER, length: halfWidth }
    })
  const lengthOf = (some: typeof lines): number => some.reduce((sum, { length }) => sum + length, 0)
  const quarters = [0, 1, 2, 3].map((quarter) => lines.filter((line) => line.quarter === quarter))
  const lengths = quarters.map(lengthOf)
  const quarter = lengths.indexOf(Math.max(...lengths))
  let rest = lengths[quarter]! / 2
  for (const { lean, length } of quarters[quarter]!.toSorted((a, b) => a.lean - b.lean)) {
    rest -= length
    if (rest <= 0) return quarter * QUARTER + lean
  }
  return 0
}

/** Where a box lies once the page is turned level. */
function extentOf(box: RotatedBox, turn: number): Extent {
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)]
  const xs = corners(box).map(({ x, y }) => x * cosine + y * sine)
  // The middle of the box decides its row: the corners of a long leaning line reach into its neighbours.
  const middle = box.center.y * cosine - box.center.x * sine
  const level = Math.abs(box.axis.x * cosine + box.axis.y * sine) >= Math.SQRT1_2
  const half = level ? box.halfHeight : box.halfWidth
  return { left: Math.min(...xs), right: Math.max(...xs), top: middle - half, bottom: middle + half }
}

function order(extents: readonly Extent[], indices: number[]): number[] {
  const columns = splitColumns(extents, indices)
  if (columns) return columns.flatMap((column) => order(extents, column))
  const bands = splitBands(extents, indices)
  // A heading over two columns hides their gap until the bands above it are set apart.
  for (let cut = 1; cut < bands.length; cut++) {
    const below = bands.slice(cut).flat()
    if (splitColumns(extents, below)) return [...byRows(extents, bands.slice(0, cut).flat()), ...order(extents, below)]
  }
  return byRows(extents, indices)
}

function splitColumns(extents: readonly Extent[], indices: readonly number[]): number[][] | undefined {
  const sorted = indices.toSorted((a, b) => extents[a]!.left - extents[b]!.left)
  const heights = indices.map((index) => extents[index]!.bottom - extents[index]!.top).toSorted((a, b) => a - b)
  const height = heights[Math.floor(heights.length / 2)] ?? 0
  let right = -Infinity
  for (let cut = 0; cut < sorted.length; cut++) {
    const extent = extents[sorted[cut]!]!
    const sides = [sorted.slice(0, cut), sorted.slice(cut)]
    if (extent.left - right >= COLUMN_GAP * height && sides.every((side) => isColumn(extents, side, height)))
      return sides
    right = Math.max(right, extent.right)
  }
  return undefined
}

function isColumn(extents: readonly Extent[], side: readonly number[], height: number): boolean {
  const widths = side.map((index) => extents[index]!.right - extents[index]!.left).toSorted((a, b) => a - b)
  return side.length >= MIN_COLUMN_LINES && (widths[Math.floor(widths.length / 2)] ?? 0) >= MIN_COLUMN_WIDTH * height
}

/** Groups divided by empty horizontal gaps, from the top. */
function splitBands(extents: readonly Extent[], indices: readonly number[]): number[][] {
  const bands: number[][] = []
  let bottom = -Infinity
  for (const index of indices.toSorted((a, b) => extents[a]!.top - extents[b]!.top)) {
    const extent = extents[index]!
    if (extent.top >= bottom) bands.push([])
    bands.at(-1)?.push(index)
    bottom = Math.max(bottom, extent.bottom)
  }
  return bands
}

function byRows(extents: readonly Extent[], indices: readonly number[]): number[] {
  const middle = (index: number): number => (extents[index]!.top + extents[index]!.bottom) / 2
  const rows: number[][] = []
  for (const index of indices.toSorted((a, b) => middle(a) - middle(b))) {
    const last = rows.at(-1)?.[0]
    const row = last !== undefined && sharesRow(extents[last]!, extents[index]!) ? rows.at(-1)! : []
    if (row.length === 0) rows.push(row)
    row.push(index)
  }
  return rows.flatMap((row) => row.toSorted((a, b) => extents[a]!.left - extents[b]!.left))
}

function sharesRow(first: Extent, second: Extent): boolean {
  const overlap = Math.min(first.bottom, second.bottom) - Math.max(first.top, second.top)
  return overlap > ROW_OVERLAP * Math.min(first.bottom - first.top, second.bottom - second.top)
}
