/**
 * The model cache: models in the memory of this process, of all kinds together. A model stays as long as memory allows. The
 * least recently used model is evicted for the next one, and a model that was idle for a while is evicted by itself.
 */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { LoadedModel, InstalledModel } from '#shared/domain/model-stages'

/** A model that is idle for this long is evicted: the person's programs may need the memory. */
const IDLE_MILLISECONDS = 10 * 60_000

/** A loaded model, with everything that decides how it is loaded. */
export interface ModelKey extends LoadedModel {
  id: string
}

export function modelKey({ manifest, folder, hash }: InstalledModel, threads: number): ModelKey {
  return {
    id: JSON.stringify([hash, manifest.context, manifest.macFormula, folder, threads]),
    hash,
    bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

export interface ModelCache {
  /** Sets the bytes that all models may take together; models in use stay even beyond the limit. */
  setLimit(bytes: number): void
  /** the most recently used is last */
  loaded(): LoadedModel[]
  /** Evicts the models that nobody used for ten minutes. */
  evictIdle(): void
  /** Evicts every model that is not in use. Returns how many. */
  evictUnused(): Promise<number>
  /** see KindModelCache */
  use<T, R>(key: ModelKey, load: () => Promise<T>, dispose: Dispose<T>, work: (loaded: T) => Promise<R>): Promise<R>
}
type Dispose<T> = (loaded: T) => Promise<void>

export interface KindModelCache<T> {
  /** Runs `work` with the model, loading it first if needed. The model is not disposed while it is in use. */
  use<R>(key: ModelKey, load: () => Promise<T>, work: (loaded: T) => Promise<R>): Promise<R>
}

interface Entry {
  key: ModelKey
  loaded: Promise<unknown>
  dispose: () => Promise<void>
  users: number
  usedAt: number
}

/** `now`: monotonic milliseconds. */
export function createModelCache(now: () => number): ModelCache {
  let limit = Infinity
  /** the most recently used is last */
  const entries: Entry[] = []

  const evict = async (entry: Entry): Promise<void> => {
    entries.splice(entries.indexOf(entry), 1)
    // A model that could not be loaded has nothing to dispose.
    await entry.dispose().catch(() => undefined)
  }
  const evictWhere = async (isUnwanted: (entry: Entry) => boolean): Promise<number> => {
    const unwanted = entries.filter((entry) => entry.users === 0 && isUnwanted(entry))
    await Promise.all(unwanted.map(evict))
    return unwanted.length
  }
  const makeRoom = async (): Promise<void> => {
    const taken = (): number => entries.reduce((sum, { key }) => sum + key.bytes, 0)
    while (taken() > limit) {
      const oldest = entries.find((entry) => entry.users === 0)
      if (oldest === undefined) return
      await evict(oldest)
    }
  }

  const add = <T>(key: ModelKey, load: () => Promise<T>, dispose: Dispose<T>): Entry => {
    const open = async (): Promise<T> => {
      await makeRoom()
      try {
        return await load()
      } catch (error) {
        // The second try has the memory of the evicted models.
        if (!isOutOfMemory(error) || (await evictWhere(() => true)) === 0) throw error
        return load()
      }
    }
    // Opens after the entry is in `entries`, so that makeRoom counts it.
    const loaded = Promise.resolve().then(open)
    return { key, loaded, dispose: async () => dispose(await loaded), users: 1, usedAt: now() }
  }

  return {
    setLimit: (bytes) => {
      limit = bytes
    },
    loaded: () => entries.map(({ key: { hash, bytes } }) => ({ hash, bytes })),
    evictIdle: () => void evictWhere(({ usedAt }) => now() - usedAt >= IDLE_MILLISECONDS),
    evictUnused: () => evictWhere(() => true),
    use: async (key, load, dispose, work) => {
      const known = entries.find((entry) => entry.key.id === key.id)
      if (known !== undefined) {
        known.users++
        entries.splice(entries.indexOf(known), 1)
      }
      const entry = known ?? add(key, load, dispose)
      entries.push(entry)
      let isLoaded = false
      try {
        const model = (await entry.loaded) as Parameters<typeof work>[0]
        isLoaded = true
        return await work(model)
      } finally {
        entry.users--
        entry.usedAt = now()
        const index = entries.indexOf(entry)
        if (!isLoaded && index >= 0) entries.splice(index, 1)
        // The same weights for another number of threads are not needed any more.
        await evictWhere((other) => other.key.hash === key.hash && other !== entry)
        await makeRoom()
      }
    },
  }
}

/** The model cache of this process. */
export const modelCache: ModelCache = createModelCache(() => performance.now())

/** A view of the model cache for one kind of model. A load that fails is not kept. */
export function createKindModelCache<T>(dispose: Dispose<T>, among: ModelCache = modelCache): KindModelCache<T> {
  return { use: (key, load, work) => among.use(key, load, dispose, work) }
}

/** Whether an error of onnxruntime, V8 or the system says that there is no memory left. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof Failure && error.code === 'out-of-memory') return true
  const message = error instanceof Error ? error.message : String(error)
  return /bad.?alloc|failed to allocate|allocation failed|out of memory|cannot allocate|not enough memory/i.test(
    message,
  )
}

/** Runs a job. When memory runs out, every model that is not in use is evicted, and the job fails with `out-of-memory`. */
export async function guardMemory<R>(model: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    await modelCache.evictUnused()
    if (error instanceof Failure) throw error
    throw new Failure('out-of-memory', message('job-memory-ran-out', { model }))
  }
}
