/** Text recognition with PP-OCRv4: find lines, read each, put them in reading order. */
import type { JobRun, OcrInput, OcrLine } from '#shared/domain/job'
import { Failure } from '#shared/domain/errors'
import type { ModelLocation, WorkerMethods } from '#shared/domain/worker-protocol'
import { corners, findBoxes, type RotatedBox } from './boxes'
import { lineIn } from './crop'
import { createModelCache, modelKey } from '../residency'
import { closeOcrModel, countOcrMacs, loadOcrModel, type OcrModel } from './model'
import { DETECTION_BLOCK, decodePicture, viewForDetection, type DetectionView, type Picture } from './picture'
import { readingOrder } from './reading-order'
import { readLines } from './recognition'

/** Below this, a line is taken for no text: it is left out and earns nothing (PaddleOCR's drop_score). */
const CONFIRMED_CONFIDENCE = 0.5

/** As PP-OCR was trained: channels are blue, green, red, each (value / 255 − mean) / deviation. */
const DETECTION_MEANS = [0.485, 0.456, 0.406] as const
const DETECTION_DEVIATIONS = [0.229, 0.224, 0.225] as const

const models = createModelCache<OcrModel>(closeOcrModel)

/**
 * Reads the lines of a picture, in reading order. Boxes are in pixels of the picture as displayed.
 * Throws Failure 'invalid-input' for what is no readable picture, 'cancelled' when the signal says so, 'model-refused'.
 */
export async function runOcr(
  input: OcrInput,
  model: ModelLocation,
  context: { threads: number; signal: AbortSignal },
): Promise<JobRun> {
  const startedAt = performance.now()
  const checkpoint = (): void => {
    if (context.signal.aborted) throw new Failure('cancelled', 'Reading the picture was stopped.')
  }
  checkpoint()
  const picture = await decodePicture(Buffer.from(input.image, 'base64'))
  checkpoint()
  return models.use(
    modelKey(model, context.threads),
    () => loadOcrModel(model, context.threads),
    (sessions) => read(sessions, picture),
  )

  async function read(sessions: OcrModel, picture: Picture): Promise<JobRun> {
    const view = await viewForDetection(picture)
    checkpoint()
    const boxes = await detect(sessions, view)
    checkpoint()
    const lines = boxes.map((box) => lineIn(picture, box))
    const readings = await readLines(sessions.recognition, sessions.characters, lines, checkpoint)

    const confirmed = boxes
      .map((box, index) => ({ box, columns: lines[index]!.columns, ...readings[index]! }))
      .filter(({ text, confidence }) => text !== '' && confidence >= CONFIRMED_CONFIDENCE)
    const ordered = readingOrder(confirmed.map(({ box }) => box)).map((index) => confirmed[index]!)
    return {
      output: ordered.map(({ text, confidence, box }): OcrLine => ({
        text,
        confidence,
        box: displayedCorners(picture, box),
      })),
      evidence: { kind: 'ocr', lines: ordered.length },
      sizes: {
        kind: 'ocr',
        detectionPixels: view.width * view.height,
        recognitionColumns: ordered.reduce((sum, { columns }) => sum + columns, 0),
      },
      milliseconds: performance.now() - startedAt,
    }
  }
}

/** Loads the model, runs it once on an empty picture and counts its MACs. Throws Failure 'model-refused'. */
export async function probeOcr(
  model: ModelLocation,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const sessions = await loadOcrModel(model, context.threads)
  try {
    const side = DETECTION_BLOCK
    await detect(sessions, { pixels: new Uint8Array(3 * side * side), width: side, height: side, scale: 1 })
    return { macFormula: await countOcrMacs(model), context: 0 }
  } finally {
    await closeOcrModel(sessions)
  }
}

/** Boxes of text in pixels of the picture that the view was made from. */
async function detect({ detection }: OcrModel, view: DetectionView): Promise<RotatedBox[]> {
  const { Tensor } = await import('onnxruntime-node')
  const { width, height, scale } = view
  const dims = [1, 3, height, width]
  const feeds = { [detection.inputNames[0]!]: new Tensor('float32', normalize(view), dims) }
  const output = (await detection.run(feeds))[detection.outputNames[0]!]!
  return findBoxes({ values: output.data as Float32Array, width, height }).map((box) => ({
    axis: box.axis,
    center: { x: (box.center.x + 0.5) / scale - 0.5, y: (box.center.y + 0.5) / scale - 0.5 },
    halfWidth: box.halfWidth / scale,
    halfHeight: box.halfHeight / scale,
  }))
}

/** Planar blue, green, red. */
function normalize({ pixels, width, height }: DetectionView): Float32Array {
  const plane = width * height
  const values = new Float32Array(3 * plane)
  for (let channel = 0; channel < 3; channel++) {
    const mean = DETECTION_MEANS[channel]! * 255
    const deviation = DETECTION_DEVIATIONS[channel]! * 255
    for (let at = 0; at < plane; at++) values[channel * plane + at] = (pixels[3 * at + 2 - channel]! - mean) / deviation
  }
  return values
}

function displayedCorners({ scale, width, height }: Picture, box: RotatedBox): OcrLine['box'] {
  const clamp = (value: number, size: number): number =>
    Math.round(Math.min(size, Math.max(0, value + 0.5)) * scale * 10) / 10
  return corners(box).map(({ x, y }): [number, number] => [clamp(x, width), clamp(y, height)])
}
