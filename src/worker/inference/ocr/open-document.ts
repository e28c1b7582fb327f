/** Opens a file of pages by its kind: a picture, a TIFF file of several pages, or a PDF file. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { MAX_OCR_PAGES } from '#shared/domain/job'
import type { OcrDocument } from './document'
import { fileKind } from './file-kind'
import { openPdf } from './pdf'
import { openPictures } from './picture-file'

/**
 * Opens a file by the kind that its first bytes tell; whoever opens it closes it. Throws Failure 'invalid-input' for a file
 * that cannot be read and for one of more than MAX_OCR_PAGES pages, before any page is decoded.
 */
export async function openDocument(file: Uint8Array, signal: AbortSignal): Promise<OcrDocument> {
  const kind = fileKind(file)
  const document = kind === 'pdf' ? await openPdf(file, signal) : await openPictures(file, kind)
  if (document.pages >= 1 && document.pages <= MAX_OCR_PAGES) return document
  await document.close()
  if (document.pages < 1) throw new Failure('invalid-input', message('ocr-no-pages'))
  throw new Failure('invalid-input', message('ocr-too-many-pages', { pages: document.pages, most: MAX_OCR_PAGES }))
}
