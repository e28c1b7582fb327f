/** Cuts lines out of a picture: turned level and scaled for recognition. */
import type { Point, RotatedBox } from './boxes'
import type { Picture } from './picture'

/** Rows of a line picture, as recognition was trained. */
export const LINE_HEIGHT = 48
/** Columns of one step of recognition's output. */
export const STEP_COLUMNS = 8
/** Lines are widened by this factor, so that each of two narrow letters (ff, ll) has steps of its own (measured: 1, 1.15, 1.3). */
const WIDENING = 1.15
/** Longer lines are narrowed to this width: 66 times their height. */
const MAX_LINE_COLUMNS = 3200
/** A box this much higher than wide holds a vertical line. */
const UPRIGHT_RATIO = 1.5

/** A line that is still in its picture. */
export interface Line {
  /** its axis in reading direction */
  box: RotatedBox
  /** width once cut out, a multiple of STEP_COLUMNS */
  columns: number
  /**
   * The line turned level and scaled to LINE_HEIGHT rows: planes blue, green, red of LINE_HEIGHT × columns, −1 to 1 as
   * recognition takes them. Every target pixel is the mean of as many samples as the scale asks for, so that large letters
   * do not alias. Beyond the picture its edge is repeated.
   */
  cut: () => Float32Array
}

/** Columns of a line of this length and thickness at LINE_HEIGHT rows, not rounded. */
export function columnsOf(length: number, thickness: number): number {
  return Math.min(MAX_LINE_COLUMNS, (WIDENING * LINE_HEIGHT * length) / Math.max(thickness, 1e-6))
}

/** Rounded up to whole steps, at least one. */
export function toWholeSteps(columns: number): number {
  return Math.max(1, Math.ceil(columns / STEP_COLUMNS)) * STEP_COLUMNS
}

/** Measures a box. The line is cut out only when it is read, because all lines of a page together take much memory. */
export function lineIn(picture: Picture, found: RotatedBox): Line {
  const box = alongItsText(found)
  const [length, thickness] = [2 * box.halfWidth, 2 * box.halfHeight]
  const ideal = columnsOf(length, thickness)
  const columns = toWholeSteps(ideal)
  const { center, axis: along } = box
  return {
    box,
    columns,
    cut: () => cutOut(picture, { center, along, length, thickness, columns, perColumn: length / ideal }),
  }
}

/** A vertical line is turned by a quarter: it is read along the box's height. */
function alongItsText(box: RotatedBox): RotatedBox {
  const { center, axis, halfWidth, halfHeight } = box
  if (halfHeight < halfWidth * UPRIGHT_RATIO) return box
  return { center, axis: { x: -axis.y, y: axis.x }, halfWidth: halfHeight, halfHeight: halfWidth }
}

interface Cut {
  center: Point
  /** unit vector in reading direction */
  along: Point
  length: number
  thickness: number
  columns: number
  /** pixels of the picture per target column */
  perColumn: number
}

function cutOut(picture: Picture, { center, along, length, thickness, columns, perColumn }: Cut): Float32Array {
  const perRow = thickness / LINE_HEIGHT
  const samplesAlong = Math.max(1, Math.round(perColumn))
  const samplesAcross = Math.max(1, Math.round(perRow))
  const count = samplesAlong * samplesAcross
  // The mean of several samples is smooth already, so that the cheaper interpolation serves.
  const addSample = count > 1 ? addBilinear : addBicubic
  const plane = LINE_HEIGHT * columns
  const planes = new Float32Array(3 * plane)
  const color = new Float64Array(3)
  for (let row = 0; row < LINE_HEIGHT; row++) {
    for (let column = 0; column < columns; column++) {
      color.fill(0)
      for (let i = 0; i < samplesAlong; i++) {
        const u = (column + (i + 0.5) / samplesAlong) * perColumn - length / 2
        for (let j = 0; j < samplesAcross; j++) {
          const v = (row + (j + 0.5) / samplesAcross) * perRow - thickness / 2
          addSample(picture, center.x + u * along.x - v * along.y, center.y + u * along.y + v * along.x, color)
        }
      }
      const at = row * columns + column
      for (let channel = 0; channel < 3; channel++) {
        planes[(2 - channel) * plane + at] = Math.min(255, Math.max(0, (color[channel] ?? 0) / count)) / 127.5 - 1
      }
    }
  }
  return planes
}

/** Adds the value at (x, y) by the four pixels around it: red, green, blue. */
function addBilinear({ pixels, width, height }: Picture, x: number, y: number, into: Float64Array): void {
  const left = Math.floor(x)
  const top = Math.floor(y)
  for (let dy = 0; dy <= 1; dy++) {
    const rowWeight = 1 - Math.abs(y - top - dy)
    const rowStart = Math.min(height - 1, Math.max(0, top + dy)) * width
    for (let dx = 0; dx <= 1; dx++) {
      const weight = rowWeight * (1 - Math.abs(x - left - dx))
      const at = 3 * (rowStart + Math.min(width - 1, Math.max(0, left + dx)))
      into[0]! += weight * pixels[at]!
      into[1]! += weight * pixels[at + 1]!
      into[2]! += weight * pixels[at + 2]!
    }
  }
}

/** Adds the bicubic (Catmull-Rom) value at (x, y), red, green, blue. */
function addBicubic({ pixels, width, height }: Picture, x: number, y: number, into: Float64Array): void {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const [fx, fy] = [x - left, y - top]
  for (let dy = -1; dy <= 2; dy++) {
    const rowWeight = cubic(dy - fy)
    const rowStart = Math.min(height - 1, Math.max(0, top + dy)) * width
    for (let dx = -1; dx <= 2; dx++) {
      const weight = rowWeight * cubic(dx - fx)
      const at = 3 * (rowStart + Math.min(width - 1, Math.max(0, left + dx)))
      into[0]! += weight * pixels[at]!
      into[1]! += weight * pixels[at + 1]!
      into[2]! += weight * pixels[at + 2]!
    }
  }
}

function cubic(distance: number): number {
  const d = Math.abs(distance)
  if (d < 1) return 1 - d * d * (2.5 - 1.5 * d)
  return d < 2 ? 2 - d * (4 - d * (2.5 - 0.5 * d)) : 0
}
