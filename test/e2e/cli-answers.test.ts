/** What the command answers without a running engine: fields and types of every row, with and without `--json`. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TIERS } from '#shared/domain/tiers'
import { readVectors } from '../support/itp1-vectors'
import { lode, processesMentioning, temporaryFolder } from '../support/lode'
import {
  addressAnswer,
  answerOf,
  benchAnswer,
  devicesAnswer,
  digestAnswer,
  failureOf,
  modelsAnswer,
  statusAnswer,
  verifyAnswer,
} from './cli-schemas'

const dataDir = temporaryFolder()

describe('without an engine', () => {
  test('devices: the CPU can mine, and whatever cannot says why', async () => {
    const devices = answerOf(devicesAnswer, await lode(dataDir, ['devices', '--json']))
    expect(devices.find(({ id }) => id === 'cpu0')).toMatchObject({
      kind: 'cpu',
      canMine: true,
      backends: expect.arrayContaining(['onnx-cpu', 'reference']) as string[],
    })
    for (const device of devices) if (!device.canMine) expect(device.reason).toMatch(/\w/)
    const plain = await lode(dataDir, ['devices'])
    expect(plain.code).toBe(0)
    for (const { id, name } of devices) expect(plain.stdout).toContain(`${id}  ${name}`)
    const [cpu0] = devices
    expect(plain.stdout).toMatch(cpu0?.watts === null ? /Power not available \(/ : /W (measured|estimated) \(/)
    expect(plain.stdout).toMatch(/; energy (measured|estimated|not available)/)
    expect(plain.stdout).toMatch(/; (temperature not available|\d+ °C measured)$/m)
    expect(cpu0?.energyFrom).toBe(
      cpu0?.watts === null ? null : cpu0?.wattsCertainty === 'measured' ? 'counter' : 'power',
    )
  })

  test('status: not mining, no process id, nothing earned', async () => {
    const status = answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))
    expect(status).toMatchObject({
      mining: false,
      credits: 0,
      creditMacs: { epoch: '0', today: '0', total: '0', held: '0' },
      dataDir,
    })
    expect(status.pid).toBeUndefined()
    const plain = await lode(dataDir, ['status'])
    expect(plain.stdout).toContain('No engine runs')
    expect(plain.stdout).toContain('no market value')
    expect(plain.stdout).toContain(dataDir)
  })

  test('bench: rates are numbers, the checksum is ok', async () => {
    const options = ['bench', '--device', 'cpu0', '--backend', 'onnx-cpu', '--tier', 'itp1-small', '--seconds', '1']
    const bench = answerOf(benchAnswer, await lode(dataDir, [...options, '--json']))
    expect(bench).toMatchObject({ device: 'cpu0', backend: 'onnx-cpu', tier: 'itp1-small', checksum: 'ok' })
    expect(bench.macsPerSecond / bench.noncesPerSecond).toBeCloseTo(Number(TIERS['itp1-small'].macs), -3)
    if (bench.watts !== undefined) expect(bench.macsPerJoule).toBeCloseTo(bench.macsPerSecond / bench.watts, -3)
    expect(failureOf(await lode(dataDir, ['bench', '--device', 'gpu7', '--json'])).code).toBe('not-found')
  })

  test('models: a list of manifests', async () => {
    const models = answerOf(modelsAnswer, await lode(dataDir, ['models', 'list', '--json']))
    for (const model of models) expect(model).toMatchObject({ builtIn: true, state: 'ready' })
    expect(failureOf(await lode(dataDir, ['models', 'remove', 'no-such-model', '--json'])).code).toBe('not-found')
  })

  test('ledger: in order and empty', async () => {
    expect(answerOf(verifyAnswer, await lode(dataDir, ['ledger', 'verify', '--json']))).toEqual({
      ok: true,
      credits: 0,
      receipts: 0,
      creditMacs: '0',
      problems: [],
    })
    expect(await lode(dataDir, ['ledger', 'export', '--json'])).toMatchObject({ code: 0, stdout: '' })
    const csv = await lode(dataDir, ['ledger', 'export', '--csv'])
    expect(csv.stdout.trim()).toBe(
      'id,at,network,rig,device,kind,ref,macs,factorMilli,creditMacs,state,reason,receipt,model,joules,joulesCertainty,milliseconds,tokensIn,tokensOut',
    )
  })

  test('address: refused with what is wrong, set once confirmed, shown', async () => {
    const address = '0x52908400098527886E0F7030069857D2E4169EE7'
    const wrong = address.replace('E', 'e')
    expect(await lode(dataDir, ['address', 'show', '--json'])).toMatchObject({ code: 0, stdout: 'null\n' })
    const refused = failureOf(await lode(dataDir, ['address', 'set', wrong, '--confirm', '169EE7', '--json']))
    expect(refused.code).toBe('address-refused')
    const unconfirmed = failureOf(await lode(dataDir, ['address', 'set', address, '--confirm', '000000', '--json']))
    expect(unconfirmed).toMatchObject({ code: 'address-refused' })
    const set = answerOf(
      addressAnswer,
      await lode(dataDir, ['address', 'set', address, '--confirm', '169EE7', '--json']),
    )
    expect(set).toMatchObject({ address, type: 'evm' })
    expect(answerOf(addressAnswer, await lode(dataDir, ['address', 'show', '--json']))).toEqual(set)
    expect((await lode(dataDir, ['address', 'show'])).stdout).toContain(address)
  })

  test.each(['start', 'stop', 'stop --finish'])('%s says that no engine runs', async (words) => {
    const command = words.split(' ')
    const failure = failureOf(await lode(dataDir, [...command, '--json']))
    expect(failure).toMatchObject({ code: 'not-running' })
    expect(failure.action).toContain('lode mine')
    const plain = await lode(dataDir, command)
    expect(plain).toMatchObject({ code: 1, stdout: '' })
    expect(plain.stderr.trim().split('\n')).toHaveLength(1)
  })

  test('leaves no process and no engine.json behind, and a folder that its owner alone can read', () => {
    expect(processesMentioning(dataDir)).toEqual([])
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(false)
    for (const file of readdirSync(dataDir).filter((name) => /\.(key|db)$/.test(name)))
      expect(statSync(join(dataDir, file)).mode & 0o077).toBe(0)
  })
})

test('--data-dir wins over LODE_DATA_DIR, also before the command', async () => {
  const [chosen, unused] = [join(temporaryFolder(), 'new', 'folder'), temporaryFolder()]
  const after = answerOf(statusAnswer, await lode(unused, ['status', '--json', '--data-dir', chosen]))
  expect(after.dataDir).toBe(chosen)
  const before = answerOf(statusAnswer, await lode(unused, ['--data-dir', chosen, 'status', '--json']))
  expect(before.dataDir).toBe(chosen)
  expect(readdirSync(unused)).toEqual([])
  expect(statSync(chosen).mode & 0o777).toBe(0o700)
})

test('an empty LODE_DATA_DIR means the convention of the platform', async () => {
  const home = temporaryFolder()
  mkdirSync(join(home, 'share'))
  const environment = { LODE_DATA_DIR: '', HOME: home, XDG_DATA_HOME: join(home, 'share'), LOCALAPPDATA: home }
  const { dataDir: used } = answerOf(statusAnswer, await lode('', ['status', '--json'], { env: environment }))
  expect(used.startsWith(home)).toBe(true)
})

// Each is a process of its own: several at a time.
describe.concurrent('proof digest', () => {
  const { cases } = readVectors()
  const options = ({ tier, epoch, publicKey, nonce }: (typeof cases)[number]): string[] =>
    `proof digest --tier ${tier} --epoch ${epoch} --public-key ${publicKey} --nonce ${nonce}`.split(' ')
  // The reference takes half a minute and more for one nonce of itp1-base: once is enough.
  const firstOfBase = cases.find(({ tier }) => tier === 'itp1-base')
  const table = (['onnx-cpu', 'reference'] as const).flatMap((backend) =>
    cases
      .filter((vector) => backend === 'onnx-cpu' || vector.tier !== 'itp1-base' || vector === firstOfBase)
      .map((vector) => ({ backend, vector })),
  )

  for (const { backend, vector } of table) {
    const tags = vector.tier === 'itp1-base' && backend === 'reference' ? ['long'] : []
    test(`of ${vector.tier}, nonce ${vector.nonce}, with ${backend} is the golden one`, { tags }, async () => {
      const finished = await lode(dataDir, [...options(vector), '--backend', backend, '--json'])
      const { digest, macs, tier, backend: used } = answerOf(digestAnswer, finished)
      expect({ digest, macs, tier, used }).toEqual({
        digest: vector.digest,
        macs: TIERS[vector.tier].macs.toString(),
        tier: vector.tier,
        used: backend,
      })
      expect(finished.stderr).toBe('')
    })
  }

  test('without --json prints the 64 digits alone, and needs no data folder', async () => {
    const [vector] = cases
    if (!vector) throw new Error('there are no vectors')
    const nowhere = join(dataDir, 'never-made')
    expect(await lode(nowhere, options(vector))).toMatchObject({ code: 0, stdout: `${vector.digest}\n`, stderr: '' })
    expect(existsSync(nowhere)).toBe(false)
  })
})
