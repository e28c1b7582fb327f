/** Appraises what was read of a file: its pages by their headers, its lines by their boxes on them. Nothing is decoded or drawn. */
import { ocrLine, type OcrInput, type OcrLine } from '#shared/domain/job'
import { z } from 'zod'
import { openDocument } from '../inference/ocr/open-document'
import { pageSizes } from '../inference/ocr/sizes'
import { wrong, type Appraisal, type Claim } from './appraisal'

const ocrLines = z.array(ocrLine)

/** Rejects with Failure `invalid-input` where the file cannot be read. */
export async function appraiseOcr(input: OcrInput, { output }: Claim, signal: AbortSignal): Promise<Appraisal> {
  const parsed = ocrLines.safeParse(output)
  if (!parsed.success) return wrong('The output is not what is read of a file.')
  const document = await openDocument(Buffer.from(input.image, 'base64'), signal)
  try {
    const pages = Array.from({ length: document.pages }, (): OcrLine[] => [])
    for (const line of parsed.data) {
      // Of a file with one page no line names its page.
      if ((line.page === undefined) !== (document.pages === 1)) return wrong('A line does not name its page.')
      const page = pages[(line.page ?? 1) - 1]
      if (!page) return wrong('A line stands on a page that the file does not have.')
      page.push(line)
    }
    const sizes = { kind: 'ocr' as const, detectionPixels: 0, recognitionColumns: 0 }
    for (const [index, lines] of pages.entries()) {
      const { detectionPixels, recognitionColumns } = pageSizes(await document.measure(index), lines)
      sizes.detectionPixels += detectionPixels
      sizes.recognitionColumns += recognitionColumns
    }
    return { state: 'derived', sizes }
  } finally {
    await document.close()
  }
}
