import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { foreignWords, message } from '#shared/domain/messages'
import { backUpNow } from './backup'
import { openDatabase, type OpenOptions } from './database'
import { openLedger, openLedgerReadOnly } from './open'
import {
  makeJob,
  makeReceipt,
  makeResult,
  makeShare,
  makeUnit,
  makeWorld,
  networkKeys,
  signatures,
  START,
  type TestWorld,
} from './ledger.test.support'
import { ledgerSchema, type Schema } from './migrations'
import { createWriter } from './writer'

let world: TestWorld
let file: string
beforeEach(() => {
  world = makeWorld()
  file = join(world.folder, 'ledger.db')
})
afterEach(() => world.remove())

function optionsFor(schema: Schema): OpenOptions {
  return {
    file,
    schema,
    synchronous: 'FULL',
    beforeMigration: (db, version) => void backUpNow(db, world.folder, version, START),
  }
}
const next = (sql: string): Schema => ({ ...ledgerSchema, migrations: [...ledgerSchema.migrations, sql] })

function makeFilledLedger(): void {
  const ledger = openLedger(world.options)
  const unit = makeUnit()
  ledger.recordUnit(unit, 'cpu0')
  const share = makeShare(unit, 1)
  ledger.recordShare(share)
  ledger.accept(makeReceipt(share))
  ledger.close()
}

describe('migrations', () => {
  it('lead from every earlier version to the present one', () => {
    for (let version = 0; version < ledgerSchema.migrations.length; version++) {
      const folder = join(world.folder, `from-${version}`)
      openLedger({ ...world.options, folder }).close()
      const db = new Database(join(folder, 'ledger.db'), { readonly: true })
      const present = db.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all()
      db.close()
      const old = openDatabase({
        ...optionsFor({ ...ledgerSchema, migrations: ledgerSchema.migrations.slice(0, version) }),
        file: join(world.folder, `${version}.db`),
      })
      old.close()
      const brought = openDatabase({ ...optionsFor(ledgerSchema), file: join(world.folder, `${version}.db`) })
      expect(brought.prepare('SELECT sql FROM sqlite_schema ORDER BY name').pluck().all()).toEqual(present)
      brought.close()
    }
  })

  it('copy the file first, keep its rows, and come to the number of the next version', () => {
    makeFilledLedger()
    const db = openDatabase(optionsFor(next('ALTER TABLE credits ADD COLUMN note TEXT')))
    expect(db.prepare('SELECT count(*) FROM credits WHERE note IS NULL').pluck().get()).toBe(1n)
    expect(db.pragma('user_version', { simple: true })).toBe(BigInt(ledgerSchema.migrations.length + 1))
    db.close()
    const copy = `ledger-${ledgerSchema.migrations.length}-2026-05-01.db`
    expect(readdirSync(join(world.folder, 'backups'))).toEqual([copy])
    const backup = new Database(join(world.folder, 'backups', copy), { readonly: true })
    expect(backup.prepare('SELECT count(*) FROM credits').pluck().get()).toBe(1)
    backup.close()
  })

  it('keep the benchmarks of the first version, with what it did not record as not known', () => {
    const first = openDatabase(optionsFor({ ...ledgerSchema, migrations: ledgerSchema.migrations.slice(0, 1) }))
    first
      .prepare(
        `INSERT INTO benchmarks (id, at, device, engine, tier, nonces_per_second, macs_per_second, watts, watts_source, macs_per_joule, checksum)
         VALUES ('b', 5, 'cpu0', 'onnx-cpu', 'itp1-base', 6.5, 8.5e10, 40, 'a table', 2e9, 'ok')`,
      )
      .run()
    first.close()
    const ledger = openLedger(world.options)
    const [row] = ledger.benchmarks('cpu0')
    expect(row).toMatchObject({
      id: 'b',
      noncesPerSecond: 6.5,
      watts: 40,
      checksum: 'ok',
      mode: 'benchmark',
      samples: 0,
    })
    expect(row).toMatchObject({
      spread: null,
      wattsCertainty: null,
      clockHertz: null,
      threads: null,
      lodeVersion: null,
    })
    expect(ledger.benchmark('b')?.evidence).toBeNull()
    ledger.close()
  })

  it('leave the sentences of earlier versions, which are shown as they are; today’s rows hold messages', () => {
    const ledger = openLedger(world.options)
    const job = v7()
    const lost = message('job-worker-keeps-stopping', { attempts: 3 })
    ledger.insertJob(makeJob(job))
    ledger.setJobState(job, 'failed', { reason: lost })
    ledger.recordEvent({ severity: 'info', words: message('mining-started') })
    expect(ledger.workRow(job)?.reason).toEqual(lost)
    expect(ledger.events(1)).toMatchObject([{ code: 'mining-started', words: message('mining-started') }])
    const db = new Database(file)
    db.prepare('UPDATE work SET reason = ?').run('The picture cannot be read.')
    db.prepare('UPDATE events SET code = ?, message = ?').run('device-restart', 'The CPU worker was restarted.')
    db.close()
    expect(ledger.workRow(job)?.reason).toEqual(foreignWords('The picture cannot be read.'))
    expect(ledger.events(1)).toMatchObject([
      { code: 'device-restart', words: foreignWords('The CPU worker was restarted.') },
    ])
    ledger.close()
  })

  it('keep what version 4 wrote, seals and all, and make kinds free', () => {
    const old = openDatabase(optionsFor({ ...ledgerSchema, migrations: ledgerSchema.migrations.slice(0, 4) }))
    const before = createWriter(old, world.options)
    const unit = makeUnit()
    before.recordUnit(unit, 'cpu0')
    before.recordDevice({ id: 'cpu0', kind: 'cpu', name: 'A processor' })
    const shares = [1, 2, 3, 4].map((counter) => makeShare(unit, counter))
    for (const share of shares) before.recordShare(share)
    before.accept(makeReceipt(shares[0]!))
    before.reject(shares[1]!.share.id, 'above-target')
    const job = v7()
    before.insertJob(makeJob(job))
    before.setJobState(job, 'running', { deviceId: 'cpu0' })
    const result = makeResult(job)
    before.recordJobResult(job, result)
    before.accept(makeReceipt(result))
    const tables = ['devices', 'work', 'credits', 'work_path', 'work_counts', 'credit_quarters', 'credit_sums']
    const all = (db: Database.Database) => tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all())
    const rows = all(old)
    old.close()
    // Who only reads need not wait for the migration.
    const reader = openLedgerReadOnly(world.folder)
    expect(reader?.verify({ signatures, networkKeys })).toMatchObject({ ok: true, problems: [] })
    reader?.close()

    const ledger = openLedger(world.options)
    expect(readdirSync(join(world.folder, 'backups'))).toEqual(['ledger-4-2026-05-01.db'])
    const db = new Database(file)
    db.defaultSafeIntegers(true)
    expect(all(db)).toEqual(rows)
    expect(ledger.verify({ signatures, networkKeys })).toMatchObject({ ok: true, problems: [] })
    // What waited is answered, and what was answered stays.
    ledger.accept(makeReceipt(shares[2]!))
    ledger.recordShare(makeShare(unit, 5))
    expect(ledger.creditTotals({ dayStart: START }).credits).toBe(3)
    expect(() => db.exec("UPDATE credits SET macs = 1 WHERE state = 'accepted'")).toThrow(/keeps its figures/)
    expect(() => db.exec('DELETE FROM work')).toThrow(/never deleted/)
    expect(() => db.exec("UPDATE work SET state = 'queued' WHERE state = 'accepted'")).toThrow(/may not change/)
    db.exec(`INSERT INTO work (id, at, kind, network, model, origin, state, state_at)
      VALUES ('t', ${START}, 'transcribe', 'practice', 'A model', 'person', 'queued', ${START})`)
    expect(db.prepare("SELECT count FROM work_counts WHERE kind = 'transcribe'").pluck().get()).toBe(1n)
    db.close()
    for (const kind of ['fpga', 'other'] as const) ledger.recordDevice({ id: kind, kind, name: kind })
    ledger.close()
  })

  it('of a version that reads otherwise come before it is read', () => {
    openDatabase(optionsFor({ ...ledgerSchema, migrations: ledgerSchema.migrations.slice(0, 3) })).close()
    expect(() => openLedgerReadOnly(world.folder)).toThrow(/from an earlier version/)
  })

  it('change nothing when one of their statements fails', () => {
    makeFilledLedger()
    const broken = next(
      'CREATE TABLE fine (a TEXT) STRICT; INSERT INTO fine VALUES (1), (2); INSERT INTO absent VALUES (1);',
    )
    expect(() => openDatabase(optionsFor(broken))).toThrow(/absent/)
    const reader = openLedgerReadOnly(world.folder)
    expect(reader?.creditTotals({ dayStart: START }).credits).toBe(1)
    reader?.close()
    const db = new Database(file, { readonly: true })
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'fine'").pluck().get()).toBe(0)
    db.close()
  })
})
