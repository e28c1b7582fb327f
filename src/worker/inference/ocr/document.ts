import type { PageSize, Picture } from './picture'

/** An open file of pages: a picture, a TIFF file of several pages, or a PDF file. */
export interface OcrDocument {
  pages: number
  /** What page `index`, from 0, measures. It is not decoded. Throws as `read`, as far as the file's headers show it. */
  measure(index: number): Promise<PageSize>
  /** Page `index`, from 0. Throws Failure 'invalid-input' when it is damaged or too large. */
  read(index: number): Promise<Picture>
  close(): Promise<void>
}
