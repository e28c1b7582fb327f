/** `lode drivers check`: right drivers pass, and each of the broken ones fails where it is broken. */
import { createHash, randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openLedger } from '#engine/ledger/index'
import { startTestEngine } from '../support/engine'
import { lode, root, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'
import { said } from '../support/said'

const native = join(root, 'out/native')
const built = existsSync(join(native, 'lode_native.node'))
const reportAnswer = z.strictObject({
  ok: z.boolean(),
  checks: z.array(z.strictObject({ id: z.string(), ok: z.boolean(), detail: z.string().min(1) })),
  macsPerSecond: z.number().nullable(),
})
const work = temporaryFolder()

async function check(
  path: string,
  options: string[] = [],
): Promise<{ code: number; report: z.infer<typeof reportAnswer> }> {
  const { code, stdout } = await lode(work, ['drivers', 'check', path, '--json', '--seconds', '1', ...options])
  return { code: code ?? -1, report: reportAnswer.parse(JSON.parse(stdout)) }
}

// A process each, one of which mostly waits: two at a time.
describe.skipIf(!built).concurrent('the conformance kit', () => {
  // Begins first: the others run while it waits.
  test('a driver that hangs is given up', { tags: ['long'] }, async () => {
    const path = join(native, 'build/drivers/broken/broken_hang.driver')
    const { report } = await check(path, ['--time-limit', '20'])
    const cancellation = report.checks.find(({ id }) => id === 'cancellation')
    expect(cancellation).toMatchObject({ ok: false, detail: expect.stringMatching(/hangs/) as string })
    // not the largest tier: on a busy machine its two nonces take this driver longer than the limit of this test
    expect(report.checks.find(({ id }) => id === 'vectors-itp1-small')?.ok).toBe(true)
  })

  // The whole kit takes a driver the better part of a minute; one that cannot be loaded ends it at its first check.
  const right = [
    ...['drivers/template', 'drivers/products'].map((path) => ({ path, tags: ['long'] })),
    { path: process.platform === 'linux' ? 'drivers/asic-sim' : 'lode_driver_cpu.driver', tags: [] },
    ...(process.platform === 'linux' ? [{ path: 'lode_driver_cpu.driver', tags: ['long'] }] : []),
  ]
  const broken = [
    { way: 'abi', ids: ['library'], words: /does not speak version 1/, tags: [] },
    { way: 'size', ids: ['library'], words: /smaller than version 1/, tags: [] },
    { way: 'symbol', ids: ['library'], words: /no lode_driver_entry/, tags: [] },
    { way: 'digest', ids: ['determinism'], words: /not the reference's|two digests/, tags: ['long'] },
    { way: 'leak', ids: ['open-close'], words: /memory grew/, tags: ['long'] },
    { way: 'limit', ids: ['out-of-memory'], words: /limit of one byte/, tags: ['long'] },
  ]

  for (const { path, tags } of right) {
    test(`${path} passes, with a speed`, { tags }, async () => {
      const { code, report } = await check(join(native, path))
      expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
      expect(report.checks).toHaveLength(17)
      expect(report).toMatchObject({ ok: true })
      // MACs and not nonces; how many is for benchmarks
      expect(report.macsPerSecond).toBeGreaterThan(1e7)
      expect(code).toBe(0)
    })
  }

  for (const { way, ids, words, tags } of broken) {
    test(`a driver that is broken in its ${way} fails there and nowhere else`, { tags }, async () => {
      const { code, report } = await check(join(native, 'build/drivers/broken', `broken_${way}.driver`))
      const failures = report.checks.filter(({ ok }) => !ok)
      expect(failures.map(({ id }) => id)).toEqual(ids)
      expect(failures[0]?.detail).toMatch(words)
      expect(report.ok).toBe(false)
      expect(code).toBe(1)
    })
  }

  describe('a driver whose library does not speak this version, whatever its manifest says', () => {
    const sentence = 'the driver does not speak version 1 of the driver interface'
    const file = join(native, 'build/drivers/broken/broken_abi.driver')
    const place = (folder: string): string => {
      mkdirSync(folder, { recursive: true })
      copyFileSync(file, join(folder, 'library.driver'))
      const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
      const said = { name: 'other', vendor: 'A maker', version: '1', licence: 'MIT', abi: 1, file: 'library.driver' }
      const platforms = [`${process.platform}-${process.arch}`]
      writeFileSync(join(folder, 'driver.json'), JSON.stringify({ ...said, platforms, sha256 }))
      return sha256
    }

    test('is not added', async () => {
      const dataDir = temporaryFolder()
      place(join(dataDir, 'offered'))
      const { code, stderr } = await lode(dataDir, ['drivers', 'add', join(dataDir, 'offered'), '--yes'])
      expect(stderr).toBe(`lode: other was not added: ${sentence}. Ask the driver's maker for one that works here.\n`)
      expect(code).toBe(1)
      expect(existsSync(join(dataDir, 'drivers/other'))).toBe(false)
    })

    test('is not used where it was approved, as after another version of Lode', async () => {
      const dataDir = temporaryFolder()
      const sha256 = place(join(dataDir, 'drivers/other'))
      const known = { kind: 4, name: 'A chip', units: '', firmware: '', memoryBytes: 0, maximumThreads: 0 }
      const clock = { now: () => Date.now() }
      const ledger = openLedger({ folder: dataDir, clock, ids: { uuid: randomUUID }, onNotice: () => undefined })
      ledger.saveSetting('drivers', { other: { sha256, devices: [{ id: 'chip0', ...known }] } })
      ledger.close()
      const { engine, close } = await startTestEngine(dataDir)
      const { handlers } = engine.api
      const words = `It cannot be used now: ${sentence}.`
      await eventually(
        async () => (await handlers['drivers.list'](null))[0]?.state === 'unsupported',
        'that it was tried',
      )
      const [driver] = await handlers['drivers.list'](null)
      expect(driver?.name).toBe('other')
      expect(said(driver?.reason)).toBe(words)
      const devices = await handlers['devices.list'](null)
      expect(devices.find(({ id }) => id === 'other-chip0')).toMatchObject({
        canMine: false,
        quarantined: false,
        reason: driver?.reason,
      })
      expect(devices.find(({ id }) => id === 'cpu0')).toMatchObject({ canMine: true })
      await close()
    })
  })

  test('a driver that crashes takes only its own process with it', { tags: ['long'] }, async () => {
    const { code, report } = await check(join(native, 'build/drivers/broken/broken_crash.driver'))
    const failures = report.checks.filter(({ ok }) => !ok)
    expect(failures.map(({ id }) => id)).toContain('vectors-itp1-test')
    expect(failures.every(({ detail }) => /crashed the process/.test(detail))).toBe(true)
    expect(report.checks.find(({ id }) => id === 'open')?.ok).toBe(true)
    expect(code).toBe(1)
  })

  test('what is no library, or one for another machine, is never loaded', async () => {
    const text = join(work, 'text.driver')
    writeFileSync(text, 'x'.repeat(1000))
    expect((await check(text)).report.checks[0]).toMatchObject({ ok: false, detail: 'the file is no shared library' })
    const foreign = Buffer.from(readFileSync(join(native, 'lode_driver_cpu.driver')))
    foreign.writeUInt16LE(foreign.readUInt16LE(18) === 183 ? 62 : 183, 18)
    const other = join(work, 'other.driver')
    writeFileSync(other, foreign)
    expect((await check(other)).report.checks[0]?.detail).toMatch(/the library is for .*; this computer is/)
    expect((await lode(work, ['drivers', 'check', join(work, 'none')])).code).toBe(1)
    expect((await lode(work, ['drivers', 'check'])).code).toBe(2)
  })
})
