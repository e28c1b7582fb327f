/** The lock of a data folder, so that only one engine runs in it: an exclusive lock on engine.lock that the operating system drops when the process dies. */
import Database from 'better-sqlite3'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { isBusy, toStorageFailure } from './database'
import type { EngineLock } from './types'

/** Makes the folder (mode 0700) when absent. Throws `data-folder`. */
export function ensureFolder(folder: string): void {
  try {
    makeFolder(folder)
  } catch (error) {
    throw toStorageFailure(error, folder) ?? error
  }
}

/** Not `mkdirSync` with `recursive`: that function tries forever if the system says ENOENT although the parent exists, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return
  const parent = dirname(folder)
  if (parent !== folder && !existsSync(parent)) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another start may have made it a moment ago.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error
  }
}

/** Locks the data folder for this process. Throws Failure `already-running`, with the other engine's process id if engine.json has it, or `data-folder`. */
export function acquireEngineLock(folder: string): EngineLock {
  ensureFolder(folder)
  const file = join(folder, 'engine.lock')
  let db: Database.Database | undefined
  try {
    closeSync(openSync(file, 'a', 0o600))
    db = new Database(file, { timeout: 0 })
    // Nothing is written into this file: the open transaction is the lock.
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    if (isBusy(error)) throw alreadyRunning(folder)
    throw toStorageFailure(error, file) ?? error
  }
  const held = db
  return {
    release() {
      held.close()
    },
  }
}

const engineFile = z.object({ pid: z.number().int().positive() })

function alreadyRunning(folder: string): Failure {
  let pid: number | null = null
  try {
    const parsed = engineFile.safeParse(JSON.parse(readFileSync(join(folder, 'engine.json'), 'utf8')))
    if (parsed.success) pid = parsed.data.pid
  } catch {
    // The other engine may not have written engine.json yet; its lock alone shows that it runs.
  }
  return new Failure(
    'already-running',
    pid === null
      ? message('engine-runs-already', { folder })
      : message('engine-runs-already-as', { folder, process: String(pid) }),
  )
}
