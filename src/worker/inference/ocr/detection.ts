/** Detection: finds the text of a picture, at a scale at which the network finds its letters. */
import type { InferenceSession } from 'onnxruntime-node'
import { findBoxes, type RotatedBox } from './boxes'
import { DETECTION_BLOCK, firstScale, viewForDetection, type DetectionView, type Picture } from './picture'
import { closerScale, sharedRows, stripsOf } from './passes'

/** As PP-OCR was trained: channels are blue, green, red, each (value / 255 − mean) / deviation. */
const MEANS = [0.485, 0.456, 0.406] as const
const DEVIATIONS = [0.229, 0.224, 0.225] as const

/**
 * Finds the text of a picture. A large picture is reduced first. Where its letters turn out to be too small for that, a
 * second pass searches strips at a larger scale. `checkpoint` runs between the passes and may throw to stop.
 * The boxes are in pixels of the picture, in no particular order.
 */
export async function findText(
  session: InferenceSession,
  picture: Picture,
  checkpoint: () => void,
): Promise<RotatedBox[]> {
  const first = firstScale(picture)
  const view = await viewForDetection(picture, first, { top: 0, bottom: picture.height })
  checkpoint()
  const boxes = await detect(session, view)
  const scale = closerScale(picture, boxes)
  return scale > first ? findInStrips(session, picture, scale, checkpoint) : boxes
}

/** Runs the network once on an empty picture. Throws when it cannot run. */
export async function tryDetection(session: InferenceSession): Promise<void> {
  const side = DETECTION_BLOCK
  await detect(session, { pixels: new Uint8Array(3 * side * side), width: side, height: side, scale: 1, top: 0 })
}

async function findInStrips(
  session: InferenceSession,
  picture: Picture,
  scale: number,
  checkpoint: () => void,
): Promise<RotatedBox[]> {
  const half = sharedRows(scale) / 2
  const strips = stripsOf(picture, scale)
  const found: RotatedBox[] = []
  for (const [index, rows] of strips.entries()) {
    checkpoint()
    const view = await viewForDetection(picture, scale, rows)
    // A line belongs to the strip in whose middle part its own middle lies.
    const from = index === 0 ? -Infinity : rows.top + half
    const to = index === strips.length - 1 ? Infinity : rows.bottom - half
    found.push(...(await detect(session, view)).filter(({ center }) => center.y >= from && center.y < to))
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
