/** One file over HTTPS: it continues where the connection broke. Only the hash proves the content. */
import { open, stat } from 'node:fs/promises'
import type { FileSource } from '#shared/domain/catalogue'
import { message, type Message } from '#shared/domain/messages'
import { SourceError } from './download-error'

export type HttpsSource = Extract<FileSource, { kind: 'https' }>

/** How long the rig waits for a server. */
export interface Patience {
  /** until it answers at all */
  answerMilliseconds: number
  /** between two pieces of the file */
  stallMilliseconds: number
  /** if another source follows, a slower transfer over `slowMilliseconds` is abandoned */
  slowBytesPerSecond: number
  slowMilliseconds: number
}
export const PATIENCE: Patience = {
  answerMilliseconds: 30_000,
  stallMilliseconds: 60_000,
  slowBytesPerSecond: 20_000,
  slowMilliseconds: 60_000,
}
const MAX_REDIRECTS = 6
const MAX_RETRY_AFTER_SECONDS = 60

export interface HttpsFetch {
  signal: AbortSignal
  patience: Patience
  /** whether a slow server may be left for another source */
  hasAlternative: boolean
  /** bytes of the file that are on the disk */
  onBytes(bytes: number): void
  /** the hash that the hub says its file has */
  onHubHash(sha256: string): void
}

/**
 * Fetches `source` into `part`, which may hold a beginning of it. Every byte is on the disk when it returns; nothing is
 * checked but the length. Throws SourceError, what the disk says (ENOSPC), or the signal's reason.
 */
export async function fetchHttps(source: HttpsSource, part: string, options: HttpsFetch): Promise<void> {
  const host = new URL(source.address).host
  const had = (await stat(part).catch(() => null))?.size ?? 0
  const from = had < source.bytes ? had : 0
  const given = new AbortController()
  const signal = AbortSignal.any([options.signal, given.signal])
  const abandon = (words: Message): void => given.abort(new SourceError('passing', words))
  try {
    const answered = setTimeout(() => abandon(message('source-silent', { host })), options.patience.answerMilliseconds)
    let response: Response
    try {
      response = await ask(source, from, signal, options)
    } finally {
      clearTimeout(answered)
    }
    const begin = await firstByte(response, source, from, host)
    await write(response, part, begin, { source, host, abandon, ...options })
  } catch (error) {
    options.signal.throwIfAborted()
    if (given.signal.aborted) throw given.signal.reason
    throw inWords(error, host)
  } finally {
    given.abort()
  }
}

/** Follows redirections by hand: every address must be HTTPS, and the hub's metadata is in the first answer. */
async function ask(
  source: HttpsSource,
  from: number,
  signal: AbortSignal,
  { onHubHash }: HttpsFetch,
): Promise<Response> {
  let address = source.address
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(address, {
      redirect: 'manual',
      signal,
      headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    })
    readHubMetadata(response, source, onHubHash)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    const next = new URL(location, address)
    if (next.protocol !== 'https:')
      throw new SourceError('refused', message('source-without-encryption', { host: new URL(address).host }))
    address = next.href
  }
  throw new SourceError('refused', message('source-redirects', { host: new URL(source.address).host }))
}

/** The hub names the commit and, for large files, the SHA-256 of what it serves. */
function readHubMetadata(response: Response, source: HttpsSource, onHubHash: HttpsFetch['onHubHash']): void {
  const host = new URL(source.address).host
  const commit = response.headers.get('x-repo-commit')
  if (commit !== null && commit !== source.revision)
    throw new SourceError(
      'refused',
      message('source-other-revision', { host, commit: commit.slice(0, 12), revision: source.revision.slice(0, 12) }),
    )
  const size = response.headers.get('x-linked-size')
  if (size !== null && Number(size) !== source.bytes)
    throw new SourceError('refused', message('source-file-bytes', { host, bytes: Number(size), wanted: source.bytes }))
  const hash = /^"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1]
  if (hash === undefined) return
  if (source.sha256 !== null && hash !== source.sha256)
    throw new SourceError('refused', message('source-other-file', { host }))
  onHubHash(hash)
}

/** Where the answer's body begins in the file. */
async function firstByte(response: Response, source: HttpsSource, from: number, host: string): Promise<number> {
  const refuse = async (error: SourceError): Promise<never> => {
    await response.body?.cancel()
    throw error
  }
  const { status } = response
  if (status === 429 || status >= 500) {
    const seconds = Number(response.headers.get('retry-after') ?? '')
    const patience = seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) * 1000 : null
    return refuse(new SourceError('passing', message('source-busy', { host, status: String(status) }), patience))
  }
  if (status !== 200 && status !== 206)
    return refuse(new SourceError('refused', message('source-does-not-give', { host, status: String(status) })))
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? ''))
    return refuse(new SourceError('refused', message('source-web-page', { host })))
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '')
  // A server that ignores ranges answers with the whole file.
  const begin = status === 206 && range ? Number(range[1]) : 0
  if (begin !== 0 && begin !== from) return refuse(new SourceError('refused', message('source-other-part', { host })))
  const length = response.headers.get('content-length')
  if (length !== null && begin + Number(length) !== source.bytes)
    return refuse(
      new SourceError(
        'refused',
        message('source-file-bytes', { host, bytes: begin + Number(length), wanted: source.bytes }),
      ),
    )
  return begin
}

async function write(
  response: Response,
  part: string,
  begin: number,
  {
    source,
    host,
    abandon,
    patience,
    hasAlternative,
    onBytes,
  }: HttpsFetch & { source: HttpsSource; host: string; abandon: (words: Message) => void },
): Promise<void> {
  const file = await open(part, begin === 0 ? 'w' : 'r+')
  const stalled = setTimeout(() => abandon(message('source-went-silent', { host })), patience.stallMilliseconds)
  let done = begin
  let windowBegan = performance.now()
  let windowBytes = 0
  try {
    onBytes(done)
    if (response.body === null) throw new SourceError('passing', message('source-nothing', { host }))
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      stalled.refresh()
      if (done + chunk.length > source.bytes)
        throw new SourceError('refused', message('source-gives-more', { host, bytes: source.bytes }))
      let written = 0
      while (written < chunk.length)
        written += (await file.write(chunk, written, chunk.length - written, done + written)).bytesWritten
      done += chunk.length
      windowBytes += chunk.length
      onBytes(done)
      const elapsed = performance.now() - windowBegan
      if (elapsed < patience.slowMilliseconds) continue
      if (hasAlternative && windowBytes / elapsed < patience.slowBytesPerSecond / 1000)
        throw new SourceError('passing', message('source-slow', { host }))
      windowBegan = performance.now()
      windowBytes = 0
    }
    if (done < source.bytes)
      throw new SourceError('passing', message('source-broke-off', { host, done, bytes: source.bytes }))
  } finally {
    clearTimeout(stalled)
    // The bytes stay on the disk if the connection broke; a full disk has already thrown at the write.
    await file.sync().catch(() => undefined)
    await file.close()
  }
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS|ERR_SSL/
const DISK_CODES = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EIO']

/** Turns errors of the network into SourceErrors. Errors of the disk are passed on. */
function inWords(error: unknown, host: string): unknown {
  if (error instanceof SourceError) return error
  const code = codeOf(error)
  if (code !== null && DISK_CODES.includes(code)) return error
  if (code !== null && CERTIFICATE_CODES.test(code))
    return new SourceError('refused', message('source-certificate', { host, code }))
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new SourceError('passing', message('source-not-found', { host }))
  return new SourceError(
    'passing',
    code === null ? message('source-not-reached', { host }) : message('source-not-reached-code', { host, code }),
  )
}

/** fetch wraps the socket's error once or twice. */
function codeOf(error: unknown): string | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const { code } = one as NodeJS.ErrnoException
    if (typeof code === 'string') return code
    if (one instanceof AggregateError && one.errors[0] instanceof Error) return codeOf(one.errors[0])
  }
  return null
}
