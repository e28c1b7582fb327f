import { writeFileSync } from 'node:fs'
import { isDamage, toStorageFailure } from './database'

/** The marker file beside a database in which damage was found: the next start then checks the whole file. */
export function suspicionFile(file: string): string {
  return `${file}.suspect`
}

/** The same object, with functions and generators that throw a `Failure` instead of SQLite's error when the disk or the file fails. */
export function guarded<T extends object>(file: string, target: T): T {
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
  return Object.fromEntries(Object.entries(target).map(([key, value]) => [key, guard(value)])) as T
}

function isGenerator(value: unknown): value is Generator {
  return Object.prototype.toString.call(value) === '[object Generator]'
}

function suspect(file: string): void {
  try {
    writeFileSync(suspicionFile(file), '', { mode: 0o600 })
  } catch {
    // The marker could not be written; the failure itself is thrown anyway.
  }
}
