/** Drivers of others: approved, tried, mining beside the processor, refused and quarantined. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { follow, lode, root, startLode, temporaryFolder, type Finished } from '../support/lode'
import { lodeAtTerminal, whyNoTerminal } from '../support/terminal'
import { answerOf, devicesAnswer, driverAnswer, mineEvent } from './cli-schemas'

const CPU_DRIVER = join(root, 'out/native/lode_driver_cpu.driver')
/** Single products only: Lode does the rest. */
const PRODUCTS_DRIVER = join(root, 'out/native/drivers/products/products.driver')
const platform = `${process.platform}-${process.arch}`

/** A folder with a library and its manifest. */
function driverFolder(name: string, library: string | Buffer, changes: Record<string, unknown> = {}): string {
  const folder = join(temporaryFolder(), name)
  mkdirSync(folder)
  const file = join(folder, 'library.driver')
  if (typeof library === 'string') copyFileSync(library, file)
  else writeFileSync(file, library)
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  const manifest = {
    name,
    vendor: 'A maker',
    version: '1.2',
    abi: 1,
    platforms: [platform],
    file: 'library.driver',
    sha256,
    licence: 'MIT',
  }
  writeFileSync(join(folder, 'driver.json'), JSON.stringify({ ...manifest, ...changes }))
  return folder
}

const add = (dataDir: string, folder: string, ...options: string[]): Promise<Finished> =>
  lode(dataDir, ['drivers', 'add', folder, '--json', ...options])
const list = async (dataDir: string) =>
  answerOf(z.array(driverAnswer), await lode(dataDir, ['drivers', 'list', '--json']))

const PROMPT = { prompt: 'Add it? [y/N]' }
const noTerminal = whyNoTerminal()

describe.runIf(existsSync(CPU_DRIVER))('drivers', () => {
  test('one that was approved mines beside the processor, and both earn', async () => {
    const dataDir = temporaryFolder()
    const folder = driverFolder('other', PRODUCTS_DRIVER)
    if (noTerminal === null) {
      const { code, screen } = await lodeAtTerminal(dataDir, ['drivers', 'add', folder], { ...PROMPT, type: 'y\r' })
      expect(screen).toMatch(/other 1\.2\s+vendor {3}A maker\s+licence {2}MIT\s+SHA-256 {2}[0-9a-f]{64}\s/)
      expect(screen).toContain('other  1.2, A maker, MIT: ready')
      expect(code).toBe(0)
    } else answerOf(driverAnswer, await add(dataDir, folder, '--yes'))
    const [added] = await list(dataDir)
    if (!added) throw new Error('the driver was not added')
    expect(added).toMatchObject({ name: 'other', vendor: 'A maker', state: 'ready' })
    const [device] = added.devices
    expect(device?.id).toMatch(/^other-/)
    const mining = follow(startLode(dataDir, ['mine', '--json', '--no-dashboard', '--no-samples', '--threads', '1']))
    const credits = (id: string | undefined) =>
      mining.until((line) => line.event === 'credit' && line.state === 'accepted' && line.device === id)
    await Promise.all([credits('cpu0'), credits(device?.id)])
    mining.child.kill('SIGINT')
    expect((await mining.exited).code).toBe(0)
    expect(() => mining.events.map((line) => mineEvent.parse(line))).not.toThrow()
    expect((await lode(dataDir, ['ledger', 'verify', '--json'])).code).toBe(0)
    expect((await lode(dataDir, ['drivers', 'remove', 'other'])).code).toBe(0)
    expect(await list(dataDir)).toEqual([])
  })

  test('one that nobody approves is not added', async () => {
    const dataDir = temporaryFolder()
    const refused = await add(dataDir, driverFolder('other', CPU_DRIVER))
    expect(refused.code).toBe(2)
    expect(await list(dataDir)).toEqual([])
  })

  test.for([
    ['no', 'n\r'],
    ['the end of the input', null],
    ['Ctrl-C', '\u0003'],
  ] as const)('one to which the answer at the terminal is %s is not added', async ([, type], context) => {
    if (noTerminal !== null) context.skip(noTerminal)
    const dataDir = temporaryFolder()
    const folder = driverFolder('other', CPU_DRIVER)
    const { code, screen } = await lodeAtTerminal(dataDir, ['drivers', 'add', folder], { ...PROMPT, type })
    expect(screen).toMatch(/\nlode: the driver was not added\r?\n$/)
    expect(screen).not.toContain('Error')
    expect(code).toBe(1)
    expect(existsSync(join(dataDir, 'drivers'))).toBe(false)
  })

  test.each([
    ['another hash', () => driverFolder('other', CPU_DRIVER, { sha256: 'ab'.repeat(32) }), 'SHA-256'],
    ['another version of the interface', () => driverFolder('other', CPU_DRIVER, { abi: 9 }), 'version 9'],
    ['another platform', () => driverFolder('other', CPU_DRIVER, { platforms: ['plan9-mips'] }), 'plan9-mips'],
    ['a path instead of a file', () => driverFolder('other', CPU_DRIVER, { file: '../library.driver' }), 'file'],
    ['no library', () => driverFolder('other', CPU_DRIVER, { file: 'absent.driver' }), 'is not there'],
    [
      'a library for another machine',
      () => {
        const foreign = readFileSync(CPU_DRIVER)
        foreign.writeUInt16LE(foreign.readUInt16LE(18) === 183 ? 62 : 183, 18)
        return driverFolder('other', foreign)
      },
      'the library is for',
    ],
    ['rubbish as its library', () => driverFolder('other', Buffer.from('rubbish')), 'no shared library'],
    [
      'a library without the entry',
      () => driverFolder('other', join(root, 'out/native/lode_native.node')),
      'lode_driver_entry',
    ],
  ])('one with %s is refused in a sentence, and nothing of it stays', async (_what, make, words) => {
    const dataDir = temporaryFolder()
    const refused = await add(dataDir, make(), '--yes')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr + refused.stdout).toContain(words)
    expect(await list(dataDir)).toEqual([])
    expect(existsSync(join(dataDir, 'drivers/other'))).toBe(false)
  })

  test('one whose file changed since it was approved is not loaded', async () => {
    const dataDir = temporaryFolder()
    await add(dataDir, driverFolder('other', CPU_DRIVER), '--yes')
    writeFileSync(join(dataDir, 'drivers/other/library.driver'), 'something else')
    const [driver] = await list(dataDir)
    expect(driver).toMatchObject({
      name: 'other',
      state: 'changed',
      reason: expect.stringMatching(/approved/) as string,
    })
    const [device] = driver?.devices ?? []
    const devices = answerOf(devicesAnswer, await lode(dataDir, ['devices', '--json']))
    expect(devices.find(({ id }) => id === device?.id)).toMatchObject({ canMine: false, reason: driver?.reason })
  })
})
