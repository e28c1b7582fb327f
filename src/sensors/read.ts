/** Reads files and folders without hanging or guessing: a value that cannot be read, or takes too long, is absent. */
import { open, readdir, readFile } from 'node:fs/promises'

/** A driver answers a read of sysfs within a millisecond; one that takes longer than this is broken. */
const FILE_DEADLINE_MILLISECONDS = 1000

/** The promise's value; undefined when it rejects or takes longer. */
export function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      () => {
        clearTimeout(timer)
        resolve(undefined)
      },
    )
  })
}

/** A file's trimmed text, or undefined. */
export async function readText(path: string): Promise<string | undefined> {
  const text = await within(readFile(path, 'utf8'), FILE_DEADLINE_MILLISECONDS)
  return text?.trim()
}

/** A file that holds one number, or undefined. */
export async function readNumber(path: string): Promise<number | undefined> {
  const text = await readText(path)
  if (!text) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** The names in a folder in natural order (hwmon2 before hwmon10); none when it cannot be read. */
export async function listFolder(path: string): Promise<string[]> {
  const names = (await within(readdir(path), FILE_DEADLINE_MILLISECONDS)) ?? []
  return names.sort((left, right) => left.localeCompare(right, 'en', { numeric: true }))
}

/** Whether the file exists and this user may not read it. */
export async function isDenied(path: string): Promise<boolean> {
  const asked = open(path).then(
    async (file) => {
      await file.close()
      return ''
    },
    (error: NodeJS.ErrnoException) => error.code,
  )
  return /^(EACCES|EPERM)$/.test((await within(asked, FILE_DEADLINE_MILLISECONDS)) ?? '')
}
