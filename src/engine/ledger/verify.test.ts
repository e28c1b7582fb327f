import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { v7 } from 'uuid'
import { z } from 'zod'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { VerifyReport } from '#shared/contract/earnings'
import { Failure } from '#shared/domain/errors'
import { signObject } from '#shared/domain/signed'
import { openLedger, openLedgerReadOnly } from './open'
import {
  makeJob,
  makeReceipt,
  makeResult,
  makeShare,
  makeSigner,
  makeUnit,
  makeWorld,
  network,
  networkKeys,
  rig,
  signatures,
  type TestWorld,
} from './ledger.test.support'

let world: TestWorld
let sound: string
let copies = 0

beforeAll(() => {
  world = makeWorld()
  const ledger = openLedger(world.options)
  const unit = makeUnit()
  ledger.recordUnit(unit, 'cpu0', 'practice')
  const shares = [1, 2, 3, 4].map((counter) => makeShare(unit, counter))
  for (const share of shares) ledger.recordShare(share)
  ledger.accept(makeReceipt(shares[0]!))
  ledger.accept(makeReceipt(shares[1]!))
  ledger.refuse(shares[2]!.share.id, 'above-target')
  const id = v7()
  ledger.insertJob(makeJob(id))
  ledger.setJobState(id, 'running', { deviceId: 'cpu0' })
  const result = makeResult(id)
  ledger.recordJobResult(id, result)
  ledger.accept(makeReceipt(result))
  ledger.close()
  sound = join(world.folder, 'ledger.db')
})
afterAll(() => world.remove())

/** A copy of the sound ledger in a folder of its own. */
function copy(): string {
  const folder = makeWorld(join(world.folder, `copy-${copies++}`)).folder
  const other = openLedger({ ...world.options, folder })
  other.close()
  copyFileSync(sound, join(folder, 'ledger.db'))
  return folder
}

function verifyFolder(folder: string): VerifyReport | Failure {
  try {
    const reader = openLedgerReadOnly(folder)
    if (reader === null) throw new Error('no ledger')
    try {
      return reader.verify({ signatures, networkKeys })
    } finally {
      reader.close()
    }
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

function change(sql: string): VerifyReport | Failure {
  const folder = copy()
  const db = new Database(join(folder, 'ledger.db'))
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[]
  for (const trigger of triggers) db.exec(`DROP TRIGGER ${trigger}`)
  db.pragma('ignore_check_constraints = ON')
  db.pragma('foreign_keys = OFF')
  db.exec(sql)
  db.close()
  return verifyFolder(folder)
}

/** One character of a text made another one of the same sort; one added to a number. */
const flipped = (column: string): string =>
  `iif(typeof(${column}) = 'text', substr(${column}, 1, length(${column}) - 1) || iif(substr(${column}, -1) = '0', '1', '0'), ${column} + 1)`

describe('a changed ledger is found out', () => {
  const columns = (table: string): string[] => {
    const db = new Database(sound, { readonly: true })
    const names = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() as string[]
    db.close()
    return names
  }

  it('in every column of a credit and of a receipt', () => {
    for (const [table, where] of [
      ['credits', 'seq = 5'],
      ['receipts', 'seq = 3'],
    ] as const) {
      for (const column of columns(table)) {
        if (column === 'reason') continue
        expect(
          change(`UPDATE ${table} SET ${column} = ${flipped(column)} WHERE ${where}`),
          `${table}.${column}`,
        ).toMatchObject({ ok: false })
      }
    }
    expect(change("UPDATE credits SET reason = 'stale-epoch' WHERE seq = 3")).toMatchObject({ ok: false })
  })

  const changes: [string, string, RegExp][] = [
    ['a receipt deleted', 'DELETE FROM receipts WHERE seq = 1', /receipt is missing/],
    ['a credit deleted', 'DELETE FROM credits WHERE seq = 2', /missing|no credit has it/],
    [
      'the last credit deleted, with its receipt',
      'DELETE FROM credits WHERE seq = 5; DELETE FROM receipts WHERE seq = 3',
      /not the sum/,
    ],
    [
      'a share changed',
      "UPDATE shares SET signed = replace(signed, 'itp1-base', 'itp1-test') WHERE work = 1",
      /signature of its share/,
    ],
    [
      'a result changed',
      `UPDATE jobs SET signed = replace(signed, '"milliseconds":812', '"milliseconds":813')`,
      /signature of its job-result/,
    ],
    [
      'work in another state',
      "UPDATE work SET state = 'submitted', verification = NULL WHERE seq = 1",
      /its work is submitted/,
    ],
    ['other figures of the work', 'UPDATE work SET macs = macs + 1 WHERE seq = 1', /differ from those of its work/],
    [
      'a state that could not be reached',
      "UPDATE work_path SET state = 'failed' WHERE work = 5 AND ordinal = 1",
      /cannot follow/,
    ],
    ['a path cut short', 'DELETE FROM work_path WHERE work = 5 AND ordinal = 3', /its path ends with submitted/],
    [
      'another total',
      "UPDATE credit_sums SET credit_low = credit_low + 1 WHERE state = 'accepted'",
      /total of credit accepted/,
    ],
    [
      'another sum of an epoch',
      "UPDATE credit_epochs SET count = count + 1 WHERE state = 'accepted'",
      /credit of epoch/,
    ],
    [
      'another sum of a quarter',
      "UPDATE credit_quarters SET macs_low = macs_low - 1 WHERE state = 'accepted'",
      /work of quarter/,
    ],
    [
      'a seal of another version',
      'UPDATE credits SET seal_version = 1 WHERE seq = 5',
      /was changed after it was written/,
    ],
    ['the former word', "UPDATE credits SET state = 'rejected' WHERE seq = 3", /was changed after it was written/],
    ['held credit that was accepted', "UPDATE credits SET state = 'held' WHERE seq = 5", /is held with a receipt/],
    ['another count of jobs', "UPDATE work_counts SET count = count + 1 WHERE kind = 'chat'", /count of jobs/],
  ]
  for (const [name, sql, problem] of changes) {
    it(`by ${name}`, () => {
      const report = change(sql)
      expect(report).toMatchObject({ ok: false })
      expect('problems' in report ? report.problems.join('\n') : '').toMatch(problem)
    })
  }

  it('by any flipped byte of a credit or a receipt in the file', () => {
    const bytes = readFileSync(sound)
    const db = new Database(sound, { readonly: true })
    const credit = db.prepare('SELECT id, ref, rig, device FROM credits WHERE seq = 5').get() as {
      id: string
      ref: string
      rig: string
    }
    const receipt = db.prepare('SELECT id, body, key, signature FROM receipts WHERE seq = 3').get() as {
      id: string
      body: string
      signature: string
    }
    db.close()
    const rows: [string, number, number][] = [
      // The record's own header stands before its first text.
      ['credit', bytes.indexOf(credit.id) - 20, 440],
      [
        'receipt',
        bytes.indexOf(receipt.id + receipt.body) - 12,
        12 + receipt.id.length + receipt.body.length + 64 + 128,
      ],
    ]
    const folder = copy()
    for (const [name, begin, length] of rows) {
      expect(begin).toBeGreaterThan(0)
      for (let at = begin; at < begin + length; at += 7) {
        const damaged = Buffer.from(bytes)
        damaged[at] = damaged[at]! ^ (1 << (at % 8))
        writeFileSync(join(folder, 'ledger.db'), damaged)
        const report = verifyFolder(folder)
        expect(report instanceof Failure || !report.ok, `${name}, byte ${at - begin}`).toBe(true)
      }
    }
  })
})

describe('a sound ledger', () => {
  it('is found sound', () => {
    expect(verifyFolder(copy())).toMatchObject({ ok: true, credits: 5, receipts: 3, problems: [] })
  })
})

describe('signatures', () => {
  it('by another key than the network is known by are found', () => {
    const reader = openLedgerReadOnly(world.folder)!
    const report = reader.verify({ signatures, networkKeys: { practice: [rig.publicKeyHex] } })
    // Each work names the network by its key, and so do the receipts: none of them is that of a network of this name.
    expect(report.problems).toHaveLength(5)
    expect(reader.verify({ signatures, networkKeys: { practice: [network.publicKeyHex] } }).ok).toBe(true)
    expect(reader.verify({ signatures }).ok).toBe(true)
    reader.close()
  })
})

describe('two networks of one name', () => {
  it('are told apart by their keys: neither credits the work of the other, nor signs its receipts', () => {
    const other = makeSigner()
    const folder = makeWorld(join(world.folder, 'namesakes')).folder
    const ledger = openLedger({ ...world.options, folder })
    const unit = makeUnit()
    ledger.recordUnit(unit, 'cpu0', 'practice')
    const [one, two] = [makeShare(unit, 1), makeShare(unit, 2)]
    for (const share of [one, two]) ledger.recordShare(share)
    const named = makeReceipt(one, { network: other.publicKeyHex }).body
    expect(() => ledger.accept(signObject('receipt', named, other))).toThrow(/for other work/)
    ledger.accept(signObject('receipt', makeReceipt(two).body, other))
    const keys = { practice: [network.publicKeyHex, other.publicKeyHex] }
    const { problems } = ledger.verify({ signatures, networkKeys: keys })
    const none = '0'.repeat(64)
    for (const [number, signer] of [
      [3, network],
      [8, other],
    ] as const) {
      const bound = { commitment: none, closing: none, checkCommitment: none, checkKeys: [] }
      const body = { network: signer.publicKeyHex, number, seed: none, startsAt: 1, endsAt: 2, parameters: none }
      ledger.recordEpoch(signObject('epoch', { ...body, ...bound }, signer), 'practice')
    }
    expect(ledger.latestEpoch('practice')?.body.number).toBe(8)
    expect(ledger.epochUnder('practice', network.publicKeyHex)?.body.number).toBe(3)
    expect(ledger.epochUnder('practice', network.publicKeyHex, 8)).toBeNull()
    ledger.close()
    expect(problems).toEqual([expect.stringMatching(/the signature of its receipt is wrong/)])
  })
})

describe('what version 0.1.0 signed', () => {
  it('is genuine for ever, under the key that was pinned then and no other', () => {
    const { folder } = makeWorld(join(world.folder, 'former'))
    mkdirSync(folder)
    copyFileSync(
      new URL('../../../test/fixtures/data-folder-0.1.0/ledger.db', import.meta.url),
      join(folder, 'ledger.db'),
    )
    const reader = openLedger({ ...world.options, folder })
    const pinned = reader.setting('network-keys', z.record(z.string(), z.array(z.string())))!
    expect(reader.verify({ signatures, networkKeys: pinned })).toMatchObject({ ok: true, receipts: 18, problems: [] })
    const { problems } = reader.verify({ signatures, networkKeys: { practice: [network.publicKeyHex] } })
    expect(problems).toHaveLength(18)
    expect(reader.latestEpoch('practice')?.body).toMatchObject({ network: 'practice', number: 1 })
    reader.close()
  })
})

describe('steps', () => {
  it('end in the same report, and say how far they are', () => {
    const reader = openLedgerReadOnly(world.folder)!
    const steps = reader.verifyInSteps({ signatures, networkKeys })
    let step = steps.next()
    let count = 0
    while (step.done !== true) {
      expect(step.value.checked).toBeLessThanOrEqual(step.value.total)
      count += 1
      step = steps.next()
    }
    expect(count).toBeGreaterThan(10)
    expect(step.value).toEqual(reader.verify({ signatures, networkKeys }))
    reader.close()
  })
})
