/** network.db: opened, migrated, checked; a damaged file is moved aside as corrupt and never deleted. */
import Database from 'better-sqlite3'
import { closeSync, existsSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import migration0001 from './migrations/0001-network.sql?raw'
import migration0002 from './migrations/0002-deadlines.sql?raw'
import migration0003 from './migrations/0003-leases.sql?raw'
import migration0004 from './migrations/0004-suspensions.sql?raw'
import migration0005 from './migrations/0005-epoch-secrets.sql?raw'
import migration0006 from './migrations/0006-models.sql?raw'
import migration0007 from './migrations/0007-adversaries.sql?raw'
import migration0008 from './migrations/0008-deliveries.sql?raw'

export type NetworkDatabase = Database.Database

/** Append only: a migration's number is the version it leads to. */
const MIGRATIONS: readonly string[] = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
  migration0006,
  migration0007,
  migration0008,
]
/** "LodN", so that another program's database is not taken for ours */
const APPLICATION_ID = 0x4c6f644e

/**
 * Opens or creates `network.db` in `folder`. `movedAside`: the new name of a damaged file. Throws Failure
 * `ledger-newer` for a file from a newer version, `data-folder` when the folder cannot be written.
 */
export function openNetworkDatabase(
  folder: string,
  now: number,
): { database: NetworkDatabase; movedAside: string | undefined } {
  const file = join(folder, 'network.db')
  try {
    try {
      return { database: openSound(file), movedAside: undefined }
    } catch (error) {
      if (!isDamage(error)) throw error
      return { movedAside: moveAside(file, now), database: openSound(file) }
    }
  } catch (error) {
    throw asFailure(error, file)
  }
}

/** Runs a change in one transaction: when this returns it is on disk; when this throws, nothing of it is. Throws Failure when the disk fails. */
export function transaction<T>(database: NetworkDatabase, change: () => T): T {
  return guarded(database, () => database.transaction(change).immediate())
}

/** Runs one query. Throws Failure when the disk fails. */
export function guarded<T>(database: NetworkDatabase, look: () => T): T {
  try {
    return look()
  } catch (error) {
    throw asFailure(error, database.name)
  }
}

/** Renames a file, and what SQLite keeps beside it, to "<name>.damaged-<date>". Returns the new name. */
export function moveAside(file: string, now: number): string {
  const date = new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')
  let target = `${file}.damaged-${date}`
  for (let copy = 2; existsSync(target); copy++) target = `${file}.damaged-${date}-${copy}`
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix)
  }
  return target
}

class Damage extends Error {}

function openSound(file: string): NetworkDatabase {
  // SQLite gives -wal and -shm the mode of the main file.
  closeSync(openSync(file, 'a', 0o600))
  const database = new Database(file, { timeout: 5000 })
  try {
    const version = Number(database.pragma('user_version', { simple: true }))
    const isEmpty = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
    if (!isEmpty && database.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new Damage('not our file')
    if (version > MIGRATIONS.length) {
      throw new Failure('ledger-newer', message('network-file-newer', { file }))
    }
    if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new Damage('quick check failed')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    database
      .transaction(() => {
        for (const migration of MIGRATIONS.slice(version)) database.exec(migration)
        database.pragma(`application_id = ${APPLICATION_ID}`)
        database.pragma(`user_version = ${MIGRATIONS.length}`)
      })
      .immediate()
    database.defaultSafeIntegers(true)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof Damage) return true
  return (
    error instanceof Database.SqliteError && (error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT'))
  )
}

/** Turns an error of the disk into a Failure; returns any other error, a bug, unchanged. */
function asFailure(error: unknown, file: string): unknown {
  if (isDamage(error)) {
    return new Failure('ledger-damaged', message('network-file-damaged', { file }))
  }
  if (error instanceof TypeError && error.message === 'The database connection is not open') {
    return new Failure('unavailable', message('network-closed'))
  }
  const code =
    error instanceof Database.SqliteError ? error.code : ((error as NodeJS.ErrnoException | null)?.code ?? '')
  if (/^SQLITE_FULL|^ENOSPC|^EDQUOT/.test(code)) {
    return new Failure('data-folder', message('network-file-no-space', { file }))
  }
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|PERM)|^E(ACCES|PERM|ROFS|NOTDIR|ISDIR|NOENT|IO)$/.test(code)) {
    return new Failure('data-folder', message('network-file-not-written', { file, code }))
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new Failure('unavailable', message('network-file-held', { file }))
  }
  return error
}
