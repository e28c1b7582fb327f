import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backUpNow } from './backup'
import { openDatabase, type OpenOptions } from './database'
import { openLedger, openLedgerReadOnly } from './open'
import { makeReceipt, makeShare, makeUnit, makeWorld, START, type TestWorld } from './ledger.test.support'
import { ledgerSchema, type Schema } from './migrations'

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
