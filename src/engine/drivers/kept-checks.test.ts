import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DriverRow } from '#shared/contract/drivers'
import { createNodeProcessHost } from '#process/node-host'
import { foreignWords } from '#shared/domain/messages'
import { openLedger, type Ledger } from '../ledger'
import { createKeptDriverChecks } from './kept-checks'
import { PLATFORM } from './store'

const out = join(import.meta.dirname, '../../../out')
const BROKEN = join(out, 'native/build/drivers/broken/broken_abi.driver')
const clock = { now: () => 1_795_000_000_000 }

let folder: string
let ledger: Ledger
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lode-checks-'))
  ledger = openLedger({ folder, clock, ids: { uuid: () => v7() }, onNotice: () => undefined })
})
afterEach(() => {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

function place(library: string): DriverRow {
  const target = join(folder, 'drivers', 'broken')
  mkdirSync(target, { recursive: true })
  copyFileSync(library, join(target, 'library.driver'))
  const sha256 = createHash('sha256').update(readFileSync(library)).digest('hex')
  const said = { name: 'broken', vendor: 'A maker', version: '1', platforms: [PLATFORM], licence: 'MIT', sha256 }
  writeFileSync(join(target, 'driver.json'), JSON.stringify({ ...said, abi: 1, file: 'library.driver' }))
  return { ...said, state: 'quarantined', reason: foreignWords('It lies.'), devices: [] }
}

describe.runIf(existsSync(BROKEN))('conformance checks of added drivers', () => {
  it('are kept with their result, for the file that was checked, and run on approved files only', async () => {
    const row = place(BROKEN)
    let rows: DriverRow[] = [row]
    const open = () =>
      createKeptDriverChecks(
        { ledger, host: createNodeProcessHost(join(out, 'node')), clock },
        { folder: join(folder, 'drivers'), drivers: { list: () => rows } },
      )
    const checks = open()
    expect(checks.list()).toEqual([])
    const found = await checks.run('broken')
    expect(found).toMatchObject({ name: 'broken', sha256: row.sha256, at: clock.now(), ok: false, macsPerSecond: null })
    expect(found.checks).toMatchObject([{ id: 'library', ok: false }])
    expect(open().list()).toEqual([found])
    await expect(checks.run('absent')).rejects.toMatchObject({ code: 'not-found' })
    rows = [{ ...row, sha256: 'ab'.repeat(32) }]
    expect(checks.list()).toEqual([])
    await expect(checks.run('broken')).rejects.toMatchObject({ code: 'conflict' })
  })
})
