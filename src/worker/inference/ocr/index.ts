/** Text recognition with PP-OCRv4: finds lines, reads each, and puts them in reading order. */
import type { JobRun, OcrInput, OcrLine } from '#shared/domain/job'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'
import type { WorkerMethods } from '#shared/ipc/worker'
import { corners, turnedAround, type RotatedBox } from './boxes'
import { lineIn, type Line } from './crop'
import { findText, tryDetection } from './detection'
import { openDocument } from './open-document'
import { createKindModelCache, modelKey } from '../model-cache'
import { closeOcrModel, countOcrMacs, loadOcrModel, type OcrModel } from './model'
import type { Picture } from './picture'
import { readingOrder } from './reading-order'
import { readLines, type Reading } from './recognition'
import { pageSizes } from './sizes'

/** A line of less confidence is not taken for text: it is left out and earns nothing (PaddleOCR's drop_score). */
const CONFIRMED_CONFIDENCE = 0.5
/** A line of less confidence may stand upside down: it is read again, turned by half a turn. */
const DOUBTFUL_CONFIDENCE = 0.75
/** The second reading of a line replaces the first only with at least this much more confidence. */
const CLEARLY_MORE = 0.1

const models = createKindModelCache<OcrModel>(closeOcrModel)

/**
 * Reads the lines of a file, page by page, in reading order.
 * Throws Failure 'invalid-input' for a file that cannot be read, 'cancelled' when the signal fires, and 'model-refused'.
 */
export async function runOcr(
  input: OcrInput,
  model: InstalledModel,
  context: { threads: number; signal: AbortSignal },
): Promise<JobRun> {
  const startedAt = performance.now()
  const checkpoint = (): void => {
    if (context.signal.aborted) throw new Failure('cancelled', message('ocr-stopped'))
  }
  checkpoint()
  const document = await openDocument(Buffer.from(input.image, 'base64'), context.signal)
  const output: OcrLine[] = []
  const sizes = { kind: 'ocr' as const, detectionPixels: 0, recognitionColumns: 0 }
  try {
    await models.use(
      modelKey(model, context.threads),
      () => loadOcrModel(model, context.threads),
      async (sessions) => {
        for (let index = 0; index < document.pages; index++) {
          checkpoint()
          const picture = await document.read(index)
          const lines = await readPage(sessions, picture, checkpoint)
          output.push(...lines.map((line) => (document.pages > 1 ? { ...line, page: index + 1 } : line)))
          const { detectionPixels, recognitionColumns } = pageSizes(picture, lines)
          sizes.detectionPixels += detectionPixels
          sizes.recognitionColumns += recognitionColumns
        }
      },
    )
  } finally {
    await document.close()
  }
  const evidence = { kind: 'ocr' as const, lines: output.length }
  return { output, evidence, sizes, milliseconds: performance.now() - startedAt }
}

async function readPage(model: OcrModel, picture: Picture, checkpoint: () => void): Promise<OcrLine[]> {
  checkpoint()
  const boxes = await findText(model.detection, picture, checkpoint)
  const lines = boxes.map((box) => lineIn(picture, box))
  const read = (some: readonly Line[]) => readLines(model.recognition, model.characters, some, checkpoint)
  const readings = await read(lines)
  await readDoubtfulTurned(picture, lines, readings, read)
  const confirmed = lines
    .map(({ box }, index) => ({ box, ...readings[index]! }))
    .filter(({ text, confidence }) => text !== '' && confidence >= CONFIRMED_CONFIDENCE)
  const ordered = readingOrder(confirmed.map(({ box }) => box)).map((index) => confirmed[index]!)
  return ordered.map(({ text, confidence, box }) => ({ text, confidence, box: displayedCorners(picture, box) }))
}

/** Reads lines of little confidence upside down too, and replaces those whose second reading has clearly more confidence. */
async function readDoubtfulTurned(
  picture: Picture,
  lines: Line[],
  readings: Reading[],
  read: (some: readonly Line[]) => Promise<Reading[]>,
): Promise<void> {
  const doubtful = lines.flatMap((_, index) => (readings[index]!.confidence < DOUBTFUL_CONFIDENCE ? [index] : []))
  const turned = doubtful.map((index) => lineIn(picture, turnedAround(lines[index]!.box)))
  const second = await read(turned)
  doubtful.forEach((index, at) => {
    if (second[at]!.confidence < readings[index]!.confidence + CLEARLY_MORE) return
    lines[index] = turned[at]!
    readings[index] = second[at]!
  })
}

/** Loads the model, runs it once on an empty picture and counts its MACs. Throws Failure 'model-refused'. */
export async function probeOcr(
  model: InstalledModel,
  context: { threads: number },
): Promise<WorkerMethods['model.probe']['result']> {
  const sessions = await loadOcrModel(model, context.threads)
  try {
    await tryDetection(sessions.detection)
    return { macFormula: await countOcrMacs(model), context: 0 }
  } finally {
    await closeOcrModel(sessions)
  }
}

function displayedCorners({ scale, width, height }: Picture, box: RotatedBox): OcrLine['box'] {
  const clamp = (value: number, size: number): number =>
    Math.round(Math.min(size, Math.max(0, value + 0.5)) * scale * 10) / 10
  return corners(box).map(({ x, y }): [number, number] => [clamp(x, width), clamp(y, height)])
}
