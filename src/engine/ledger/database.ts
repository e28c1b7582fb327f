/** Opening an SQLite file: pragmas, versions, migrations, and what its errors mean to a person. */
import Database from 'better-sqlite3'
import { closeSync, openSync } from 'node:fs'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { Schema } from './migrations'

export type Db = Database.Database

export interface OpenOptions {
  file: string
  schema: Schema
  /** FULL keeps every commit after a power loss; NORMAL may lose the last commits, never the file */
  synchronous: 'FULL' | 'NORMAL'
  /** called before anything is written; throws NotOurs for a file that is damaged */
  check?: (db: Db, version: number) => void
  /** called before an older file is changed */
  beforeMigration?: (db: Db, version: number) => void
}

/** Opens for writing, makes the file (mode 0600) when absent, and brings it to the present version in one transaction. Throws NewerVersion, NotOurs or what SQLite throws. */
export function openDatabase(options: OpenOptions): Db {
  // SQLite gives -wal and -shm the mode of the main file.
  closeSync(openSync(options.file, 'a', 0o600))
  const db = new Database(options.file, { timeout: 5000 })
  try {
    options.check?.(db, checkIdentity(db, options.schema))
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${options.synchronous}`)
    // Off while tables are rebuilt, or dropping the old one would count as losing its children; each migration is checked.
    db.pragma('foreign_keys = OFF')
    migrate(db, options)
    db.pragma('foreign_keys = ON')
    db.defaultSafeIntegers(true)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens an existing file for reading only, of the present version or an earlier one that reads alike. Throws OlderVersion, NewerVersion, NotOurs or what SQLite throws. */
export function openDatabaseReadOnly(file: string, schema: Schema): Db {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 })
  try {
    const version = checkIdentity(db, schema)
    if (version < schema.readableFrom) throw new OlderVersion(version)
    db.defaultSafeIntegers(true)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** The file's schema version is beyond what this program knows. */
export class NewerVersion extends Error {
  readonly version: number
  constructor(version: number) {
    super(`version ${version}`)
    this.version = version
  }
}
/** The file's schema is older, and may not be changed now. */
export class OlderVersion extends Error {
  readonly version: number
  constructor(version: number) {
    super(`version ${version}`)
    this.version = version
  }
}
/** An SQLite file of another program, or a damaged one. */
export class NotOurs extends Error {}

/** All problems that SQLite's quick check finds, at most ten; empty: sound. */
export function quickCheck(db: Db): string[] {
  const rows = db.prepare('PRAGMA quick_check(10)').pluck().all() as string[]
  return rows.filter((row) => row !== 'ok')
}

function sqliteCode(error: unknown): string | null {
  return error instanceof Database.SqliteError ? error.code : null
}
/** Whether an error of SQLite means that the file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error)
  return error instanceof NotOurs || code === 'SQLITE_NOTADB' || (code?.startsWith('SQLITE_CORRUPT') ?? false)
}
/** Whether an error of SQLite means that another process has locked the file. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false
}

const folderErrors = [
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'ENOENT',
  'EMFILE',
]
const storageErrors = [
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_READONLY',
  'SQLITE_CANTOPEN',
  'SQLITE_PERM',
  'SQLITE_AUTH',
]

/** The failure that a person sees after an error of the disk or the folder; null: the error is a bug. */
export function toStorageFailure(error: unknown, file: string): Failure | null {
  if (error instanceof Failure) return error
  if (isDamage(error)) {
    return new Failure('ledger-damaged', message('ledger-file-damaged', { file }))
  }
  const code = sqliteCode(error) ?? (error as NodeJS.ErrnoException | null)?.code ?? ''
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('data-folder', message('ledger-no-space', { file }))
  }
  if (folderErrors.includes(code) || storageErrors.some((name) => code.startsWith(name))) {
    return new Failure('data-folder', message('ledger-folder-not-usable', { file, code }))
  }
  if (isBusy(error)) {
    return new Failure('unavailable', message('ledger-file-held', { file }))
  }
  return null
}

/** Runs a change in one transaction: when this returns it is on disk; when this throws, nothing of it is. */
export function write<T>(db: Db, change: () => T): T {
  return db.transaction(change).immediate()
}

function checkIdentity(db: Db, schema: Schema): number {
  const version = Number(db.pragma('user_version', { simple: true }))
  const applicationId = Number(db.pragma('application_id', { simple: true }))
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get())
  if (tables > 0 && applicationId !== schema.applicationId) throw new NotOurs('not a database of Lode')
  if (version > schema.migrations.length) throw new NewerVersion(version)
  return version
}

/** One step. Call in a transaction. */
export function applyMigration(db: Db, migration: Schema['migrations'][number]): void {
  if (typeof migration === 'string') db.exec(migration)
  else migration(db)
}

function migrate(db: Db, options: OpenOptions): void {
  const { schema } = options
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version === schema.migrations.length) return
  if (version > 0) options.beforeMigration?.(db, version)
  write(db, () => {
    for (const migration of schema.migrations.slice(version)) applyMigration(db, migration)
    const broken = db.pragma('foreign_key_check') as unknown[]
    if (broken.length > 0) throw new Error(`migration from version ${version} leaves rows without their parents`)
    db.pragma(`application_id = ${schema.applicationId}`)
    db.pragma(`user_version = ${schema.migrations.length}`)
  })
}
