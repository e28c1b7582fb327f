import type { Picture } from './picture'

/** An open file of pages: a picture, a TIFF file of several pages, or a PDF file. */
export interface OcrDocument {
  pages: number
  /** Page `index`, from 0. Throws Failure 'invalid-input' when it is damaged or too large. */
  read(index: number): Promise<Picture>
  close(): Promise<void>
}
