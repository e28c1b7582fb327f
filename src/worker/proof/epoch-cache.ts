/** Epochs prepared on a device: the two used last are kept, one in use stays until its use ends. */
import type { ProofContext } from '#shared/ipc/worker'

const KEPT_EPOCHS = 2

export interface EpochCache<T> {
  readonly busy: boolean
  /** Calls `work` with the epoch prepared, preparing it first if needed. What failed is prepared anew when it is asked for again. */
  with<R>(context: ProofContext, work: (ready: T) => Promise<R>): Promise<R>
  /** Lets go of every epoch that is not in use. */
  clear(): void
}

interface Entry<T> {
  key: string
  ready: Promise<T>
  users: number
}

/** `release` frees what `prepare` made; it is called once for each. */
export function createEpochCache<T>(parts: {
  prepare: (context: ProofContext) => Promise<T>
  release: (ready: T) => void
}): EpochCache<T> {
  /** used last comes last */
  const entries: Entry<T>[] = []
  /** of all entries, also those that are forgotten already */
  let users = 0

  const forget = (entry: Entry<T>): void => {
    entries.splice(entries.indexOf(entry), 1)
    entry.ready.then(parts.release, () => undefined)
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
    // before the next is made: the weights of the largest tier take 201 MB
    keepAtMost(KEPT_EPOCHS - 1)
    const entry: Entry<T> = { key, ready: parts.prepare(context), users: 0 }
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
      try {
        return await work(await entry.ready)
      } catch (error) {
        if (entries.includes(entry)) forget(entry)
        throw error
      } finally {
        entry.users--
        users--
        keepAtMost(KEPT_EPOCHS)
      }
    },
    clear: () => {
      for (const entry of entries.filter((unused) => unused.users === 0)) forget(entry)
    },
  }
}
