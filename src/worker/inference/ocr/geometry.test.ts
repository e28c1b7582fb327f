import { describe, expect, it } from 'vitest'
import { convexHull, corners, findBoxes, smallestRectangle, type Point, type RotatedBox } from './boxes'
import { readingOrder } from './reading-order'

const upright = (left: number, top: number, width: number, height: number): RotatedBox => ({
  center: { x: left + width / 2, y: top + height / 2 },
  axis: { x: 1, y: 0 },
  halfWidth: width / 2,
  halfHeight: height / 2,
})

describe('smallestRectangle', () => {
  it.each([-40, -10, -2, 0, 3, 25, 44])('finds a 100 × 20 rectangle leaning by %i degrees', (degrees) => {
    const angle = (degrees * Math.PI) / 180
    const drawn: RotatedBox = {
      center: { x: 80, y: 60 },
      axis: { x: Math.cos(angle), y: Math.sin(angle) },
      halfWidth: 50,
      halfHeight: 10,
    }
    const edge: Point[] = corners(drawn)
    const found = smallestRectangle(convexHull([...edge, drawn.center]))
    expect(found.center.x).toBeCloseTo(80, 6)
    expect(found.center.y).toBeCloseTo(60, 6)
    expect(found.halfWidth).toBeCloseTo(50, 6)
    expect(found.halfHeight).toBeCloseTo(10, 6)
    expect(Math.atan2(found.axis.y, found.axis.x)).toBeCloseTo(angle, 6)
  })

  it('takes a single point and a row of points', () => {
    expect(smallestRectangle(convexHull([{ x: 3, y: 4 }]))).toMatchObject({
      center: { x: 3, y: 4 },
      halfWidth: 0,
      halfHeight: 0,
    })
    const row = smallestRectangle(convexHull([1, 2, 3].map((x) => ({ x, y: 7 }))))
    expect(row).toMatchObject({ center: { x: 2, y: 7 }, halfWidth: 1, halfHeight: 0 })
  })
})

describe('findBoxes', () => {
  const mapWith = (fill: (x: number, y: number) => number) => {
    const [width, height] = [120, 80]
    const values = Float32Array.from({ length: width * height }, (_, index) =>
      fill(index % width, Math.floor(index / width)),
    )
    return { values, width, height }
  }
  const inside = (x: number, y: number, left: number, top: number, right: number, bottom: number): boolean =>
    x >= left && x <= right && y >= top && y <= bottom

  it('gives one enlarged box for each separate area, and none for weak, small or empty ones', () => {
    const boxes = findBoxes(
      mapWith((x, y) => {
        if (inside(x, y, 10, 10, 60, 20)) return 0.9
        if (inside(x, y, 10, 50, 100, 64)) return 0.95
        if (inside(x, y, 80, 10, 100, 20)) return 0.4 // text by pixel, not by its mean
        return inside(x, y, 110, 30, 111, 31) ? 1 : 0 // two pixels
      }),
    )
    expect(boxes.map(({ center }) => center)).toEqual([
      { x: 35, y: 15 },
      { x: 55, y: 57 },
    ])
    const [first] = boxes
    expect(first!.halfHeight).toBeGreaterThan(8)
    expect(first!.halfWidth - 25).toBeCloseTo(first!.halfHeight - 5, 9)
  })
})

describe('readingOrder', () => {
  it('goes row by row, left to right, also when a row is not quite level', () => {
    const boxes = [
      upright(200, 13, 50, 20),
      upright(10, 50, 60, 20),
      upright(10, 10, 60, 20),
      upright(120, 8, 50, 20),
      upright(130, 52, 50, 20),
    ]
    expect(readingOrder(boxes)).toEqual([2, 3, 0, 1, 4])
  })

  it('reads columns of running text one after another, below a heading', () => {
    const left = [60, 90, 120].map((top) => upright(10, top, 200, 20))
    const right = [60, 90, 120].map((top) => upright(260, top, 200, 20))
    const heading = upright(10, 5, 450, 30)
    const mixed = [right[0]!, left[0]!, heading, left[1]!, right[1]!, right[2]!, left[2]!]
    expect(readingOrder(mixed)).toEqual([2, 1, 3, 6, 0, 4, 5])
  })

  it('reads a table of short cells row by row', () => {
    const cells = [10, 40, 70].flatMap((top) => [upright(10, top, 80, 20), upright(200, top, 60, 20)])
    expect(readingOrder(cells)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('takes no boxes', () => {
    expect(readingOrder([])).toEqual([])
  })
})
