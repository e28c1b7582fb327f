/**
 * Models in the memory of this process, of all kinds together. They stay for as long as memory allows; the one used
 * longest ago makes room for the next, and what nobody used for a while goes by itself.
 */
import { Failure } from '#shared/domain/errors'
import type { LoadedModel, InstalledModel } from '#shared/domain/model-stages'

/** A model that nobody used for this long is let go: the person's programs may want the memory. */
const IDLE_MILLISECONDS = 10 * 60_000

/** A loaded model, with everything that decides how it is loaded. */
export interface ModelKey extends LoadedModel {
  id: string
}

export function modelKey({ card, folder, hash }: InstalledModel, threads: number): ModelKey {
  return {
    id: JSON.stringify([hash, card.context, card.macFormula, folder, threads]),
    hash,
    bytes: card.files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

export interface Residency {
  /** Bytes that models may take together; those in use stay even beyond it. */
  setLimit(bytes: number): void
  /** the one used last at the end */
  loaded(): LoadedModel[]
  /** Lets go of what nobody used for ten minutes. */
  evictIdle(): void
  /** Lets go of everything that is not in use. Returns how many. */
  evictUnused(): Promise<number>
  /** see ModelCache */
  use<T, R>(key: ModelKey, load: () => Promise<T>, dispose: Dispose<T>, work: (loaded: T) => Promise<R>): Promise<R>
}
type Dispose<T> = (loaded: T) => Promise<void>

export interface ModelCache<T> {
  /** Runs `work` with the loaded model; loads it first when it is not at hand. It is not disposed while in use. */
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
export function createResidency(now: () => number): Residency {
  let limit = Infinity
  /** used last comes last */
  const entries: Entry[] = []

  const evict = async (entry: Entry): Promise<void> => {
    entries.splice(entries.indexOf(entry), 1)
    // One that could not be loaded has nothing to let go of.
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
        // Once more with the memory of the others.
        if (!isOutOfMemory(error) || (await evictWhere(() => true)) === 0) throw error
        return load()
      }
    }
    // Once it stands among the others, so that the room is for it too.
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
        // The same weights for another number of threads are of no more use.
        await evictWhere((other) => other.key.hash === key.hash && other !== entry)
        await makeRoom()
      }
    },
  }
}

/** Of this process. */
export const residency: Residency = createResidency(() => performance.now())

/** The models of one kind among all. A load that fails is not kept. */
export function createModelCache<T>(dispose: Dispose<T>, among: Residency = residency): ModelCache<T> {
  return { use: (key, load, work) => among.use(key, load, dispose, work) }
}

/** What onnxruntime, V8 and the system say when there is no memory left. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof Failure && error.code === 'out-of-memory') return true
  const message = error instanceof Error ? error.message : String(error)
  return /bad.?alloc|failed to allocate|allocation failed|out of memory|cannot allocate|not enough memory/i.test(
    message,
  )
}

/** Runs a job; one that ran out of memory fails with a sentence, and everything that is not in use is let go of. */
export async function guardMemory<R>(model: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    await residency.evictUnused()
    if (error instanceof Failure) throw error
    throw new Failure(
      'out-of-memory',
      `the memory ran out while ${model} computed this job`,
      'Close other programs, give a smaller input, or choose a smaller model.',
    )
  }
}
