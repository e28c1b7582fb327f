/** From a map of text probabilities to rotated boxes: the post-processing of Differentiable Binarization (Liao et al. 2020). */

/**
 * A rotated rectangle. `axis` is the unit vector along its width: within 45° of rightwards after detection, in reading
 * direction after recognition. Pixel centres are whole numbers.
 */
export interface RotatedBox {
  center: Point
  axis: Point
  halfWidth: number
  halfHeight: number
}
export interface Point {
  x: number
  y: number
}
export interface ProbabilityMap {
  /** row by row, 0 to 1 */
  values: Float32Array
  width: number
  height: number
}

/** A pixel of at least this probability belongs to text (PaddleOCR's det_db_thresh). */
const PIXEL_THRESHOLD = 0.3
/** A box is kept when the mean probability of its pixels reaches this (PaddleOCR's det_db_box_thresh for PP-OCRv4). */
const BOX_THRESHOLD = 0.6
/**
 * Boxes grow by this ratio, because the network is trained on shrunken lines. PaddleOCR uses 1.5; with more, letters are
 * smaller in the line's picture, and recognition misses fewer spaces (measured on 478 drawn lines: 1.3, 1.6, 1.9, 2.2).
 */
const UNCLIP_RATIO = 1.9
const MIN_SIDE = 3
const MAX_BOXES = 3000
/** The shorter side of a box is at least this, in pixels of the map: of the least pixels that are kept, once they have grown. */
export const LEAST_BOX_PIXELS = MIN_SIDE * (1 + UNCLIP_RATIO / 2)
/** The pixels of a short word are nearly round, so their smallest rectangle has a random angle. The upright rectangle is taken where it is larger by at most this factor. */
const UPRIGHT_PREFERENCE = 1.1

/** Text boxes of a probability map, in its own pixels, in no particular order. */
export function findBoxes(map: ProbabilityMap): RotatedBox[] {
  const boxes: RotatedBox[] = []
  for (const hull of componentHulls(map)) {
    const tight = smallestRectangle(hull)
    if (Math.min(tight.halfWidth, tight.halfHeight) * 2 < MIN_SIDE) continue
    if (meanInside(map, tight) < BOX_THRESHOLD) continue
    boxes.push(unclip(tight))
    if (boxes.length === MAX_BOXES) break
  }
  return boxes
}

/** The four corners, clockwise from the top left as the text is read. */
export function corners({ center, axis, halfWidth, halfHeight }: RotatedBox): [Point, Point, Point, Point] {
  const at = (along: number, across: number): Point => ({
    x: center.x + along * axis.x - across * axis.y,
    y: center.y + along * axis.y + across * axis.x,
  })
  return [
    at(-halfWidth, -halfHeight),
    at(halfWidth, -halfHeight),
    at(halfWidth, halfHeight),
    at(-halfWidth, halfHeight),
  ]
}

/** The same rectangle, read upside down. */
export function turnedAround(box: RotatedBox): RotatedBox {
  return { ...box, axis: { x: -box.axis.x, y: -box.axis.y } }
}

/** Convex hulls of the eight-connected components above the threshold. */
function* componentHulls({ values, width, height }: ProbabilityMap): Generator<Point[]> {
  const open = new Uint8Array(width * height)
  for (let index = 0; index < open.length; index++) open[index] = (values[index] ?? 0) > PIXEL_THRESHOLD ? 1 : 0
  const stack = new Int32Array(width * height)
  const leftmost = new Int32Array(height)
  const rightmost = new Int32Array(height)
  for (let start = 0; start < open.length; start++) {
    if (open[start] !== 1) continue
    let depth = 0
    let top = height
    let bottom = -1
    const visit = (index: number): void => {
      open[index] = 0
      stack[depth++] = index
    }
    visit(start)
    leftmost.fill(width)
    rightmost.fill(-1)
    while (depth > 0) {
      const index = stack[--depth] ?? 0
      const y = Math.floor(index / width)
      const x = index - y * width
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
      leftmost[y] = Math.min(leftmost[y] ?? width, x)
      rightmost[y] = Math.max(rightmost[y] ?? -1, x)
      for (let nearY = Math.max(0, y - 1); nearY <= Math.min(height - 1, y + 1); nearY++) {
        for (let nearX = Math.max(0, x - 1); nearX <= Math.min(width - 1, x + 1); nearX++) {
          if (open[nearY * width + nearX] === 1) visit(nearY * width + nearX)
        }
      }
    }
    const outline: Point[] = []
    for (let y = top; y <= bottom; y++) outline.push({ x: leftmost[y] ?? 0, y }, { x: rightmost[y] ?? 0, y })
    yield convexHull(outline)
  }
}

/** Andrew's monotone chain. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y)
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = []
    for (const point of ordered) {
      while (chain.length >= 2 && turn(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop()
      chain.push(point)
    }
    chain.pop()
    return chain
  }
  const hull = [...half(sorted), ...half(sorted.toReversed())]
  return hull.length > 0 ? hull : sorted.slice(0, 1)
}

function turn(from: Point, over: Point, to: Point): number {
  return (over.x - from.x) * (to.y - from.y) - (over.y - from.y) * (to.x - from.x)
}

/** The enclosing rectangle of least area has a side along an edge of the hull. */
export function smallestRectangle(hull: readonly Point[]): RotatedBox {
  let best = rectangleAlong(hull, { x: 1, y: 0 })
  let bestArea = areaOf(best) / UPRIGHT_PREFERENCE
  for (let index = 0; index < hull.length; index++) {
    const from = hull[index]!
    const to = hull[(index + 1) % hull.length]!
    const length = Math.hypot(to.x - from.x, to.y - from.y)
    if (length === 0) continue
    const box = rectangleAlong(hull, nearestToRight({ x: (to.x - from.x) / length, y: (to.y - from.y) / length }))
    if (areaOf(box) < bestArea) {
      best = box
      bestArea = areaOf(box)
    }
  }
  return best
}

function nearestToRight({ x, y }: Point): Point {
  if (Math.abs(x) >= Math.abs(y)) return x > 0 ? { x, y } : { x: -x, y: -y }
  return y > 0 ? { x: y, y: -x } : { x: -y, y: x }
}

function rectangleAlong(points: readonly Point[], axis: Point): RotatedBox {
  let [minAlong, maxAlong, minAcross, maxAcross] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const { x, y } of points) {
    const along = x * axis.x + y * axis.y
    const across = y * axis.x - x * axis.y
    minAlong = Math.min(minAlong, along)
    maxAlong = Math.max(maxAlong, along)
    minAcross = Math.min(minAcross, across)
    maxAcross = Math.max(maxAcross, across)
  }
  const along = (minAlong + maxAlong) / 2
  const across = (minAcross + maxAcross) / 2
  return {
    center: { x: along * axis.x - across * axis.y, y: along * axis.y + across * axis.x },
    axis,
    halfWidth: (maxAlong - minAlong) / 2,
    halfHeight: (maxAcross - minAcross) / 2,
  }
}

function areaOf({ halfWidth, halfHeight }: RotatedBox): number {
  return 4 * halfWidth * halfHeight
}

/** Mean probability of the pixels inside a box. */
function meanInside({ values, width, height }: ProbabilityMap, box: RotatedBox): number {
  const outline = corners(box)
  const left = Math.max(0, Math.floor(Math.min(...outline.map(({ x }) => x))))
  const right = Math.min(width - 1, Math.ceil(Math.max(...outline.map(({ x }) => x))))
  const top = Math.max(0, Math.floor(Math.min(...outline.map(({ y }) => y))))
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...outline.map(({ y }) => y))))
  let sum = 0
  let count = 0
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const dx = x - box.center.x
      const dy = y - box.center.y
      if (Math.abs(dx * box.axis.x + dy * box.axis.y) > box.halfWidth + 1e-6) continue
      if (Math.abs(dy * box.axis.x - dx * box.axis.y) > box.halfHeight + 1e-6) continue
      sum += values[y * width + x] ?? 0
      count++
    }
  }
  return count === 0 ? 0 : sum / count
}

/** Moves every side outwards by area × ratio ÷ perimeter. */
function unclip(box: RotatedBox): RotatedBox {
  const distance = (areaOf(box) * UNCLIP_RATIO) / (4 * (box.halfWidth + box.halfHeight))
  return { ...box, halfWidth: box.halfWidth + distance, halfHeight: box.halfHeight + distance }
}
