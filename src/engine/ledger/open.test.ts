import { execFileSync, fork } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  closeSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JOB_TRANSITIONS, CREDIT_TRANSITIONS } from '#shared/domain/states'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { acquireEngineLock } from './lock'
import { openLedger, openLedgerReadOnly } from './open'
import { ledgerSchema } from './migrations'
import {
  fillShares,
  makeReceipt,
  makeShare,
  makeUnit,
  makeWorld,
  networkKeys,
  signatures,
  START,
  type TestWorld,
} from './ledger.test.support'

let world: TestWorld
let file: string
beforeEach(() => {
  world = makeWorld()
  file = join(world.folder, 'ledger.db')
})
afterEach(() => world.remove())

function failureOf(action: () => unknown): Failure {
  try {
    action()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** A ledger with `shares` accepted credits, closed. */
function makeLedger(shares = 3): bigint {
  const ledger = openLedger(world.options)
  const unit = makeUnit()
  ledger.recordUnit(unit, 'cpu0', 'practice')
  for (let counter = 0; counter < shares; counter++) {
    const share = makeShare(unit, counter)
    ledger.recordShare(share)
    ledger.accept(makeReceipt(share))
  }
  const { total } = ledger.creditTotals({ dayStart: START })
  ledger.close()
  return total
}
function totalNow(): bigint {
  const ledger = openLedger(world.options)
  try {
    return ledger.creditTotals({ dayStart: START }).total
  } finally {
    ledger.close()
  }
}

describe('a new ledger', () => {
  it('is readable by its owner alone, and knows the same states as the rest of Lode', () => {
    const folder = join(world.folder, 'new', 'data')
    openLedger({ ...world.options, folder }).close()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'ledger.db')).mode & 0o777).toBe(0o600)
    const db = new Database(join(folder, 'ledger.db'), { readonly: true })
    for (const [subject, transitions] of [
      ['work', JOB_TRANSITIONS],
      ['credit', CREDIT_TRANSITIONS],
    ] as const) {
      const rows = db
        .prepare("SELECT from_state || ' to ' || to_state FROM state_transitions WHERE subject = ?")
        .pluck()
        .all(subject) as string[]
      const expected = Object.entries<readonly string[]>(transitions).flatMap(([from, list]) =>
        list.map((to) => `${from} to ${to}`),
      )
      expect(new Set(rows)).toEqual(new Set(expected))
    }
    db.close()
  })

  it('refuses what the state machine forbids also by itself', () => {
    makeLedger(1)
    const db = new Database(file)
    for (const sql of [
      "UPDATE credits SET state = 'submitted'",
      "UPDATE credits SET state = 'refused', reason = 'x', receipt = NULL",
      "UPDATE credits SET state = 'held', receipt = NULL",
      "UPDATE work SET state = 'running'",
      'UPDATE credits SET credit_macs = credit_macs + 1',
      'UPDATE credits SET at = at + 1',
      "UPDATE receipts SET signature = ''",
      'DELETE FROM credits',
      'DELETE FROM receipts',
      "INSERT INTO work (id, at, kind, network, model, origin, state, state_at) VALUES ('x', 1, 'chat', 'practice', 'm', 'person', 'running', 1)",
      "INSERT INTO work (id, at, kind, network, model, origin, state, state_at) VALUES ('x', 1.5, 'chat', 'practice', 'm', 'person', 'queued', 1)",
    ]) {
      expect(() => db.exec(sql)).toThrow(/constraint|state|keeps|changed|deleted|store REAL/)
    }
    db.close()
  })
})

describe('versions', () => {
  it('recreates the ledger in an empty file, as a start that was killed at once leaves it', () => {
    writeFileSync(file, '')
    expect(totalNow()).toBe(0n)
  })

  it('refuses a ledger from a newer version and leaves it as it is', () => {
    makeLedger()
    const db = new Database(file)
    db.pragma('user_version = 99')
    db.close()
    const before = readFileSync(file)
    expect(failureOf(() => openLedger(world.options))).toMatchObject({
      code: 'ledger-newer',
      message: expect.stringContaining('99'),
    })
    expect(failureOf(() => openLedgerReadOnly(world.folder)).code).toBe('ledger-newer')
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

describe('damage', () => {
  const damages: [string, () => void][] = [
    ['no database', () => writeFileSync(file, 'This is not a database. '.repeat(1000))],
    ['another database', () => overwriteWithOther()],
    ['cut off in the middle', () => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['pages of zeros', () => overwrite(file, 4096 * 3, Buffer.alloc(4096 * 20))],
  ]
  for (const [name, damage] of damages) {
    it(`moves a ledger aside that is ${name}, names it, and recreates it at the next start`, () => {
      makeLedger(20)
      damage()
      const damaged = readFileSync(file)
      const failure = failureOf(() => openLedger(world.options))
      expect(failure.code).toBe('ledger-damaged')
      const kept = readdirSync(world.folder).filter((entry) => /^ledger\.damaged-.*\.db$/.test(entry))
      expect(kept).toHaveLength(1)
      expect(failure.message).toContain(kept[0])
      expect(failure.message).toContain('There is no backup.')
      expect(readFileSync(join(world.folder, kept[0]!)).equals(damaged)).toBe(true)
      expect(totalNow()).toBe(0n)
      expect(world.notices).toMatchObject([{ words: message('ledger-begun-anew', { kept: kept[0]! }) }])
    })
  }

  it('goes back to the newest backup when asked to, and says it', async () => {
    const total = makeLedger(20)
    const ledger = openLedger(world.options)
    const backup = await ledger.backUpIfDue()
    ledger.close()
    expect(backup).not.toBeNull()
    truncateSync(file, 5000)
    const restored = openLedger({ ...world.options, onDamaged: 'restore' })
    expect(restored.creditTotals({ dayStart: START })).toMatchObject({ total, credits: 20 })
    expect(restored.verify({ signatures, networkKeys }).problems).toEqual([])
    expect(restored.events().map(({ code }) => code)).toEqual(['ledger-restored', 'ledger-damaged'])
    restored.close()
    expect(world.notices.map(({ words }) => words.code)).toEqual(['ledger-damaged', 'ledger-restored'])
  })

  it('creates a new one at once when asked to', () => {
    makeLedger()
    truncateSync(file, 5000)
    const ledger = openLedger({ ...world.options, onDamaged: 'start-new' })
    expect(ledger.creditTotals({ dayStart: START }).total).toBe(0n)
    expect(ledger.events()).toMatchObject([{ severity: 'error', code: 'ledger-damaged' }])
    ledger.close()
  })

  it('takes an emptied file for damaged when there are backups', async () => {
    makeLedger()
    const ledger = openLedger(world.options)
    await ledger.backUpIfDue()
    ledger.close()
    truncateSync(file, 0)
    expect(failureOf(() => openLedger(world.options)).message).toContain(
      `backups/ledger-${ledgerSchema.migrations.length}-2026-05-01.db`,
    )
  })

  it('is reported to a command as a failure, without touching the file', () => {
    makeLedger(20)
    writeFileSync(file, 'This is not a database. '.repeat(1000))
    const [before, beside] = [readFileSync(file), readdirSync(world.folder)]
    expect(failureOf(() => openLedgerReadOnly(world.folder)).code).toBe('ledger-damaged')
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(readdirSync(world.folder)).toEqual(beside)
  })

  it('that a question meets is a failure, and the next start looks at the whole file', () => {
    makeLedger(20)
    const db = new Database(file, { readonly: true })
    const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'credits'").pluck().get() as number
    db.close()
    overwrite(file, 4096 * (page - 1), Buffer.alloc(4096))
    const reader = openLedgerReadOnly(world.folder)!
    expect(failureOf(() => [...reader.exportCredits()]).code).toBe('ledger-damaged')
    expect(failureOf(() => reader.creditPage(0, 10)).code).toBe('ledger-damaged')
    expect(reader.verify({ signatures, networkKeys })).toMatchObject({ ok: false })
    reader.close()
    expect(existsSync(`${file}.suspect`)).toBe(true)
    expect(failureOf(() => openLedger(world.options)).code).toBe('ledger-damaged')
    expect(existsSync(`${file}.suspect`)).toBe(false)
  })

  function overwriteWithOther(): void {
    const other = join(world.folder, 'other.db')
    const db = new Database(other)
    db.exec('CREATE TABLE songs (name TEXT)')
    db.close()
    copyFileSync(other, file)
  }
})

describe('a folder that does not let us', () => {
  it('is named in a failure when a file stands in its place', () => {
    writeFileSync(join(world.folder, 'occupied'), '')
    const folder = join(world.folder, 'occupied')
    expect(failureOf(() => openLedger({ ...world.options, folder }))).toMatchObject({
      code: 'data-folder',
      message: expect.stringContaining('occupied'),
    })
    expect(failureOf(() => acquireEngineLock(join(folder, 'data'))).code).toBe('data-folder')
  })

  it('is named in a failure when it is read-only', (context) => {
    const folder = join(world.folder, 'read-only')
    mkdirSync(folder)
    if (!mountReadOnly(folder))
      return context.skip('this system lets the tests mount nothing read-only, and root may write everywhere else')
    try {
      expect(failureOf(() => openLedger({ ...world.options, folder })).code).toBe('data-folder')
      expect(failureOf(() => acquireEngineLock(folder)).code).toBe('data-folder')
    } finally {
      execFileSync('umount', [folder])
    }
  })

  it('has no ledger to read before the first start', () => {
    expect(openLedgerReadOnly(world.folder)).toBeNull()
    expect(openLedgerReadOnly(join(world.folder, 'absent'))).toBeNull()
  })
})

describe('reading beside a running engine', () => {
  it('sees what is written, and cannot write', () => {
    const ledger = openLedger(world.options)
    const unit = makeUnit()
    ledger.recordUnit(unit, 'cpu0', 'practice')
    const reader = openLedgerReadOnly(world.folder)
    expect(reader?.creditTotals({ dayStart: START }).credits).toBe(0)
    const share = makeShare(unit, 1)
    ledger.recordShare(share)
    ledger.accept(makeReceipt(share))
    expect(reader?.creditTotals({ dayStart: START }).credits).toBe(1)
    expect(reader?.verify({ signatures, networkKeys }).problems).toEqual([])
    expect(reader !== null && 'recordShare' in reader).toBe(false)
    reader?.close()
    ledger.close()
  })
})

describe('backups', () => {
  it('are made once a day, three are kept, and writing goes on meanwhile', async () => {
    makeLedger(1)
    const ledger = openLedger(world.options)
    fillShares(file, 3000, { unitId: makeUnit().id, millisecondsBetween: 1, after: 1 })
    for (let day = 0; day < 5; day++) {
      world.clock.time = START + day * 86_400_000
      const backup = ledger.backUpIfDue()
      ledger.recordEvent({ severity: 'info', words: message('mining-started') })
      expect(await backup).not.toBeNull()
      expect(await ledger.backUpIfDue()).toBeNull()
    }
    ledger.close()
    const backups = readdirSync(join(world.folder, 'backups')).toSorted()
    const version = ledgerSchema.migrations.length
    expect(backups).toEqual([3, 4, 5].map((day) => `ledger-${version}-2026-05-0${day}.db`))
    expect(statSync(join(world.folder, 'backups', backups[0]!)).mode & 0o777).toBe(0o600)
  })

  it('leave nothing behind when the ledger is closed in the middle', async () => {
    makeLedger(1)
    const ledger = openLedger(world.options)
    fillShares(file, 20_000, { unitId: makeUnit().id, millisecondsBetween: 1, after: 1 })
    const backup = ledger.backUpIfDue()
    await new Promise((resolve) => setImmediate(resolve))
    ledger.close()
    expect(await backup).toBeNull()
    const again = openLedger(world.options)
    expect(await again.backUpIfDue()).not.toBeNull()
    again.close()
  })
})

describe('one engine a folder', () => {
  it('refuses the second with the process id of the first, and lets go when the first is killed', async () => {
    const lock = acquireEngineLock(world.folder)
    expect(failureOf(() => acquireEngineLock(world.folder)).code).toBe('already-running')
    writeFileSync(join(world.folder, 'engine.json'), JSON.stringify({ pid: 4242, port: 1 }))
    expect(failureOf(() => acquireEngineLock(world.folder)).message).toContain('process 4242')
    lock.release()
    acquireEngineLock(world.folder).release()

    const script = join(world.folder, 'hold.mjs')
    const sqlite = JSON.stringify(import.meta.resolve('better-sqlite3'))
    writeFileSync(
      script,
      `import Database from ${sqlite}; const db = new Database(${JSON.stringify(join(world.folder, 'engine.lock'))}); db.exec('BEGIN EXCLUSIVE'); process.send('held'); setInterval(() => db.open, 1000)`,
    )
    const child = fork(script)
    try {
      await new Promise((resolve) => child.once('message', resolve))
      expect(failureOf(() => acquireEngineLock(world.folder)).code).toBe('already-running')
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      acquireEngineLock(world.folder).release()
    } finally {
      child.kill('SIGKILL')
    }
  })
})

function overwrite(target: string, position: number, bytes: Buffer): void {
  const handle = openSync(target, 'r+')
  writeSync(handle, bytes, 0, bytes.length, position)
  closeSync(handle)
}

function mountReadOnly(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
