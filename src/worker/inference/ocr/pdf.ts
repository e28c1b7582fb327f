/** PDF files, drawn page by page in a thread whose time and memory are limited. */
import { Worker } from 'node:worker_threads'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { OcrDocument } from './document'
import { MAX_KEPT_PIXELS, type Picture } from './picture'
import type { PdfAnswer, PdfRequest } from './pdf-thread'

/** 200 dots an inch: small print (6 points) has 17 pixels. */
const PIXELS_PER_POINT = 200 / 72
/** Limits for opening the file, and for drawing one of its pages. */
export interface PdfLimits {
  milliseconds: number
  /** by which the memory of the process may grow meanwhile */
  bytes: number
}
/** An ordinary page takes a tenth of a second; a page of MAX_KEPT_PIXELS takes 130 MB. */
const LIMITS: PdfLimits = { milliseconds: 20_000, bytes: 1024 * 1024 * 1024 }
const LIMIT_CHECK_MILLISECONDS = 50

/** The built program beside this file, or the source where sources run. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './pdf-thread.ts' : './pdf-thread.js', import.meta.url)

/**
 * Opens a PDF file. Boxes of its pages are in points. Whoever opens it closes it.
 * Throws Failure 'invalid-input' for a damaged file, one with a password, and pages that take too long or too much;
 * 'cancelled' when the signal fires meanwhile.
 */
export async function openPdf(file: Uint8Array, signal: AbortSignal, limits = LIMITS): Promise<OcrDocument> {
  const thread = new Worker(PROGRAM, { workerData: file, stdout: true, stderr: true })
  // After an error between two requests, the next request finds that the thread is gone.
  thread.on('error', () => undefined)
  try {
    const opened = await ask(thread, 'open', signal, limits)
    if (opened.kind !== 'opened') throw damaged()
    return {
      pages: opened.pages,
      measure: async (page) => {
        const measured = await ask(thread, requestOf(page, true), signal, limits)
        if (measured.kind !== 'measured') throw damaged()
        const { width, height, pixelsPerPoint } = measured
        return { width, height, scale: 1 / pixelsPerPoint }
      },
      read: async (page) => {
        const drawn = await ask(thread, requestOf(page, false), signal, limits)
        if (drawn.kind !== 'page') throw damaged()
        return pictureOf(drawn)
      },
      close: async () => void (await thread.terminate()),
    }
  } catch (error) {
    await thread.terminate()
    throw error
  }
}

function requestOf(page: number, measure: boolean): PdfRequest {
  return { page, pixelsPerPoint: PIXELS_PER_POINT, maxPixels: MAX_KEPT_PIXELS, measure }
}

function ask(thread: Worker, request: PdfRequest, signal: AbortSignal, limits: PdfLimits): Promise<PdfAnswer> {
  if (thread.threadId < 0) return Promise.reject(damaged())
  return new Promise((resolve, reject) => {
    const until = performance.now() + limits.milliseconds
    const bytesBefore = process.memoryUsage.rss()
    const settle = (answer: PdfAnswer | Failure): void => {
      clearInterval(watch)
      thread.off('message', settle)
      thread.off('error', broken)
      thread.off('exit', broken)
      if (answer instanceof Failure) reject(answer)
      else if (answer.kind === 'failed') reject(answer.why === 'password' ? locked() : damaged())
      else resolve(answer)
    }
    // A hostile file may crash the library: that ends the thread, not this process.
    const broken = (): void => settle(damaged())
    const watch = setInterval(() => {
      if (signal.aborted) settle(new Failure('cancelled', message('ocr-stopped')))
      else if (performance.now() > until) settle(tooMuch('time'))
      else if (process.memoryUsage.rss() - bytesBefore > limits.bytes) settle(tooMuch('memory'))
    }, LIMIT_CHECK_MILLISECONDS)
    thread.on('message', settle)
    thread.on('error', broken)
    thread.on('exit', broken)
    thread.postMessage(request)
  })
}

function pictureOf({ pixels, width, height, pixelsPerPoint }: Extract<PdfAnswer, { kind: 'page' }>): Picture {
  const rgb = new Uint8Array(3 * width * height)
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = pixels[from]!
    rgb[to + 1] = pixels[from + 1]!
    rgb[to + 2] = pixels[from + 2]!
  }
  return { pixels: rgb, width, height, scale: 1 / pixelsPerPoint }
}

function damaged(): Failure {
  return new Failure('invalid-input', message('ocr-pdf-damaged'))
}

function locked(): Failure {
  return new Failure('invalid-input', message('ocr-pdf-locked'))
}

function tooMuch(what: 'time' | 'memory'): Failure {
  return new Failure('invalid-input', message('ocr-pdf-page-too-much', { what }))
}
