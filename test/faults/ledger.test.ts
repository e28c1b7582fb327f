/**
 * Files of the data folder that are damaged, newer, left behind or not to be had, met by the real command: moved aside or
 * refused with a sentence, never deleted, and mining does not pretend.
 */
import Database from 'better-sqlite3'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { follow, lode, processesMentioning, startLode, temporaryFolder, type Finished } from '../support/lode'
import { eventually } from '../support/waiting'

const failureLine = z.object({ error: z.object({ code: z.string(), message: z.string(), action: z.string().min(1) }) })
const statusLine = z.object({ mining: z.boolean(), credits: z.number(), pid: z.number().optional() })

const MINE = ['mine', '--no-dashboard', '--tier', 'itp1-test', '--max-credits', '1', '--json']

/** A data folder in which something was earned. */
const template = temporaryFolder()
let earned: string[] = []
beforeAll(async () => {
  await mineOne(template)
  earned = await acceptedCredits(template)
})

/** Earns at least one credit more; returns what the command said. */
async function mineOne(dataDir: string): Promise<Finished> {
  const mined = await lode(dataDir, MINE)
  if (mined.code !== 0) throw new Error(`exit code ${mined.code}: ${mined.stdout}${mined.stderr}`)
  return mined
}

async function acceptedCredits(dataDir: string): Promise<string[]> {
  const lines = (await lode(dataDir, ['ledger', 'export', '--json'])).lines()
  return lines.filter(({ state }) => state === 'accepted').map(({ id }) => String(id))
}

/** All that was earned before is there once, something was added, and the ledger is in order. */
async function expectGrown(dataDir: string): Promise<void> {
  const credits = await acceptedCredits(dataDir)
  expect(credits.slice(0, earned.length).toSorted()).toEqual(earned.toSorted())
  expect(new Set(credits).size).toBe(credits.length)
  expect(credits.length).toBeGreaterThan(earned.length)
  await expectInOrder(dataDir)
}

async function expectInOrder(dataDir: string): Promise<void> {
  const verified = await lode(dataDir, ['ledger', 'verify', '--json'])
  expect(verified.json()).toMatchObject({ ok: true, problems: [] })
}

function copyOfTemplate(): string {
  const folder = temporaryFolder()
  cpSync(template, folder, { recursive: true })
  return folder
}

/** Exit code 1 and a failure as the last thing on standard output. */
function failureOf(finished: Finished): z.infer<typeof failureLine>['error'] {
  expect(finished.code).toBe(1)
  return failureLine.parse(finished.lines().at(-1)).error
}

const isMiningEvent = ({ event }: Record<string, unknown>): boolean => event === 'share' || event === 'credit'
const kept = (dataDir: string, pattern: RegExp): string[] => readdirSync(dataDir).filter((name) => pattern.test(name))

describe('a damaged ledger', () => {
  const damage: [string, (bytes: Buffer) => Buffer, tags: string[]][] = [
    ['with another header', (bytes) => Buffer.concat([Buffer.alloc(100, 0x5a), bytes.subarray(100)]), ['long']],
    [
      'with pages of other bytes',
      (bytes) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xa5)]),
      [],
    ],
    ['of which half is missing', (bytes) => bytes.subarray(0, 4096 * 3 + 17), ['long']],
    ['that is another file', () => Buffer.from('This is a diary, not a ledger.\n'.repeat(500)), []],
  ]

  for (const [what, change, tags] of damage) {
    test(`${what} is moved aside once, named, and mining does not pretend`, { tags }, async () => {
      const dataDir = copyOfTemplate()
      const file = join(dataDir, 'ledger.db')
      const bytes = change(readFileSync(file))
      writeFileSync(file, bytes)
      // A command that only reads says so and touches nothing.
      const read = failureOf(await lode(dataDir, ['ledger', 'verify', '--json']))
      expect(read.code).toBe('ledger-damaged')
      expect(readFileSync(file).equals(bytes)).toBe(true)

      const mined = await lode(dataDir, MINE)
      const failure = failureOf(mined)
      expect(failure.code).toBe('ledger-damaged')
      expect(mined.lines().filter(isMiningEvent)).toEqual([])
      const [aside, ...more] = kept(dataDir, /^ledger\.damaged-.*\.db$/)
      expect(more).toEqual([])
      expect(failure.message).toContain(aside)
      expect(readFileSync(join(dataDir, aside ?? '')).equals(bytes)).toBe(true)

      await mineOne(dataDir)
      await expectInOrder(dataDir)
      expect(readFileSync(join(dataDir, aside ?? '')).equals(bytes)).toBe(true)
    })
  }
})

test('a ledger from a newer version is refused by every command, and left as it is', async () => {
  const dataDir = copyOfTemplate()
  const file = join(dataDir, 'ledger.db')
  const ledger = new Database(file)
  ledger.pragma('user_version = 99')
  ledger.close()
  const bytes = readFileSync(file)
  for (const command of [['status'], ['ledger', 'verify'], ['ledger', 'export'], MINE]) {
    const finished = await lode(dataDir, [...command, '--json'])
    const failure = failureOf(finished)
    expect(failure.code).toBe('ledger-newer')
    expect(failure.message).toContain('newer version')
    expect(finished.lines().filter(isMiningEvent)).toEqual([])
  }
  expect(readFileSync(file).equals(bytes)).toBe(true)
  expect(processesMentioning(dataDir)).toEqual([])
})

describe('a data folder that is not to be had', () => {
  const file = join(template, 'rig.key')
  test.each([
    ['is a file', file],
    ['would lie in a file', join(file, 'deeper')],
    ...(process.platform === 'linux' ? [['may not be written', '/proc/lode-test']] : []),
  ])('because it %s is refused by its name', async (_what, dataDir = '') => {
    const before = readFileSync(file)
    for (const command of [['status', '--json'], MINE]) {
      const failure = failureOf(await lode(dataDir, command))
      expect(failure.code).toBe('data-folder')
      expect(failure.message).toContain(dataDir)
    }
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

describe('the file that says where the engine is', () => {
  test('left by a killed engine misleads nobody', async () => {
    const dataDir = copyOfTemplate()
    const child = startLode(dataDir, ['serve', '--json'])
    const serving = follow(child)
    await serving.until(({ pid }) => pid === child.pid)
    child.kill('SIGKILL')
    await serving.exited
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(true)
    const status = statusLine.parse((await lode(dataDir, ['status', '--json'])).json())
    expect(status).toMatchObject({ mining: false, credits: earned.length })
    expect(status.pid).toBeUndefined()
    expect(failureOf(await lode(dataDir, ['stop', '--json'])).code).toBe('not-running')
    await eventually(() => processesMentioning(dataDir).length === 0, 'its processes ended')
  })

  const stranger = { pid: process.pid, startedAt: 0, port: 9, token: 'x'.repeat(43), version: '0.0.0' }
  const records: [what: string, text: string, tags: string[]][] = [
    ['half written', '{"pid":', []],
    ['of other words', '{"pid":"many","port":-1}', ['long']],
    ['naming a program that is no engine', JSON.stringify(stranger), ['long']],
  ]
  for (const [what, text, tags] of records) {
    test(`${what} does not keep a new engine from starting`, { tags }, async () => {
      const dataDir = copyOfTemplate()
      writeFileSync(join(dataDir, 'engine.json'), text)
      expect((await lode(dataDir, ['stop', '--json'])).code).toBe(1)
      expect((await lode(dataDir, ['status', '--json'])).code).toBe(0)
      await mineOne(dataDir)
      await expectGrown(dataDir)
    })
  }

  test('gone, while the engine runs: a second one is refused all the same', async () => {
    const dataDir = copyOfTemplate()
    const child = startLode(dataDir, ['serve', '--json'])
    const serving = follow(child)
    await serving.until(({ pid }) => pid === child.pid)
    rmSync(join(dataDir, 'engine.json'))
    const second = await lode(dataDir, MINE)
    expect(failureOf(second).code).toBe('already-running')
    expect(second.lines().filter(isMiningEvent)).toEqual([])
    child.kill('SIGTERM')
    expect((await serving.exited).code).toBe(0)
  })
})

test('a damaged rig key is refused by its name and kept; without it the rig is another, and the old credit stands', async () => {
  const dataDir = copyOfTemplate()
  const key = join(dataDir, 'rig.key')
  writeFileSync(key, 'not a key')
  const failure = failureOf(await lode(dataDir, MINE))
  expect(failure.code).toBe('data-folder')
  expect(failure.message).toContain(key)
  expect(readFileSync(key, 'utf8')).toBe('not a key')
  renameSync(key, `${key}.old`)
  await mineOne(dataDir)
  await expectGrown(dataDir)
})

describe('the practice network', () => {
  const faults: [string, name: string, (file: string) => void, tags: string[]][] = [
    ['whose store is damaged', 'network.db', (file) => truncateSync(file, 5000), []],
    ['whose store is another file', 'network.db', (file) => writeFileSync(file, 'a diary '.repeat(2000)), ['long']],
    ['whose key is damaged', 'network.key', (file) => writeFileSync(file, 'not a key'), ['long']],
    ['whose store is gone', 'network.db', (file) => rmSync(file), ['long']],
    ['whose key is gone', 'network.key', (file) => rmSync(file), ['long']],
  ]
  for (const [what, name, change, tags] of faults) {
    test(`${what} is recreated; no credit is lost, and the ledger stays in order`, { tags }, async () => {
      const dataDir = copyOfTemplate()
      const file = join(dataDir, name)
      change(file)
      const before = existsSync(file) ? readFileSync(file) : null
      const mined = await mineOne(dataDir)
      const aside = kept(dataDir, new RegExp(`^${name.replace('.', '\\.')}\\.damaged-[^w]*$`))
      expect(aside.map((entry) => readFileSync(join(dataDir, entry)).equals(before ?? Buffer.alloc(0)))).toEqual(
        before === null ? [] : [true],
      )
      if (before !== null) expect(mined.stderr).toContain(aside[0])
      await expectGrown(dataDir)
    })
  }
})

test('damaged measurements are moved aside; the ledger and mining go on', async () => {
  const dataDir = copyOfTemplate()
  const [name] = kept(dataDir, /^metrics.*\.db$/)
  writeFileSync(join(dataDir, name ?? ''), 'a diary '.repeat(2000))
  await mineOne(dataDir)
  expect(kept(dataDir, /^metrics\.damaged-.*|^metrics\.db\.damaged-.*/)).not.toEqual([])
  await expectGrown(dataDir)
})
