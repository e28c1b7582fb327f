import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'

export type FileKind = 'png' | 'jpeg' | 'webp' | 'tiff' | 'gif' | 'avif' | 'pdf'

/** Readers of PDF accept a header that is not at the beginning. */
const PDF_HEADER_WITHIN_BYTES = 1024
const AVIF_BRANDS = new Set(['avif', 'avis', 'mif1', 'heic', 'heix'])

/**
 * The kind of a file by its first bytes, so that no decoder sees a file of a kind that Lode does not read.
 * Throws Failure 'invalid-input' for every other kind.
 */
export function fileKind(file: Uint8Array): FileKind {
  const text = (from: number, to: number): string => Buffer.from(file.subarray(from, to)).toString('latin1')
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg'
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp'
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(text(0, 4))) return 'tiff'
  if (['GIF87a', 'GIF89a'].includes(text(0, 6))) return 'gif'
  if (text(4, 8) === 'ftyp' && AVIF_BRANDS.has(text(8, 12))) return 'avif'
  if (text(0, PDF_HEADER_WITHIN_BYTES).includes('%PDF-')) return 'pdf'
  throw new Failure('invalid-input', message('ocr-not-readable'))
}
