/** Detection: finds the text of a picture, at a scale at which the network finds its letters. */
import type { InferenceSession } from 'onnxruntime-node'
import { findBoxes, type RotatedBox } from './boxes'
import { DETECTION_BLOCK, firstView, viewForDetection, type DetectionView, type Picture } from './picture'

/** As PP-OCR was trained: channels are blue, green, red, each (value / 255 − mean) / deviation. */
const MEANS = [0.485, 0.456, 0.406] as const
const DEVIATIONS = [0.229, 0.224, 0.225] as const

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

export interface FoundText {
  /** in pixels of the picture, in no particular order */
  boxes: RotatedBox[]
  /** pixels that passed through the network */
  pixels: number
}

/**
 * Finds the text of a picture. A large picture is reduced first. Where its letters turn out to be too small for that, a
 * second pass searches strips at a larger scale. `checkpoint` runs between the passes and may throw to stop.
 */
export async function findText(
  session: InferenceSession,
  picture: Picture,
  checkpoint: () => void,
): Promise<FoundText> {
  const view = await firstView(picture)
  checkpoint()
  const boxes = await detect(session, view)
  const pixels = view.width * view.height
  const scale = closerScale(picture, view.scale, boxes)
  if (scale <= view.scale) return { boxes, pixels }
  const closer = await findInStrips(session, picture, scale, (SHARED_LINES * WANTED_BOX_PIXELS) / scale, checkpoint)
  return { boxes: closer.boxes, pixels: pixels + closer.pixels }
}

/** Runs the network once on an empty picture. Throws when it cannot run. */
export async function tryDetection(session: InferenceSession): Promise<void> {
  const side = DETECTION_BLOCK
  await detect(session, { pixels: new Uint8Array(3 * side * side), width: side, height: side, scale: 1, top: 0 })
}

/** The scale for a second pass, or the scale of the first pass where that was good enough. */
function closerScale({ width, height }: Picture, scale: number, boxes: readonly RotatedBox[]): number {
  if (scale >= 1) return scale
  const heights = boxes.map((box) => 2 * scale * Math.min(box.halfHeight, box.halfWidth)).toSorted((a, b) => a - b)
  // A page has small print beside a heading, so the lower quartile decides. No boxes at all may mean print that was too small to be found.
  const small = heights[Math.floor(heights.length / 4)] ?? SMALL_BOX_PIXELS / 2
  if (small >= SMALL_BOX_PIXELS) return scale
  return Math.min(1, (scale * WANTED_BOX_PIXELS) / small, Math.sqrt(MAX_SECOND_PIXELS / (width * height)))
}

async function findInStrips(
  session: InferenceSession,
  picture: Picture,
  scale: number,
  sharedRows: number,
  checkpoint: () => void,
): Promise<FoundText> {
  const { width, height } = picture
  const rows = Math.max(2 * sharedRows, STRIP_PIXELS / (scale * scale * width))
  const count = Math.max(1, Math.ceil((height - sharedRows) / (rows - sharedRows)))
  const step = (height - sharedRows) / count
  const found: FoundText = { boxes: [], pixels: 0 }
  for (let index = 0; index < count; index++) {
    const top = Math.floor(index * step)
    const bottom = Math.min(height, Math.ceil((index + 1) * step + sharedRows))
    checkpoint()
    const view = await viewForDetection(picture, scale, { top, bottom })
    // A line belongs to the strip in whose middle part its own middle lies.
    const from = index === 0 ? -Infinity : top + sharedRows / 2
    const to = index === count - 1 ? Infinity : bottom - sharedRows / 2
    found.boxes.push(...(await detect(session, view)).filter(({ center }) => center.y >= from && center.y < to))
    found.pixels += view.width * view.height
  }
  return found
}

/** Boxes of text in pixels of the picture that the view was made from. */
async function detect(session: InferenceSession, view: DetectionView): Promise<RotatedBox[]> {
  const { Tensor } = await import('onnxruntime-node')
  const { width, height, scale, top } = view
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', normalize(view), [1, 3, height, width]) }
  const output = (await session.run(feeds))[session.outputNames[0]!]!
  return findBoxes({ values: output.data as Float32Array, width, height }).map((box) => ({
    axis: box.axis,
    center: { x: (box.center.x + 0.5) / scale - 0.5, y: (box.center.y + 0.5) / scale - 0.5 + top },
    halfWidth: box.halfWidth / scale,
    halfHeight: box.halfHeight / scale,
  }))
}

/** Planar blue, green, red. */
function normalize({ pixels, width, height }: DetectionView): Float32Array {
  const plane = width * height
  const values = new Float32Array(3 * plane)
  for (let channel = 0; channel < 3; channel++) {
    const mean = MEANS[channel]! * 255
    const deviation = DEVIATIONS[channel]! * 255
    for (let at = 0; at < plane; at++) values[channel * plane + at] = (pixels[3 * at + 2 - channel]! - mean) / deviation
  }
  return values
}
