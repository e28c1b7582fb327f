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
  makeShare,
  makeUnit,
  makeWorld,
  networkKeys,
  signatures,
  START,
  type TestWorld,
} from './ledger.test.support'
import type { LedgerReader } from './types'
import { ledgerSchema, type Schema } from './migrations'
import { writeFormerLedger } from './former-ledger.test.support'

/** of the former ledgers' credits, oldest first, in today's words */
const STATES = ['accepted', 'refused', 'submitted', 'accepted', 'refused', 'submitted']

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
  ledger.recordUnit(unit, 'cpu0', 'practice')
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

  const former = (version: number) =>
    openDatabase(optionsFor({ ...ledgerSchema, migrations: ledgerSchema.migrations.slice(0, version) }))
  /** Every row of what a migration copies, in today's words. */
  const rowsOf = (db: Database.Database): unknown => {
    const tables = ['devices', 'work', 'credits', 'work_path', 'work_counts', 'receipts']
    const sums = ['credit_quarters', 'credit_epochs', 'credit_sums', 'energy_quarters', 'model_totals']
    const word = (row: Record<string, unknown>): object => {
      const { seal: _seal, seal_version: _version, ...rest } = row
      return row.state === 'rejected' ? { ...rest, state: 'refused' } : rest
    }
    return [...tables, ...sums].map((table) => {
      const rows = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all().map(word)
      return rows.toSorted((a, b) => JSON.stringify(a, asText).localeCompare(JSON.stringify(b, asText)))
    })
  }
  const asText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
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

  it.each([2, 3, 4, 5])(
    'keep what version %i wrote, make kinds free, and call refused what was rejected',
    (version) => {
      const old = former(version)
      const write = writeFormerLedger(old)
      old.prepare("INSERT INTO devices VALUES ('cpu0', 'cpu', 'A processor', ?, ?)").run(START, START)
      write.share(1, 'accepted')
      write.share(2, 'rejected')
      const waiting = write.share(3, 'submitted')
      write.job('accepted')
      write.job('rejected')
      const sent = write.job('submitted')
      const rows = rowsOf(old)
      old.close()
      if (version >= ledgerSchema.readableFrom) {
        // Who only reads need not wait for the migration.
        const reader = openLedgerReadOnly(world.folder)
        expect(reader?.verify({ signatures, networkKeys })).toMatchObject({ ok: true, credits: 6, problems: [] })
        expect([...(reader?.exportCredits() ?? [])].map(({ state }) => state)).toEqual(STATES)
        reader?.close()
      }

      const ledger = openLedger(world.options)
      expect(readdirSync(join(world.folder, 'backups'))).toEqual([`ledger-${version}-2026-05-01.db`])
      const db = new Database(file)
      db.defaultSafeIntegers(true)
      expect(rowsOf(db)).toEqual(rows)
      const seals = db.prepare('SELECT seal_version FROM credits ORDER BY seq').pluck().all()
      expect(seals).toEqual([1n, 2n, 1n, 1n, 2n, 1n])
      expect(ledger.verify({ signatures, networkKeys })).toMatchObject({ ok: true, problems: [] })
      expect([...ledger.exportCredits()].map(({ state }) => state)).toEqual(STATES)
      expect(ledger.funnel('all', {}).refused).toEqual({ count: 2, reasons: [{ reason: 'above-target', count: 2 }] })
      expect(ledger.workPage({ state: 'refused' }, 0, 10)).toMatchObject({ total: 2 })
      // What waited is answered, and what was answered stays.
      ledger.accept(makeReceipt(waiting))
      ledger.hold(sent.result.id)
      expect(db.prepare('SELECT seal_version FROM credits ORDER BY seq').pluck().all()).toEqual([
        1n,
        2n,
        2n,
        1n,
        2n,
        2n,
      ])
      ledger.recordShare(makeShare(makeUnit(), 5))
      expect(ledger.creditTotals({ dayStart: START })).toMatchObject({ credits: 3, held: sent.creditMacs })
      expect(ledger.verify({ signatures, networkKeys }).problems).toEqual([])
      expect(() => db.exec("UPDATE credits SET macs = 1 WHERE state = 'accepted'")).toThrow(/keeps its figures/)
      expect(() => db.exec('DELETE FROM work')).toThrow(/never deleted/)
      expect(() => db.exec("UPDATE work SET state = 'queued' WHERE state = 'accepted'")).toThrow(/may not change/)
      expect(() => db.exec("UPDATE credits SET state = 'rejected' WHERE state = 'refused'")).toThrow(/may not change/)
      db.exec(`INSERT INTO work (id, at, kind, network, model, origin, state, state_at)
      VALUES ('t', ${START}, 'transcribe', 'practice', 'A model', 'person', 'queued', ${START})`)
      expect(db.prepare("SELECT count FROM work_counts WHERE kind = 'transcribe'").pluck().get()).toBe(1n)
      db.close()
      for (const kind of ['fpga', 'other'] as const) ledger.recordDevice({ id: kind, kind, name: kind })
      ledger.close()
    },
  )

  describe('seal no damaged row anew', () => {
    /** What a disk that forgets a bit does: past every trigger, and within what SQLite itself checks. */
    const rot = (db: Database.Database, sql: string): void => {
      const triggers = db.prepare<[], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
      )
      const all = triggers.all()
      for (const { name } of all) db.exec(`DROP TRIGGER ${name}`)
      db.exec(sql)
      for (const trigger of all) db.exec(trigger.sql)
    }
    const problems = (ledger: Pick<LedgerReader, 'verify'>): string[] =>
      ledger.verify({ signatures, networkKeys }).problems
    const changed = (problem: string): boolean => problem.endsWith('the row was changed after it was written')

    it.each([
      ['its time', 'UPDATE credits SET at = at + 1 WHERE seq = 2'],
      ['its device', "UPDATE credits SET device = 'cpu1' WHERE seq = 2"],
      ['its reason', "UPDATE credits SET reason = 'above-targeu' WHERE seq = 2"],
      ['its id', "UPDATE credits SET id = 'x' WHERE seq = 2"],
      ['its seal', "UPDATE credits SET seal = replace(seal, 'a', 'b') WHERE seq = 2"],
    ])('of refused credit, by %s: it is still reported, and the others get theirs', (_name, sql) => {
      const old = former(5)
      const write = writeFormerLedger(old)
      for (const counter of [1, 2, 3]) write.share(counter, 'rejected')
      rot(old, sql)
      old.close()
      const reader = openLedgerReadOnly(world.folder)!
      const before = problems(reader)
      expect(before.filter(changed)).toHaveLength(1)
      reader.close()

      const ledger = openLedger(world.options)
      expect(problems(ledger)).toEqual(before)
      const db = new Database(file, { readonly: true })
      expect(db.prepare('SELECT state, seal_version FROM credits ORDER BY seq').raw().all()).toEqual([
        ['refused', 2],
        ['rejected', 1],
        ['refused', 2],
      ])
      db.close()
      // It is read like the others: the screens know one word.
      expect([...ledger.exportCredits()].map(({ state }) => state)).toEqual(['refused', 'refused', 'refused'])
      expect(ledger.funnel('all', {}).refused.count).toBe(3)
      ledger.close()
    })

    it('of other credit, when it is answered later either', () => {
      const old = former(5)
      const write = writeFormerLedger(old)
      const accepted = write.share(1, 'accepted')
      const [waiting, held] = [write.share(2, 'submitted'), write.job('submitted')]
      rot(old, 'UPDATE credits SET at = at + 1')
      old.close()
      const ledger = openLedger(world.options)
      expect(problems(ledger).filter(changed)).toHaveLength(3)
      ledger.accept(makeReceipt(waiting))
      ledger.hold(held.result.id)
      ledger.refuse(held.result.id, 'forfeited')
      expect(problems(ledger).filter(changed)).toHaveLength(3)
      expect(ledger.creditTotals({ dayStart: START }).total).toBe(accepted.creditMacs + waiting.creditMacs)
      ledger.close()
    })

    it('nor make a wrong sum right', () => {
      const old = former(5)
      const write = writeFormerLedger(old)
      for (const counter of [1, 2]) write.share(counter, 'rejected')
      old.exec("UPDATE credit_sums SET credit_low = credit_low + 1 WHERE state = 'rejected'")
      old.close()
      const ledger = openLedger(world.options)
      expect(problems(ledger)).toEqual([expect.stringMatching(/the total of credit rejected/)])
      ledger.close()
    })
  })

  it('begin with a check of the whole file, also of a large one that was checked lately', () => {
    const old = former(5)
    const write = writeFormerLedger(old)
    write.share(1, 'rejected')
    old.pragma('ignore_check_constraints = ON')
    old.exec("DROP TRIGGER credits_move; DROP TRIGGER credits_changed; UPDATE credits SET state = 'sejected'")
    old.exec(`INSERT INTO meta VALUES ('checked-at', '${START}')`)
    old.exec(`CREATE TABLE padding (bytes BLOB) STRICT; INSERT INTO padding VALUES (zeroblob(${65 * 1024 * 1024}))`)
    old.close()
    expect(() => openLedger(world.options)).toThrow(/was damaged and is kept as/)
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
