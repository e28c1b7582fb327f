import { writeFileSync } from 'node:fs'
import { isDamage, toStorageFailure } from './database'

/** Stands beside a database in which damage was met: the next start checks the whole file. */
export function suspicionFile(file: string): string {
  return `${file}.suspect`
}

/** The same object, whose functions and generators throw a `Failure` where the disk or the file does not do its part, instead of SQLite's error. */
export function guarded<T extends object>(file: string, parts: T): T {
  const failure = (error: unknown): unknown => {
    if (isDamage(error)) suspect(file)
    return toStorageFailure(error, file) ?? error
  }
  function* guardSteps(steps: Generator): Generator {
    try {
      return (yield* steps) as unknown
    } catch (error) {
      throw failure(error)
    }
  }
  const guard = (value: unknown): unknown => {
    if (typeof value !== 'function') return value
    return (...parameters: unknown[]): unknown => {
      try {
        const result: unknown = value(...parameters)
        return isGenerator(result) ? guardSteps(result) : result
      } catch (error) {
        throw failure(error)
      }
    }
  }
  return Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, guard(value)])) as T
}

function isGenerator(value: unknown): value is Generator {
  return Object.prototype.toString.call(value) === '[object Generator]'
}

function suspect(file: string): void {
  try {
    writeFileSync(suspicionFile(file), '', { mode: 0o600 })
  } catch {
    // The failure itself is on its way to the person.
  }
}
