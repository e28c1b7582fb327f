/** Downloads of catalogue models: one after another, with progress, pause and cancel; they go on after a crash. */
import { join } from 'node:path'
import type { Download } from '#shared/contract/models'
import { hashOrigin, type Catalogue, type CatalogueEntry, type CatalogueFile } from '#shared/domain/catalogue'
import { Failure, toFailureValue, type FailureValue } from '#shared/domain/errors'
import type { Clock } from '#process/supervisor'
import type { Log } from '../base'
import { entryOf } from './catalogue'
import { diskFailure, hashFile } from './install'
import { fetchFile, PERSISTENCE, type FetchedFile, type Persistence } from './download-file'
import { createRateMeter, type RateMeter } from './download-rate'
import { NEW_REQUEST, openRequests, type Request, type Requests } from './download-requests'

export interface DownloadParts {
  /** of the model store, absolute */
  folder: string
  catalogue: Catalogue
  clock: Clock
  log: Log
  /** the folder of LODE_MODELS_FOLDER, or null */
  modelsFolder: string | null
  persistence?: Persistence
  /** puts a fetched model into the store; `files` lie in `folder`, which it may empty */
  install(entry: CatalogueEntry, folder: string, files: readonly FetchedFile[]): Promise<void>
  onChange(download: Download): void
}

export interface Downloads {
  /** Begins, goes on, or joins what is under way. Throws `not-found` for what is not in the catalogue. */
  get(id: string): Promise<Download>
  /** What came is kept. Throws `not-found` where nothing of that id is fetched. */
  pause(id: string): Promise<Download>
  /** Removes what came. Nothing happens where there is none. */
  cancel(id: string): Promise<void>
  list(): Download[]
  /** Lists what an earlier run left. */
  open(): Promise<void>
  /** Goes on with what is wanted and was left; what was paused or failed stays so. */
  resume(): void
  /** Ends what is under way and leaves it for the next run. */
  stop(): Promise<void>
}

const EVENT_MILLISECONDS = 250

interface Job {
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
  told: number
}

export function createDownloads(parts: DownloadParts): Downloads {
  const { catalogue, clock, log } = parts
  const requests = openRequests(parts.folder)
  const jobs = new Map<string, Job>()
  let queue: Promise<void> = Promise.resolve()
  let stopped = false

  const describe = (job: Job): Download => {
    const rate = job.state === 'fetching' ? job.meter.rate() : null
    const left = job.entry.bytes - job.bytesDone
    return {
      id: job.entry.id,
      name: job.entry.name,
      state: job.state,
      bytesDone: job.bytesDone,
      bytes: job.entry.bytes,
      bytesPerSecond: rate,
      secondsLeft: rate === null || rate <= 0 ? null : Math.ceil(left / rate),
      source: job.source,
      beginsAnew: job.beginsAnew,
      failure: job.request.failure,
    }
  }
  const tell = (job: Job): void => {
    job.told = clock.monotonic()
    parts.onChange(describe(job))
  }
  const enter = (job: Job, state: Download['state']): void => {
    job.state = state
    tell(job)
  }
  /** Its work is over: what is asked of it from now on begins anew. */
  const rest = (job: Job, state: Download['state']): void => {
    job.running = null
    enter(job, state)
  }
  const progress = (job: Job, bytes: number, source: string, isKept: boolean): void => {
    job.bytesDone = bytes
    job.source = source
    job.beginsAnew = !isKept
    job.meter.add(bytes)
    if (clock.monotonic() - job.told >= EVENT_MILLISECONDS) tell(job)
  }
  const save = async (job: Job, change: Partial<Request>): Promise<void> => {
    job.request = { ...job.request, ...change }
    await requests.save(job.entry.id, job.request)
  }

  /** Fetches every file, then installs. Throws what stopped it. */
  const work = async (job: Job): Promise<void> => {
    const { entry } = job
    const { signal } = job.control
    signal.throwIfAborted()
    // At once: what is asked of it from now on must wait for its end.
    enter(job, 'fetching')
    await requests.save(entry.id, job.request)
    const fetched: FetchedFile[] = []
    let before = 0
    for (const file of entry.files) {
      fetched.push(await oneFile(job, file, before))
      before += file.sources[0]?.bytes ?? 0
      job.bytesDone = before
    }
    signal.throwIfAborted()
    enter(job, 'installing')
    await parts.install(entry, join(requests.folder(entry.id), 'files'), fetched)
    await requests.remove(entry.id)
    jobs.delete(entry.id)
    rest(job, 'done')
  }
  const oneFile = async (job: Job, file: CatalogueFile, before: number): Promise<FetchedFile> => {
    const { entry } = job
    const present = await presentFile(requests, entry.id, file, job.request)
    if (present !== null) return present
    return fetchFile(file, {
      folder: requests.folder(entry.id),
      signal: job.control.signal,
      persistence: parts.persistence ?? PERSISTENCE,
      modelsFolder: parts.modelsFolder,
      hubHash: job.request.hubHashes[file.path] ?? null,
      onHubHash: (sha256) => {
        if (hashOrigin(entry) === 'pinned' || job.request.hubHashes[file.path] !== undefined) return
        job.request = { ...job.request, hubHashes: { ...job.request.hubHashes, [file.path]: sha256 } }
        requests
          .save(entry.id, job.request)
          .catch((error: unknown) => log.warn('a hash could not be kept', { error: String(error) }))
      },
      onProgress: (bytes, source, isKept) => {
        if (job.state === 'checking') enter(job, 'fetching')
        progress(job, before + bytes, source, isKept)
      },
      onChecking: () => enter(job, 'checking'),
      onSourceError: (source, message) =>
        log.warn('a source of a model gave nothing', { model: entry.id, source, message }),
    })
  }

  /** Whatever ends the work becomes a state. Never rejects. */
  const run = async (job: Job): Promise<void> => {
    try {
      await work(job)
      log.info('a model was fetched', { model: job.entry.id })
    } catch (error) {
      await conclude(job, error).catch((failure: unknown) => {
        log.error('the end of a download could not be kept', { model: job.entry.id, error: String(failure) })
        rest(job, 'failed')
      })
    }
  }
  const conclude = async (job: Job, error: unknown): Promise<void> => {
    const { id } = job.entry
    job.meter.reset()
    const asked = job.control.signal.aborted ? (job.control.signal.reason as unknown) : null
    if (asked === 'stop' || stopped) return
    if (asked === 'cancel') {
      jobs.delete(id)
      await requests.remove(id)
      return rest(job, 'cancelled')
    }
    if (asked === 'pause') {
      await save(job, { state: 'paused' })
      await countKept(job)
      return rest(job, 'paused')
    }
    const failure = inWords(job.entry, error, parts.folder)
    log.warn('a model could not be fetched', { model: id, ...failure })
    // Only what going on can use is kept.
    if (failure.code !== 'unavailable') {
      await requests.remove(id)
      job.bytesDone = 0
    }
    job.request = { ...job.request, state: 'failed', failure }
    if (failure.code === 'unavailable') {
      await requests.save(id, job.request)
      await countKept(job)
    }
    rest(job, 'failed')
  }

  /** What lies on the disk is what going on can use: of a package that comes whole or not at all, nothing. */
  const countKept = async (job: Job): Promise<void> => {
    const { id, files } = job.entry
    job.bytesDone = await requests.bytesOf(
      id,
      files.map(({ path }) => path),
    )
  }

  const begin = (job: Job): void => {
    const control = new AbortController()
    job.control = control
    job.request = { ...job.request, state: 'wanted', failure: null }
    enter(job, 'waiting')
    const turn = queue.then(() => (control.signal.aborted ? undefined : run(job)))
    job.running = turn
    queue = turn
  }
  const end = async (job: Job, reason: 'pause' | 'cancel'): Promise<void> => {
    job.control.abort(reason)
    if (job.state !== 'waiting') return void (await job.running)
    // Its turn has not come: nothing has to end.
    job.running = null
    await conclude(job, reason)
  }
  const newJob = (entry: CatalogueEntry, request: Request): Job => {
    const job: Job = {
      entry,
      request,
      state: request.state === 'wanted' ? 'waiting' : request.state,
      bytesDone: 0,
      source: null,
      beginsAnew: false,
      meter: createRateMeter(() => clock.monotonic()),
      control: new AbortController(),
      running: null,
      told: 0,
    }
    jobs.set(entry.id, job)
    return job
  }

  return {
    get: async (id) => {
      const entry = entryOf(catalogue, id)
      if (stopped) throw new Failure('unavailable', 'the engine is stopping', 'Start it again.')
      const job = jobs.get(id) ?? newJob(entry, NEW_REQUEST)
      if (job.running === null) begin(job)
      return describe(job)
    },
    pause: async (id) => {
      const job = jobs.get(id)
      if (!job) throw new Failure('not-found', `${id} is not being fetched`, 'Nothing is to be paused.')
      if (job.state === 'installing')
        throw new Failure('conflict', `${job.entry.name} is being installed`, 'Wait a moment.')
      if (job.running !== null) await end(job, 'pause')
      return describe(job)
    },
    cancel: async (id) => {
      const job = jobs.get(id)
      if (!job) return
      if (job.running !== null) return end(job, 'cancel')
      jobs.delete(id)
      await requests.remove(id)
      enter(job, 'cancelled')
    },
    list: () => [...jobs.values()].map(describe),
    open: async () => {
      for (const [id, request] of await requests.all()) {
        const entry = catalogue.models.find((one) => one.id === id)
        if (!entry) {
          await requests.remove(id)
          continue
        }
        const job = newJob(entry, request)
        await countKept(job)
      }
    },
    resume: () => {
      for (const job of jobs.values()) if (job.request.state === 'wanted' && job.running === null) begin(job)
    },
    stop: async () => {
      stopped = true
      // What is being installed ends with the process that does it.
      const installs = [...jobs.values()].some(({ state }) => state === 'installing')
      for (const { control } of jobs.values()) control.abort('stop')
      if (!installs) await queue
    },
  }
}

/** A file that an earlier run fetched and put into place, checked again; null where it must be fetched. */
async function presentFile(
  requests: Requests,
  id: string,
  file: CatalogueFile,
  request: Request,
): Promise<FetchedFile | null> {
  const [first] = file.sources
  if (first === undefined) return null
  const wanted = first.sha256 ?? request.hubHashes[file.path]
  if (wanted === undefined || (await hashFile(join(requests.folder(id), 'files', file.path))) !== wanted) return null
  return {
    path: file.path,
    bytes: first.bytes,
    sha256: wanted,
    hash: first.sha256 === null ? 'hub' : 'pinned',
    source: 'fetched before',
  }
}

function inWords(entry: CatalogueEntry, error: unknown, folder: string): FailureValue {
  const known = diskFailure(error, folder)
  const value = toFailureValue(known)
  return value.code === 'data-folder' ? value : { ...value, message: `${entry.name} was not fetched: ${value.message}` }
}
