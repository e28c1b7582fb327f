/** Epochs prepared on a device. The two most recently used are kept; an epoch in use stays until its use ends. */
import { Failure } from '#shared/domain/errors'
import type { ProofContext } from '#shared/ipc/worker'

const KEPT_EPOCHS = 2

export interface EpochCache<T> {
  readonly busy: boolean
  /**
   * Prepares the epoch if needed and calls `work` with it. An epoch whose preparation or work failed is prepared anew the
   * next time; cancelled work says nothing against its epoch.
   */
  with<R>(context: ProofContext, work: (ready: T) => Promise<R>): Promise<R>
  /** Releases every epoch that is not in use. */
  clear(): void
}

interface Entry<T> {
  key: string
  ready: Promise<T>
  users: number
  /** it is in the list no more, and released when its last use ends */
  forgotten: boolean
}

/** `prepare` may throw. `release` frees what `prepare` made; it is called once for each. */
export function createEpochCache<T>(parts: {
  prepare: (context: ProofContext) => Promise<T>
  release: (ready: T) => void
}): EpochCache<T> {
  /** the most recently used is last */
  const entries: Entry<T>[] = []
  /** users of all entries, including those that are forgotten already */
  let users = 0

  const forget = (entry: Entry<T>): void => {
    entries.splice(entries.indexOf(entry), 1)
    entry.forgotten = true
    releaseUnused(entry)
  }
  const releaseUnused = (entry: Entry<T>): void => {
    if (entry.forgotten && entry.users === 0) entry.ready.then(parts.release, () => undefined)
  }
  const keepAtMost = (count: number): void => {
    while (entries.length > count) {
      const unused = entries.find((entry) => entry.users === 0)
      if (!unused) return
      forget(unused)
    }
  }
  const entryOf = (context: ProofContext): Entry<T> => {
    const key = `${context.tier} ${context.epochSeed}`
    const known = entries.find((entry) => entry.key === key)
    if (known) {
      entries.push(...entries.splice(entries.indexOf(known), 1))
      return known
    }
    // Release before preparing the next epoch: the weights of the largest tier take 201 MB.
    keepAtMost(KEPT_EPOCHS - 1)
    const entry: Entry<T> = { key, ready: parts.prepare(context), users: 0, forgotten: false }
    entries.push(entry)
    return entry
  }

  return {
    get busy() {
      return users > 0
    },
    with: async (context, work) => {
      const entry = entryOf(context)
      entry.users++
      users++
      let isPrepared = false
      try {
        const ready = await entry.ready
        isPrepared = true
        return await work(ready)
      } catch (error) {
        const isCancelled = error instanceof Failure && error.code === 'cancelled'
        if (!entry.forgotten && !(isPrepared && isCancelled)) forget(entry)
        throw error
      } finally {
        entry.users--
        users--
        releaseUnused(entry)
        keepAtMost(KEPT_EPOCHS)
      }
    },
    clear: () => {
      for (const entry of entries.filter((unused) => unused.users === 0)) forget(entry)
    },
  }
}
