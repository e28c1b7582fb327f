/**
 * A thread that draws the pages of one PDF file and then ends. The file comes from a stranger, and a page can take any time
 * and memory. Plain Node.js runs this file without a build, so it imports packages only.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { PDFiumLibrary, type PDFiumDocument } from '@hyzyla/pdfium'

/** First 'open', then any number of pages, from 0. `measure`: their sizes alone, without drawing. */
export type PdfRequest = 'open' | { page: number; pixelsPerPoint: number; maxPixels: number; measure: boolean }
export type PdfAnswer =
  | { kind: 'opened'; pages: number }
  | { kind: 'measured'; width: number; height: number; pixelsPerPoint: number }
  /** `pixels`: red, green, blue, unused, row by row */
  | { kind: 'page'; pixels: Uint8Array; width: number; height: number; pixelsPerPoint: number }
  | { kind: 'failed'; why: 'password' | 'damaged' }

let document: PDFiumDocument | undefined

parentPort?.on('message', (request: PdfRequest) => {
  void (request === 'open' ? open() : draw(request))
    .catch((): PdfAnswer => ({ kind: 'failed', why: 'damaged' }))
    .then((answer) =>
      parentPort?.postMessage(answer, answer.kind === 'page' ? [answer.pixels.buffer as ArrayBuffer] : []),
    )
})

async function open(): Promise<PdfAnswer> {
  const library = await PDFiumLibrary.init()
  try {
    document = await library.loadDocument(workerData as Uint8Array)
  } catch (error) {
    const locked = error instanceof Error && /password|security/i.test(error.message)
    return { kind: 'failed', why: locked ? 'password' : 'damaged' }
  }
  return { kind: 'opened', pages: document.getPageCount() }
}

async function draw(request: Exclude<PdfRequest, 'open'>): Promise<PdfAnswer> {
  const page = document?.getPage(request.page)
  const { originalWidth: width = 0, originalHeight: height = 0 } = page?.getOriginalSize() ?? {}
  if (!page || !(width > 0) || !(height > 0)) return { kind: 'failed', why: 'damaged' }
  const pixelsPerPoint = Math.min(request.pixelsPerPoint, Math.sqrt(request.maxPixels / (width * height)))
  const size = { width: Math.ceil(width * pixelsPerPoint), height: Math.ceil(height * pixelsPerPoint) }
  if (request.measure) return { kind: 'measured', ...size, pixelsPerPoint }
  const drawn = await page.render({ ...size, scale: 1, renderFormFields: true })
  return { kind: 'page', pixels: drawn.data, width: drawn.width, height: drawn.height, pixelsPerPoint }
}
