/**
 * Whether a result's sizes can belong to its input and output. Sizes decide the credit, so they are bounded by the
 * input and the output; the bounds are wide enough for every honest tokenizer and image preparation.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '#shared/domain/bytes'
import { MAX_OCR_PAGES, ocrLine, type JobInput, type OcrLine } from '#shared/domain/job'
import { z } from 'zod'
import type { JobDelivery } from '#shared/protocol/job'

/** Tokens that templates and models add by themselves. */
const EXTRA_TOKENS = 1024
const EXTRA_TOKENS_A_MESSAGE = 64
/** Pixels of one page that detection reads at most. It reduces larger pages: 4096 × 4096 is beyond what any of its settings keeps. */
const MAX_DETECTION_PIXELS = 1 << 24
/** Height of a line's picture, and the columns by which one may be padded. */
const LINE_HEIGHT_PIXELS = 48
const LINE_PADDING_COLUMNS = 640

const vectors = z.array(z.array(z.number()))
const lines = z.array(ocrLine)

/** The largest sizes that an input allows. The check of a result needs nothing else of the input, so a picture is not read again. */
export type InputBounds = ChatBounds | EmbedBounds | OcrBounds
interface ChatBounds {
  kind: 'chat'
  generatedTokens: number
  promptTokens: number
}
interface EmbedBounds {
  kind: 'embed'
  tokensPerText: number[]
}
interface OcrBounds {
  kind: 'ocr'
  pages: number
}

/** The bounds of an input's sizes. */
export function boundsOf(input: JobInput): InputBounds {
  switch (input.kind) {
    case 'chat': {
      const promptTokens = input.messages.reduce(
        (sum, { content }) => sum + tokenBound(content) + EXTRA_TOKENS_A_MESSAGE,
        EXTRA_TOKENS,
      )
      return { kind: 'chat', generatedTokens: input.maxTokens, promptTokens }
    }
    case 'embed':
      return { kind: 'embed', tokensPerText: input.texts.map((text) => tokenBound(text) + EXTRA_TOKENS_A_MESSAGE) }
    case 'ocr':
      return { kind: 'ocr', pages: mayHavePages(input.image) ? MAX_OCR_PAGES : 1 }
  }
}

/** Why a result cannot belong to its input, as a sentence; undefined when it fits. */
export function implausibility(bounds: InputBounds, delivery: JobDelivery): string | undefined {
  switch (bounds.kind) {
    case 'chat':
      return chatFault(bounds, delivery)
    case 'embed':
      return embedFault(bounds, delivery)
    case 'ocr':
      return ocrFault(bounds, delivery)
  }
}

function chatFault(bounds: ChatBounds, { result, output, evidence }: JobDelivery): string | undefined {
  const { sizes } = result.body
  if (sizes.kind !== 'chat' || evidence.kind !== 'chat' || typeof output !== 'string') return otherKind
  if (evidence.finish === 'cancelled') return 'The answer was cut off.'
  if (sizes.generatedTokens > bounds.generatedTokens) return 'More tokens were generated than the job allows.'
  if (sizes.generatedTokens !== evidence.tokenIds.length) return 'The generated tokens are not those of the evidence.'
  if (sizes.promptTokens !== evidence.promptTokenIds.length) return 'The prompt tokens are not those of the evidence.'
  if (evidence.topLogProbabilities.length !== evidence.tokenIds.length) return 'Log-probabilities are missing.'
  const chosen = evidence.tokenIds.every((token, position) =>
    evidence.topLogProbabilities[position]?.some(([candidate]) => candidate === token),
  )
  if (!chosen) return 'A generated token is not among its most probable ones.'
  if (sizes.promptTokens > bounds.promptTokens) return 'The prompt has more tokens than its text can have.'
  return undefined
}

function embedFault({ tokensPerText }: EmbedBounds, { result, output, evidence }: JobDelivery): string | undefined {
  const { sizes } = result.body
  const parsed = vectors.safeParse(output)
  if (sizes.kind !== 'embed' || evidence.kind !== 'embed' || !parsed.success) return otherKind
  if (sizes.tokensPerText.length !== tokensPerText.length) return 'The token counts are not one a text.'
  if (parsed.data.length !== tokensPerText.length) return 'The vectors are not one a text.'
  const width = parsed.data[0]?.length ?? 0
  if (width === 0 || parsed.data.some((vector) => vector.length !== width)) return 'The vectors are not of one length.'
  if (evidence.vectorsSha256 !== hashOfVectors(parsed.data)) return 'The vectors are not those of the evidence.'
  const hasTooMany = tokensPerText.some((most, index) => (sizes.tokensPerText[index] ?? 0) > most)
  if (hasTooMany) return 'A text has more tokens than its characters can give.'
  return undefined
}

function ocrFault({ pages }: OcrBounds, { result, output, evidence }: JobDelivery): string | undefined {
  const { sizes } = result.body
  const parsed = lines.safeParse(output)
  if (sizes.kind !== 'ocr' || evidence.kind !== 'ocr' || !parsed.success) return otherKind
  if (evidence.lines !== parsed.data.length) return 'The number of lines is not that of the evidence.'
  if (parsed.data.some(({ page = 1 }) => page > pages)) return 'A line stands on a page that the image does not have.'
  if (sizes.detectionPixels > pages * MAX_DETECTION_PIXELS) return 'The image is larger than detection takes.'
  const most = parsed.data.reduce((sum, { box }) => sum + 2 * columnsOf(box) + LINE_PADDING_COLUMNS, 0)
  if (sizes.recognitionColumns > most) return 'The recognized columns are more than the lines can have.'
  return undefined
}

const otherKind = 'Output, evidence and sizes are not those of this kind of job.'

/** No tokenizer in use makes more tokens than a text has bytes. */
function tokenBound(text: string): number {
  return utf8ToBytes(text).length
}

/** Whether an image may have several pages, by its first kilobyte in base64: only TIFF and PDF files have them. */
function mayHavePages(image: string): boolean {
  const start = atob(image.slice(0, 1368))
  return /^(II[*+]\0|MM\0[*+])/.test(start) || start.includes('%PDF-')
}

/** Columns of a line at 48 px height, by the longer and the shorter side of its box, however it is turned. */
function columnsOf(box: OcrLine['box']): number {
  const side = (from: number, to: number): number => {
    const [a, b] = [box[from], box[to]]
    return a && b ? Math.max(1, Math.hypot(b[0] - a[0], b[1] - a[1])) : 1
  }
  const sides = [side(0, 1), side(1, 2)]
  return (LINE_HEIGHT_PIXELS * Math.max(...sides)) / Math.min(...sides)
}

/** SHA-256 over all vectors as float32, little-endian, one after the other. */
function hashOfVectors(rows: readonly (readonly number[])[]): string {
  const hash = sha256.create()
  for (const row of rows) {
    const view = new DataView(new ArrayBuffer(row.length * 4))
    row.forEach((value, index) => view.setFloat32(index * 4, value, true))
    hash.update(new Uint8Array(view.buffer))
  }
  return bytesToHex(hash.digest())
}
