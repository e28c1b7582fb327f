/** Opening ledger.db: a new, present, older, newer or damaged file, or a folder without permission. */
import { copyFileSync, chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { backUpDaily, backUpNow, listBackups } from './backup'
import {
  NewerVersion,
  NotOurs,
  OlderVersion,
  isDamage,
  openDatabase,
  openDatabaseReadOnly,
  quickCheck,
  toStorageFailure,
} from './database'
import type { Db } from './database'
import { guarded, suspicionFile } from './guard'
import { ensureFolder } from './lock'
import { ledgerSchema } from './migrations'
import { createReader } from './reader'
import type { Ledger, LedgerNotice, LedgerReader, OpenLedgerOptions } from './types'
import { createWriter } from './writer'

/** A larger file is checked completely once a week, after damage was found, and before it is migrated, not at every start: a gigabyte takes seconds. */
const ALWAYS_CHECKED_BYTES = 64 * 1024 * 1024
const WEEK_MILLISECONDS = 7 * 86_400_000

/** Call with the lock held. Throws `ledger-damaged`, `ledger-newer` or `data-folder`. */
export function openLedger(options: OpenLedgerOptions): Ledger {
  const { folder, clock, ids } = options
  const file = join(folder, 'ledger.db')
  ensureFolder(folder)
  const notices: LedgerNotice[] = []
  const db = openOrMoveAside(file, options, notices)
  const functions = { ...createReader(db, file, options.electricity), ...createWriter(db, { clock, ids }) }
  const ledger: Ledger = guarded(file, {
    ...functions,
    async backUpIfDue() {
      try {
        return await backUpDaily(db, folder, ledgerSchema.migrations.length, clock.now())
      } catch (error) {
        // The ledger was closed while pages were copied: the unfinished copy is no backup, and the next start makes one.
        if (!db.open) return null
        throw toStorageFailure(error, join(folder, 'backups')) ?? error
      }
    },
  })
  for (const notice of notices) {
    ledger.recordEvent(notice)
    options.onNotice(notice)
  }
  return ledger
}

/** Opens the ledger for commands, with or without a running engine. Null: there is no ledger yet. Throws as `openLedger`, and moves no file. */
export function openLedgerReadOnly(folder: string): LedgerReader | null {
  const file = join(folder, 'ledger.db')
  if (!existsSync(file) || statSync(file).size === 0) return null
  try {
    return guarded(file, createReader(openDatabaseReadOnly(file, ledgerSchema), file))
  } catch (error) {
    if (error instanceof NewerVersion) throw newer(error.version)
    if (error instanceof OlderVersion) {
      if (error.version === 0) return null
      throw new Failure('unavailable', message('ledger-from-earlier'))
    }
    throw toStorageFailure(error, file) ?? error
  }
}

function openOrMoveAside(file: string, options: OpenLedgerOptions, notices: LedgerNotice[]): Db {
  const { folder, clock, onDamaged = 'fail' } = options
  const isNew = !existsSync(file)
  try {
    if (!isNew && statSync(file).size === 0 && listBackups(folder).length > 0) throw new NotOurs('emptied')
    const db = openChecked(file, options, notices)
    const former = isNew ? movedAsideFiles(folder)[0] : undefined
    if (former !== undefined && notices.length === 0) {
      notices.push({
        severity: 'warning',
        words: message('ledger-begun-anew', { kept: former }),
      })
    }
    return db
  } catch (error) {
    if (error instanceof NewerVersion) throw newer(error.version)
    if (!isDamage(error)) throw toStorageFailure(error, file) ?? error
  }
  const keptAs = moveAside(folder, clock.now())
  rmSync(suspicionFile(file), { force: true })
  const backup = listBackups(folder)[0]
  if (onDamaged === 'fail') {
    const kept = { kept: keptAs, folder }
    throw new Failure(
      'ledger-damaged',
      backup === undefined
        ? message('ledger-damaged-no-backup', kept)
        : message('ledger-damaged-with-backup', { ...kept, backup: basename(backup) }),
    )
  }
  notices.push({
    severity: 'error',
    words: message('ledger-damaged', { kept: keptAs, backup: backup === undefined ? 'none' : basename(backup) }),
  })
  if (onDamaged === 'restore' && backup !== undefined) {
    copyFileSync(backup, file)
    chmodSync(file, 0o600)
    notices.push({
      severity: 'warning',
      words: message('ledger-restored', { backup: basename(backup), kept: keptAs }),
    })
  }
  // A damaged backup ends as a failure, with the copy moved aside and the backup itself untouched.
  return openOrMoveAside(file, { ...options, onDamaged: 'fail' }, notices)
}

function openChecked(file: string, options: OpenLedgerOptions, notices: LedgerNotice[]): Db {
  const now = options.clock.now()
  return openDatabase({
    file,
    schema: ledgerSchema,
    synchronous: 'FULL',
    check(db, version) {
      const isOlder = version < ledgerSchema.migrations.length
      if (version === 0 || (!isOlder && !isCheckDue(db, file, now))) return
      const problems = quickCheck(db)
      if (problems.length > 0) throw new NotOurs(problems[0])
      db.prepare(
        "INSERT INTO meta (key, value) VALUES ('checked-at', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      ).run(String(now))
      rmSync(suspicionFile(file), { force: true })
    },
    beforeMigration(db, version) {
      const backup = backUpNow(db, options.folder, version, now)
      notices.push({
        severity: 'info',
        words: message('ledger-migrated', { backup: basename(backup) }),
      })
    },
  })
}

function isCheckDue(db: Db, file: string, now: number): boolean {
  if (statSync(file).size <= ALWAYS_CHECKED_BYTES || existsSync(suspicionFile(file))) return true
  const checkedAt = Number(db.prepare("SELECT value FROM meta WHERE key = 'checked-at'").pluck().get() ?? 0)
  return Math.abs(now - checkedAt) > WEEK_MILLISECONDS
}

/** Renames the file with its -wal and -shm; returns the new name. */
function moveAside(folder: string, now: number): string {
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')
  let target = `ledger.damaged-${stamp}.db`
  for (let copy = 2; existsSync(join(folder, target)); copy++) target = `ledger.damaged-${stamp}-${copy}.db`
  for (const suffix of ['', '-wal', '-shm']) {
    const from = join(folder, `ledger.db${suffix}`)
    if (existsSync(from)) renameSync(from, join(folder, `${target}${suffix}`))
  }
  return target
}

/** Names, newest first. */
function movedAsideFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /^ledger\.damaged-.*\.db$/.test(file))
    .toSorted()
    .toReversed()
}

function newer(version: number): Failure {
  return new Failure('ledger-newer', message('ledger-newer', { form: version, known: ledgerSchema.migrations.length }))
}
