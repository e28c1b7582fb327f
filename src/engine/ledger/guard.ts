import { toStorageFailure } from './database'

/** The same object, whose functions throw a `Failure` where the disk or the file does not do its part, instead of SQLite's error. */
export function guarded<T extends object>(file: string, parts: T): T {
  const guard = (value: unknown): unknown => {
    if (typeof value !== 'function') return value
    return (...parameters: unknown[]): unknown => {
      try {
        return value(...parameters) as unknown
      } catch (error) {
        throw toStorageFailure(error, file) ?? error
      }
    }
  }
  return Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, guard(value)])) as T
}
