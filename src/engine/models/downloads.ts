/** Downloads of catalogue models: one after another, with progress, pause and cancel; they go on after a crash. */
import { join } from 'node:path'
import type { Download } from '#shared/contract/models'
import { hashOrigin, type Catalogue, type CatalogueEntry, type CatalogueFile } from '#shared/domain/catalogue'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { RigContext } from '../base'
import { entryOf } from './catalogue'
import { fetchFile, PERSISTENCE, type FetchedFile, type Persistence } from './download-file'
import { NEW_REQUEST, openRequests, type Request } from './download-requests'
import { describeTask, downloadFailure, newTask, presentFile, type DownloadTask } from './download-task'

export interface DownloadsOptions {
  /** of the model store, absolute */
  folder: string
  catalogue: Catalogue
  /** the folder of LODE_MODELS_FOLDER, or null */
  modelsFolder: string | null
  persistence?: Persistence
  /** puts a fetched model into the store; `files` lie in `folder`, which it may empty */
  install(entry: CatalogueEntry, folder: string, files: readonly FetchedFile[]): Promise<void>
  onChange(download: Download): void
}

export interface Downloads {
  /** Starts or continues a download, or joins one that is under way. Throws Failure `not-found` for an id that is not in the catalogue. */
  get(id: string): Promise<Download>
  /** Pauses a download; its bytes stay on the disk. Throws Failure `not-found` if no download has that id. */
  pause(id: string): Promise<Download>
  /** Cancels a download and removes its bytes. Does nothing if no download has that id. */
  cancel(id: string): Promise<void>
  list(): Download[]
  /** Reads the downloads that an earlier run left unfinished. */
  open(): Promise<void>
  /** Continues unfinished downloads; paused and failed ones stay so. */
  resume(): void
  /** Ends running downloads and leaves them for the next run. */
  stop(): Promise<void>
}

const EVENT_MILLISECONDS = 250

/** The downloads of one model store. Nothing is fetched before `open` and `resume`, or `get`. */
export function createDownloads(
  { clock, log }: Pick<RigContext, 'clock' | 'log'>,
  options: DownloadsOptions,
): Downloads {
  const { catalogue } = options
  const requests = openRequests(options.folder)
  const tasks = new Map<string, DownloadTask>()
  let queue: Promise<void> = Promise.resolve()
  let stopped = false

  const report = (task: DownloadTask): void => {
    task.reportedAt = clock.monotonic()
    options.onChange(describeTask(task))
  }
  const enter = (task: DownloadTask, state: Download['state']): void => {
    task.state = state
    report(task)
  }
  /** The task ends; a later request starts it again. */
  const rest = (task: DownloadTask, state: Download['state']): void => {
    task.running = null
    enter(task, state)
  }
  const progress = (task: DownloadTask, bytes: number, source: string, isKept: boolean): void => {
    task.bytesDone = bytes
    task.source = source
    task.beginsAnew = !isKept
    task.meter.add(bytes)
    if (clock.monotonic() - task.reportedAt >= EVENT_MILLISECONDS) report(task)
  }
  const save = async (task: DownloadTask, change: Partial<Request>): Promise<void> => {
    task.request = { ...task.request, ...change }
    await requests.save(task.entry.id, task.request)
  }

  /** Fetches every file of a model and installs it. Throws the error that stopped it. */
  const work = async (task: DownloadTask): Promise<void> => {
    const { entry } = task
    const { signal } = task.control
    signal.throwIfAborted()
    // Before the first await: pause and cancel must see that the task runs and wait for its end.
    enter(task, 'fetching')
    await requests.save(entry.id, task.request)
    const fetched: FetchedFile[] = []
    let before = 0
    for (const file of entry.files) {
      fetched.push(await oneFile(task, file, before))
      before += file.sources[0]?.bytes ?? 0
      task.bytesDone = before
    }
    signal.throwIfAborted()
    enter(task, 'installing')
    await options.install(entry, join(requests.folder(entry.id), 'files'), fetched)
    await requests.remove(entry.id)
    tasks.delete(entry.id)
    rest(task, 'done')
  }
  const oneFile = async (task: DownloadTask, file: CatalogueFile, before: number): Promise<FetchedFile> => {
    const { entry } = task
    const present = await presentFile(requests, task, file)
    if (present !== null) return present
    return fetchFile(file, {
      folder: requests.folder(entry.id),
      signal: task.control.signal,
      persistence: options.persistence ?? PERSISTENCE,
      modelsFolder: options.modelsFolder,
      hubHash: task.request.hubHashes[file.path] ?? null,
      onHubHash: (sha256) => {
        if (hashOrigin(entry) === 'pinned' || task.request.hubHashes[file.path] !== undefined) return
        task.request = { ...task.request, hubHashes: { ...task.request.hubHashes, [file.path]: sha256 } }
        requests
          .save(entry.id, task.request)
          .catch((error: unknown) => log.warn('a hash could not be kept', { error: String(error) }))
      },
      onProgress: (bytes, source, isKept) => {
        if (task.state === 'checking') enter(task, 'fetching')
        progress(task, before + bytes, source, isKept)
      },
      onChecking: () => enter(task, 'checking'),
      onSourceError: (source, message) =>
        log.warn('a source of a model gave nothing', { model: entry.id, source, message }),
    })
  }

  /** Runs a task to a final state. Never rejects. */
  const run = async (task: DownloadTask): Promise<void> => {
    try {
      await work(task)
      log.info('a model was fetched', { model: task.entry.id })
    } catch (error) {
      await conclude(task, error).catch((failure: unknown) => {
        log.error('the end of a download could not be kept', { model: task.entry.id, error: String(failure) })
        rest(task, 'failed')
      })
    }
  }
  const conclude = async (task: DownloadTask, error: unknown): Promise<void> => {
    const { id } = task.entry
    task.meter.reset()
    const asked = task.control.signal.aborted ? (task.control.signal.reason as unknown) : null
    if (asked === 'stop' || stopped) return
    if (asked === 'cancel') {
      tasks.delete(id)
      await requests.remove(id)
      return rest(task, 'cancelled')
    }
    if (asked === 'pause') {
      await save(task, { state: 'paused' })
      await countKept(task)
      return rest(task, 'paused')
    }
    const failure = downloadFailure(task.entry, error, options.folder)
    log.warn('a model could not be fetched', { model: id, ...failure })
    // Bytes are kept only where a later attempt can continue from them.
    if (failure.code !== 'unavailable') {
      await requests.remove(id)
      task.bytesDone = 0
    }
    task.request = { ...task.request, state: 'failed', failure }
    if (failure.code === 'unavailable') {
      await requests.save(id, task.request)
      await countKept(task)
    }
    rest(task, 'failed')
  }

  /** Counts the bytes that a later attempt continues from: those on the disk, none of a Python package. */
  const countKept = async (task: DownloadTask): Promise<void> => {
    const { id, files } = task.entry
    task.bytesDone = await requests.bytesOf(
      id,
      files.map(({ path }) => path),
    )
  }

  const begin = (task: DownloadTask): void => {
    const control = new AbortController()
    task.control = control
    task.request = { ...task.request, state: 'wanted', failure: null }
    enter(task, 'waiting')
    const turn = queue.then(() => (control.signal.aborted ? undefined : run(task)))
    task.running = turn
    queue = turn
  }
  const end = async (task: DownloadTask, reason: 'pause' | 'cancel'): Promise<void> => {
    task.control.abort(reason)
    if (task.state !== 'waiting') return void (await task.running)
    // The task still waits in the queue, so nothing has to be ended.
    task.running = null
    await conclude(task, reason)
  }
  const addTask = (entry: CatalogueEntry, request: Request): DownloadTask => {
    const task = newTask(entry, request, () => clock.monotonic())
    tasks.set(entry.id, task)
    return task
  }

  return {
    get: async (id) => {
      const entry = entryOf(catalogue, id)
      if (stopped) throw new Failure('unavailable', message('engine-stopping'))
      const task = tasks.get(id) ?? addTask(entry, NEW_REQUEST)
      if (task.running === null) begin(task)
      return describeTask(task)
    },
    pause: async (id) => {
      const task = tasks.get(id)
      if (!task) throw new Failure('not-found', message('download-not-there', { model: id }))
      if (task.state === 'installing')
        throw new Failure('conflict', message('download-installing', { model: task.entry.name }))
      if (task.running !== null) await end(task, 'pause')
      return describeTask(task)
    },
    cancel: async (id) => {
      const task = tasks.get(id)
      if (!task) return
      if (task.running !== null) return end(task, 'cancel')
      tasks.delete(id)
      await requests.remove(id)
      enter(task, 'cancelled')
    },
    list: () => [...tasks.values()].map(describeTask),
    open: async () => {
      for (const [id, request] of await requests.all()) {
        const entry = catalogue.models.find((one) => one.id === id)
        if (!entry) {
          await requests.remove(id)
          continue
        }
        const task = addTask(entry, request)
        await countKept(task)
      }
    },
    resume: () => {
      for (const task of tasks.values()) if (task.request.state === 'wanted' && task.running === null) begin(task)
    },
    stop: async () => {
      stopped = true
      // An installation under way is not waited for: the end of its process ends it.
      const installs = [...tasks.values()].some(({ state }) => state === 'installing')
      for (const { control } of tasks.values()) control.abort('stop')
      if (!installs) await queue
    },
  }
}
