/** Copies of the ledger in backups/: one a day and one before each migration, the newest three kept. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Db } from './database'

const KEPT = 3
const name = /^ledger-(\d+)-(\d{4}-\d{2}-\d{2})\.db$/

/** Full paths, newest first. */
export function listBackups(folder: string): string[] {
  const backups = join(folder, 'backups')
  if (!existsSync(backups)) return []
  const found = readdirSync(backups)
    .map((file) => name.exec(file))
    .filter((match) => match !== null)
  return found.toSorted((a, b) => order(b).localeCompare(order(a))).map((match) => join(backups, match[0]))
}

/** Copies the ledger at once, in one step, before a migration. Returns the file. */
export function backUpNow(db: Db, folder: string, version: number, now: number): string {
  const { part, file } = places(folder, version, now)
  db.prepare('VACUUM INTO ?').run(part)
  finish(part, file, folder)
  return file
}

/** Copies the ledger a hundred pages at a time, so that the engine works in between. Null: today's backup exists. */
export async function backUpDaily(db: Db, folder: string, version: number, now: number): Promise<string | null> {
  const newest = listBackups(folder)[0]
  const { part, file } = places(folder, version, now)
  if (newest !== undefined && dateIn(newest) >= isoDate(now)) return null
  await db.backup(part)
  finish(part, file, folder)
  return file
}

function places(folder: string, version: number, now: number): { part: string; file: string } {
  const backups = join(folder, 'backups')
  mkdirSync(backups, { recursive: true, mode: 0o700 })
  const file = join(backups, `ledger-${version}-${isoDate(now)}.db`)
  const part = `${file}.part`
  rmSync(part, { force: true })
  return { part, file }
}

/** Only a finished copy gets a backup's name. */
function finish(part: string, file: string, folder: string): void {
  chmodSync(part, 0o600)
  renameSync(part, file)
  for (const old of listBackups(folder).slice(KEPT)) rmSync(old, { force: true })
}

function isoDate(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}
function dateIn(file: string): string {
  return file.slice(-'2026-01-01.db'.length, -'.db'.length)
}
/** By date, then by version. */
function order(match: RegExpExecArray): string {
  return `${match[2]} ${(match[1] ?? '').padStart(6, '0')}`
}
