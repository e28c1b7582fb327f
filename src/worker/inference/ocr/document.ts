/** A file of pages: a picture, a TIFF file of several, or a PDF file. */
import { Failure } from '#shared/domain/errors'
import { MAX_OCR_PAGES } from '#shared/domain/job'
import { fileKind } from './file-kind'
import { openPdf } from './pdf'
import { openPictures, type Picture } from './picture'

export interface OcrDocument {
  pages: number
  /** Page `index`, from 0. Throws Failure 'invalid-input' when it is damaged or too large. */
  read(index: number): Promise<Picture>
  close(): Promise<void>
}

/**
 * Opens a file by what its first bytes say it is; whoever opens it closes it. Throws Failure 'invalid-input' for what
 * cannot be read and for more than MAX_OCR_PAGES pages, before any of them is decoded.
 */
export async function openDocument(file: Uint8Array, signal: AbortSignal): Promise<OcrDocument> {
  const kind = fileKind(file)
  const document = kind === 'pdf' ? await openPdf(file, signal) : await openPictures(file, kind)
  if (document.pages >= 1 && document.pages <= MAX_OCR_PAGES) return document
  await document.close()
  if (document.pages < 1) throw new Failure('invalid-input', 'The file has no pages.', 'Choose another one.')
  throw new Failure(
    'invalid-input',
    `The file has ${document.pages} pages; at most ${MAX_OCR_PAGES} are read at once.`,
    'Cut it into parts.',
  )
}
