/** Useful jobs: inputs, outputs, evidence and sizes of each kind (protocol.md §3). */
import { z } from 'zod'
import { hex64 } from './bytes'

export const jobKinds = ['chat', 'embed', 'ocr'] as const
export const jobKind = z.enum(jobKinds)
export type JobKind = z.infer<typeof jobKind>

/** Bytes of an image, characters of a text and texts to embed that a job may bring. */
export const MAX_IMAGE_BYTES = 32 * 1024 * 1024
export const MAX_TEXT_CHARACTERS = 1_000_000
export const MAX_EMBED_TEXTS = 4096
/** Messages of a chat. */
const MAX_CHAT_MESSAGES = 10_000
/** Tokens that a chat may generate, and that its prompt may have. */
const MAX_CHAT_TOKENS = 8192
const MAX_PROMPT_TOKENS = 1 << 22
/** Characters of an answer, or of a line of it. */
const MAX_RESULT_CHARACTERS = 16_000_000
/** Numbers of one vector, lines of all pages, and the largest count or coordinate that a result names. */
const MAX_VECTOR_NUMBERS = 65_536
const MAX_OCR_LINES = 100_000
const MAX_COUNT = 1 << 30
const MAX_NUMBER = Number.MAX_VALUE
/** Pages of a TIFF or PDF file that are read in one job. */
export const MAX_OCR_PAGES = 20

const count = z.number().int().min(0).max(MAX_COUNT)
const tokenId = count
const coordinate = z.number().min(-MAX_COUNT).max(MAX_COUNT)
const base64 = z.base64().max(Math.ceil((MAX_IMAGE_BYTES * 4) / 3) + 4)
const text = z.string().max(MAX_TEXT_CHARACTERS)
const resultText = z.string().max(MAX_RESULT_CHARACTERS)

export const chatMessage = z.object({ role: z.enum(['system', 'user', 'assistant']), content: text })
export type ChatMessage = z.infer<typeof chatMessage>

/**
 * How a chat chooses its tokens; an absent option changes nothing. Temperature 0 takes the most probable one. The seed
 * is always named, so that anyone can redo the draw.
 */
export const chatSampling = z.object({
  temperature: z.number().min(0).max(5),
  /** the fewest of the most probable tokens whose probabilities sum to this */
  topP: z.number().gt(0).max(1).default(1),
  /** 0: no limit */
  topK: z.number().int().min(0).max(1000).default(0),
  /** the least probability, as a share of that of the most probable token */
  minP: z.number().min(0).max(1).default(0),
  repetitionPenalty: z.number().gt(0).max(10).default(1),
  frequencyPenalty: z.number().min(-2).max(2).default(0),
  presencePenalty: z.number().min(-2).max(2).default(0),
  seed: z.number().int().min(0).max(0xffff_ffff),
})
export type ChatSampling = z.infer<typeof chatSampling>
export const MAX_STOP_STRINGS = 8

export const jobInput = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('chat'),
    messages: z.array(chatMessage).min(1).max(MAX_CHAT_MESSAGES),
    maxTokens: z.number().int().min(1).max(MAX_CHAT_TOKENS),
    /** absent: the most probable token, always */
    sampling: chatSampling.optional(),
    /** the answer ends before the first of these */
    stop: z.array(z.string().min(1).max(200)).max(MAX_STOP_STRINGS).optional(),
  }),
  z.object({ kind: z.literal('embed'), texts: z.array(text).min(1).max(MAX_EMBED_TEXTS) }),
  /** The unchanged file (PNG, JPEG, WebP, TIFF, GIF, AVIF, PDF), base64. Of a TIFF or PDF file all pages are read. */
  z.object({ kind: z.literal('ocr'), image: base64.min(1) }),
])
export type JobInput = z.infer<typeof jobInput>
export type ChatInput = Extract<JobInput, { kind: 'chat' }>
export type EmbedInput = Extract<JobInput, { kind: 'embed' }>
export type OcrInput = Extract<JobInput, { kind: 'ocr' }>

/**
 * One recognized line. `box`: four corners [x, y], clockwise from where the text begins at its upper side, in pixels of
 * the image as displayed (of a PDF page: in points, from the page's top left). `confidence` 0 to 1. `page`, from 1, where
 * the file has several.
 */
export const ocrLine = z.object({
  text: resultText,
  box: z.array(z.tuple([coordinate, coordinate])).length(4),
  confidence: z.number().min(0).max(1),
  page: z.number().int().min(1).max(MAX_OCR_PAGES).optional(),
})
export type OcrLine = z.infer<typeof ocrLine>

const vector = z.array(z.number().min(-MAX_NUMBER).max(MAX_NUMBER)).max(MAX_VECTOR_NUMBERS)
export const jobOutput = z.union([
  resultText,
  z.array(vector).max(MAX_EMBED_TEXTS),
  z.array(ocrLine).max(MAX_OCR_LINES),
])
export type JobOutput = z.infer<typeof jobOutput>

/**
 * The five largest natural log-probabilities of one generated position: [token id, log-probability], best first; a drawn
 * token that is not among them comes sixth.
 */
export const topLogProbabilities = z.array(z.tuple([tokenId, z.number().min(-MAX_NUMBER).max(MAX_NUMBER)])).max(6)

export const jobEvidence = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('chat'),
    promptTokenIds: z.array(tokenId).max(MAX_PROMPT_TOKENS),
    tokenIds: z.array(tokenId).max(MAX_CHAT_TOKENS),
    topLogProbabilities: z.array(topLogProbabilities).max(MAX_CHAT_TOKENS),
    finish: z.enum(['stop', 'length', 'cancelled']),
  }),
  /** The vectors themselves are the evidence: their SHA-256 over float32 little-endian bytes. */
  z.object({ kind: z.literal('embed'), vectorsSha256: hex64 }),
  /** Text and boxes are the evidence. */
  z.object({ kind: z.literal('ocr'), lines: count }),
])
export type JobEvidence = z.infer<typeof jobEvidence>

/** The counted sizes from which anyone recomputes a job's MACs with its model manifest. */
export const jobSizes = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('chat'),
    promptTokens: count,
    generatedTokens: count,
  }),
  z.object({ kind: z.literal('embed'), tokensPerText: z.array(count).max(MAX_EMBED_TEXTS) }),
  z.object({
    kind: z.literal('ocr'),
    /** pixels of the padded, resized images that detection saw, of all pages */
    detectionPixels: count,
    /** summed width, in pixels at 48 px height, of the line pictures that recognition saw and confirmed */
    recognitionColumns: count,
  }),
])
export type JobSizes = z.infer<typeof jobSizes>

/** The result of a job, from its worker. */
export interface JobRun {
  output: JobOutput
  evidence: JobEvidence
  sizes: JobSizes
  /** wall time inside the worker */
  milliseconds: number
}
