/** An OCR model in memory: the sessions of detection and recognition, and the characters that recognition knows. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { InstalledModel } from '#shared/domain/model-stages'
import { openMacCounter } from './graph-macs'
import type { MacFormula } from '#shared/domain/manifest'
import { DETECTION_BLOCK } from './picture'
import { LINE_HEIGHT, STEP_COLUMNS } from './crop'

export interface OcrModel {
  detection: InferenceSession
  recognition: InferenceSession
  /** class → character; class 0 is the blank of CTC, the last one a space */
  characters: readonly string[]
}

/** The width that PP-OCR's recognition is published and trained with. */
const REFERENCE_COLUMNS = 320

/** The sessions of a model folder. Throws Failure 'model-refused'. */
export async function loadOcrModel(location: InstalledModel, threads: number): Promise<OcrModel> {
  const files = findFiles(location)
  const { InferenceSession } = await import('onnxruntime-node')
  const open = async (path: string, keepsMemory: boolean): Promise<InferenceSession> =>
    InferenceSession.create(path, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableMemPattern: false, // for pictures of one size only
      enableCpuMemArena: keepsMemory,
      // Spinning threads take the cores from everything else on a busy machine (measured: a third of the speed).
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
  try {
    const detection = await open(files.detection, false) // one run for each picture, up to some hundred MB
    const recognition = await open(files.recognition, true)
    return { detection, recognition, characters: parseCharacters(await readFile(files.characters, 'utf8')) }
  } catch (error) {
    if (error instanceof Failure) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw refused(message('ocr-model-not-loaded', { model: location.manifest.id, words: reason }))
  }
}

export async function closeOcrModel({ detection, recognition }: OcrModel): Promise<void> {
  await Promise.all([detection.release(), recognition.release()])
}

/**
 * MACs per detection block and per recognition step, counted from the graphs. Each block and step adds a fixed amount; work
 * that does not depend on the picture's size (squeeze-and-excitation on one pixel) is left out. The MACs of recognition's
 * attention grow with the square of the line's width; they are counted as in a line of REFERENCE_COLUMNS.
 */
export async function countOcrMacs(location: InstalledModel): Promise<Extract<MacFormula, { kind: 'ocr' }>> {
  const files = findFiles(location)
  const detection = await openMacCounter(files.detection)
  const recognition = await openMacCounter(files.recognition)
  const [one, two] = await Promise.all(
    [1, 2].map((blocks) => detection([1, 3, DETECTION_BLOCK, DETECTION_BLOCK * blocks])),
  )
  const [line, double] = await Promise.all(
    [1, 2].map((lines) => recognition([1, 3, LINE_HEIGHT, REFERENCE_COLUMNS * lines])),
  )
  if (!one || !two || !line || !double) throw new TypeError('a graph was not counted')
  const steps = BigInt(REFERENCE_COLUMNS / STEP_COLUMNS)
  const linear = double.convolution + double.projection - line.convolution - line.projection
  return {
    kind: 'ocr',
    perDetectionBlock: Number(two.convolution + two.projection - one.convolution - one.projection),
    perRecognitionStep: Number((linear + line.attention) / steps),
  }
}

/** The files of a model by their names, which follow PaddleOCR's naming. */
function findFiles(location: InstalledModel): { detection: string; recognition: string; characters: string } {
  const find = (pattern: RegExp, part: 'detection' | 'recognition' | 'characters'): string => {
    const file = location.manifest.files.find(({ path }) => pattern.test(path))
    if (!file) throw refused(message('ocr-model-file-missing', { model: location.manifest.id, part }))
    return join(location.folder, file.path)
  }
  return {
    detection: find(/det[^/]*\.onnx$/, 'detection'),
    recognition: find(/rec[^/]*\.onnx$/, 'recognition'),
    characters: find(/\.txt$/, 'characters'),
  }
}

function parseCharacters(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return ['', ...lines, ' ']
}

function refused(words: Message): Failure {
  return new Failure('model-refused', words)
}
