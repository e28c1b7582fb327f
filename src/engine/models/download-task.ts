/** One download: its state, and its view for the screens. */
import { join } from 'node:path'
import type { Download } from '#shared/contract/models'
import type { CatalogueEntry, CatalogueFile } from '#shared/domain/catalogue'
import { toFailureValue, type FailureValue } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { FetchedFile } from './download-file'
import { createRateMeter, type RateMeter } from './download-rate'
import type { Request, Requests } from './download-requests'
import { diskFailure, hashFile } from './install'

export interface DownloadTask {
  entry: CatalogueEntry
  request: Request
  state: Download['state']
  bytesDone: number
  source: string | null
  beginsAnew: boolean
  meter: RateMeter
  /** aborted with 'pause', 'cancel' or 'stop' */
  control: AbortController
  running: Promise<void> | null
  /** monotonic milliseconds of the last event */
  reportedAt: number
}

/** `monotonic`: milliseconds since an arbitrary start. */
export function newTask(entry: CatalogueEntry, request: Request, monotonic: () => number): DownloadTask {
  return {
    entry,
    request,
    state: request.state === 'wanted' ? 'waiting' : request.state,
    bytesDone: 0,
    source: null,
    beginsAnew: false,
    meter: createRateMeter(monotonic),
    control: new AbortController(),
    running: null,
    reportedAt: 0,
  }
}

export function describeTask(task: DownloadTask): Download {
  const { entry, state, bytesDone, source, beginsAnew, request } = task
  const rate = state === 'fetching' ? task.meter.rate() : null
  const left = entry.bytes - bytesDone
  return {
    id: entry.id,
    name: entry.name,
    state,
    bytesDone,
    bytes: entry.bytes,
    bytesPerSecond: rate,
    secondsLeft: rate === null || rate <= 0 ? null : Math.ceil(left / rate),
    source,
    beginsAnew,
    failure: request.failure,
  }
}

/** A file that an earlier run fetched completely, with its hash checked again; null: the file must be fetched. */
export async function presentFile(
  requests: Requests,
  { entry, request }: DownloadTask,
  file: CatalogueFile,
): Promise<FetchedFile | null> {
  const [first] = file.sources
  if (first === undefined) return null
  const wanted = first.sha256 ?? request.hubHashes[file.path]
  const place = join(requests.folder(entry.id), 'files', file.path)
  if (wanted === undefined || (await hashFile(place)) !== wanted) return null
  return {
    path: file.path,
    bytes: first.bytes,
    sha256: wanted,
    hash: first.sha256 === null ? 'hub' : 'pinned',
    source: 'fetched before',
  }
}

/** Why a download failed. `folder`: where models lie. */
export function downloadFailure(entry: CatalogueEntry, error: unknown, folder: string): FailureValue {
  const value = toFailureValue(diskFailure(error, folder))
  if (value.code === 'data-folder') return value
  return {
    code: value.code,
    words: message('download-failed', { model: entry.name, reason: value.words, advice: value.words }),
  }
}
