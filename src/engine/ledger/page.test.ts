import Database from 'better-sqlite3'
import { v7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { workRow } from '#shared/contract/jobs'
import { foreignWords } from '#shared/domain/messages'
import { openLedger, openLedgerReadOnly } from './open'
import type { Ledger } from './types'
import {
  fillShares,
  makeJob,
  makeReceipt,
  makeResult,
  makeUnit,
  makeWorld,
  START,
  type TestWorld,
} from './ledger.test.support'

const ROWS = 100_000
let world: TestWorld
let ledger: Ledger
const jobIds: string[] = []

beforeAll(() => {
  world = makeWorld()
  ledger = openLedger(world.options)
  const unit = makeUnit()
  ledger.recordUnit(unit, 'cpu0', 'practice')
  // Jobs before, among and after the shares.
  addJob(() => undefined)
  fillShares(ledger.file, ROWS / 2, { unitId: unit.id, millisecondsBetween: 10, after: 1 })
  addJob((id) => ledger.setJobState(id, 'failed', { reason: foreignWords('The picture cannot be read.') }))
  fillShares(ledger.file, ROWS / 2, { unitId: unit.id, millisecondsBetween: 10, after: ROWS / 2 + 2 })
  addJob((id) => {
    ledger.setJobState(id, 'running', { deviceId: 'gpu0' })
    ledger.recordJobResult(id, makeResult(id))
    ledger.accept(makeReceipt(makeResult(id)))
  })
})
afterAll(() => {
  ledger.close()
  world.remove()
})
function addJob(then: (id: string) => void): void {
  const id = v7()
  ledger.insertJob(makeJob(id))
  then(id)
  jobIds.push(id)
}

/** The same page by the plainest statement. */
function plainly(where: string, offset: number, limit: number): { total: number; ids: string[] } {
  const db = new Database(ledger.file, { readonly: true })
  const total = db.prepare(`SELECT count(*) FROM work WHERE ${where}`).pluck().get() as number
  const ids = db
    .prepare(`SELECT id FROM work WHERE ${where} ORDER BY seq DESC LIMIT ? OFFSET ?`)
    .pluck()
    .all(limit, offset) as string[]
  db.close()
  return { total, ids }
}

describe('pages of the jobs table', () => {
  const cases: [string, Parameters<Ledger['workPage']>[0], string][] = [
    ['all', {}, 'true'],
    ['one kind', { kind: 'proof' }, "kind = 'proof'"],
    ['a rare kind', { kind: 'chat' }, "kind = 'chat'"],
    ['a kind that never was', { kind: 'ocr' }, "kind = 'ocr'"],
    ['a state', { state: 'submitted' }, "state = 'submitted'"],
    ['a rare state', { state: 'failed' }, "state = 'failed'"],
    ['a device', { deviceId: 'gpu0' }, "device = 'gpu0'"],
    [
      'kind, state and device',
      { kind: 'proof', state: 'submitted', deviceId: 'gpu0' },
      "kind = 'proof' AND state = 'submitted' AND device = 'gpu0'",
    ],
    ['the beginning of a model', { search: 'ITP1-s' }, "model = 'itp1-small'"],
    [
      'the beginning of a model, on a device',
      { search: 'itp1', deviceId: 'gpu0' },
      "model LIKE 'itp1%' AND device = 'gpu0'",
    ],
    ['a text that nothing begins with', { search: 'nothing' }, 'false'],
  ]
  for (const [name, filter, where] of cases) {
    it(`are right for ${name}, wherever they begin`, () => {
      const { total } = plainly(where, 0, 1)
      expect(total === 0).toBe(where === 'false' || where === "kind = 'ocr'")
      for (const offset of [0, 1, 37, 4090, 49_990, 99_950, total - 1, total, total + 5].filter(
        (value) => value >= 0,
      )) {
        const page = ledger.workPage(filter, offset, 60)
        expect({ total: page.total, ids: page.rows.map(({ id }) => id) }).toEqual(plainly(where, offset, 60))
        for (const row of page.rows) workRow.parse(row)
      }
    })
  }

  it('find a job by the beginning of its id and a share by that of its digest', () => {
    expect(ledger.workPage({ search: jobIds[1]!.slice(0, 30) }, 0, 10).rows.map(({ id }) => id)).toEqual([jobIds[1]])
    const share = ledger.workDetail(ledger.workPage({ kind: 'proof' }, 777, 1).rows[0]!.id)
    expect(ledger.workPage({ search: share!.digest!.slice(0, 12) }, 0, 10)).toMatchObject({
      total: 1,
      rows: [{ id: share!.id }],
    })
    expect(ledger.workPage({ search: share!.digest!.slice(0, 12), kind: 'chat' }, 0, 10).total).toBe(0)
  })

  it('count a job anew when its state changes', () => {
    const before = ledger.workPage({ state: 'queued' }, 0, 10)
    expect(before.rows.map(({ id }) => id)).toEqual([jobIds[0]])
    ledger.setJobState(jobIds[0]!, 'cancelled')
    expect(ledger.workPage({ state: 'queued' }, 0, 10)).toEqual({ total: 0, rows: [] })
    expect(ledger.workPage({ state: 'cancelled' }, 0, 10).total).toBe(1)
  })
})

describe('pages of credits', () => {
  it('are right wherever they begin', () => {
    const db = new Database(ledger.file, { readonly: true })
    for (const offset of [0, 500, 99_900, 200_000]) {
      const ids = db.prepare('SELECT id FROM credits ORDER BY seq DESC LIMIT 100 OFFSET ?').pluck().all(offset)
      const page = ledger.creditPage(offset, 100)
      expect(page.total).toBe(ROWS + 1)
      expect(page.rows.map(({ id }) => id)).toEqual(ids)
    }
    db.close()
  })
})

describe('what each screen asks', () => {
  it('reads rows through an index, never a whole table', () => {
    const prepare = vi.spyOn(Database.prototype, 'prepare')
    const reader = openLedgerReadOnly(world.folder)!
    // Statements that are put together when they are asked.
    reader.workPage({}, 50_000, 100)
    reader.workPage({ kind: 'chat' }, 0, 100)
    reader.workPage({ state: 'failed' }, 0, 100)
    reader.workPage({ deviceId: 'gpu0' }, 0, 100)
    reader.workPage({ kind: 'proof', state: 'submitted', deviceId: 'gpu0', search: 'itp1' }, 100, 100)
    reader.workPage({ search: jobIds[1]!.slice(0, 8) }, 0, 100)
    for (const _ of reader.exportCredits({ from: START, to: START + 1000 })) break
    reader.close()
    const seen = new Set(prepare.mock.calls.map(([sql]) => sql))
    prepare.mockRestore()
    expect(seen.size).toBeGreaterThan(30)

    const db = new Database(ledger.file, { readonly: true })
    const slow: string[] = []
    for (const sql of seen) {
      if (!/^\s*SELECT/.test(sql) || sql.includes('sqlite_schema')) continue
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(sql.split('?').length - 1).fill(1)) as {
        detail: string
      }[]
      for (const { detail } of plan) {
        // Kept sums, counts and the list of addresses are small; a list of values is no table.
        const isSmall = /^SCAN (json_each|work_counts|credit_sums|addresses|events|benchmarks|CONSTANT ROW)/.test(
          detail,
        )
        if (detail.startsWith('SCAN') && !isSmall) slow.push(`${detail}: ${sql}`)
        // Sorting is for the few rows that fit what a person typed, never for a page of all.
        const isPage = sql.includes('LIMIT') && !sql.includes('seq IN (SELECT')
        if (isPage && detail.includes('TEMP B-TREE FOR ORDER BY')) slow.push(`${detail}: ${sql}`)
      }
    }
    db.close()
    expect(slow).toEqual([])
  })
})
