/** Benchmarks through the real command: time-boxed, kept, cancelled, signed, verified elsewhere, and unforgiving of wrong results. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connectWebSocket } from '#cli/client'
import { readEngineFile } from '#host/engine-file'
import type { Device } from '#shared/contract/devices'
import { signedBenchmark } from '#shared/domain/benchmark-report'
import { GOLDEN } from '#shared/domain/golden'
import { signObject } from '#shared/domain/signed'
import { openLedger } from '#engine/ledger/index'
import { createSigner } from '#engine/network/index'
import { finished, lode, root, startLode, temporaryFolder, type Finished } from '../support/lode'
import { eventually } from '../support/waiting'
import {
  answerOf,
  benchAnswer,
  benchVerifyAnswer,
  devicesAnswer,
  driverAnswer,
  failureOf,
  statusAnswer,
} from './cli-schemas'

const TEST = ['--backend', 'onnx-cpu', '--tier', 'itp1-test'] as const
const ASIC_FOLDER = join(root, 'out/native/drivers/asic-sim')
const ASIC = 'asic-sim-asic0'

/** The engine that a command runs in this data folder, once it is there, looked into from outside. */
async function watch(
  dataDir: string,
): Promise<{ until: (fits: (device: Device) => boolean, id?: string) => Promise<void> }> {
  let file: ReturnType<typeof readEngineFile> = null
  await eventually(() => (file = readEngineFile(dataDir)) !== null, 'the engine')
  const { port, token } = file!
  const client = await connectWebSocket(port, token)
  return {
    until: (fits, id = 'cpu0') =>
      eventually(
        async () => (await client.call('devices.list', null)).some((device) => device.id === id && fits(device)),
        `the state of ${id}`,
      ),
  }
}

/** An engine that stays, and what ends it. */
async function serve(dataDir: string): Promise<Awaited<ReturnType<typeof watch>> & { stop: () => Promise<void> }> {
  const engine = startLode(dataDir, ['serve', '--json'])
  const ended = finished(engine)
  return {
    ...(await watch(dataDir)),
    stop: async () => {
      engine.kill('SIGTERM')
      await ended
    },
  }
}

/** A failed `bench`: its answer with exit code 1. */
function wrongAnswer(run: Finished): z.infer<typeof benchAnswer> {
  expect(run.code).toBe(1)
  return benchAnswer.parse(run.json())
}

const ZEROS = '00'.repeat(32)

describe('a benchmark', () => {
  const dataDir = temporaryFolder()
  const file = join(dataDir, 'report.json')

  test('keeps its time-box, gives median, spread and the golden checksum, and is kept with its conditions', async () => {
    const answer = answerOf(
      benchAnswer,
      await lode(dataDir, ['bench', ...TEST, '--seconds', '2', '--export', file, '--json']),
    )
    expect(answer).toMatchObject({ device: 'cpu0', mode: 'benchmark', ended: 'time', checksum: 'ok' })
    expect(answer.checksumSha256).toBe(GOLDEN.tiers['itp1-test'].checksum)
    expect(answer.samples).toBeGreaterThan(0)
    // four samples have a spread; a machine under load may come to fewer
    expect(answer.spread !== undefined).toBe(answer.samples >= 4)
    expect(answer.threads).toBeGreaterThan(0)
    const { version } = answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))
    expect(answer.lodeVersion).toBe(version)
    const history = answerOf(z.array(benchAnswer), await lode(dataDir, ['bench', '--history', '--json']))
    expect(history).toEqual([answer])
    expect((await lode(dataDir, ['bench', '--history'])).stdout).toContain('checksum ok')
    expect(
      answerOf(z.array(benchAnswer), await lode(dataDir, ['bench', '--history', '--device', 'x', '--json'])),
    ).toEqual([])
  })

  test('its export is verified on a machine that knows nothing of it', async () => {
    const elsewhere = join(temporaryFolder(), 'never-made')
    const answer = answerOf(benchVerifyAnswer, await lode(elsewhere, ['bench', '--verify', file, '--json']))
    const { body } = signedBenchmark.parse(JSON.parse(readFileSync(file, 'utf8')))
    const digests = body.checksumDigests.length + body.digests.length
    expect(body.digests.length).toBeGreaterThan(0)
    expect(answer).toMatchObject({
      ok: true,
      rig: body.rig,
      digests,
      recomputed: Math.ceil(digests / 10),
      problems: [],
    })
    expect(existsSync(elsewhere)).toBe(false)
  })

  type Report = z.infer<typeof signedBenchmark>
  const forger = createSigner('77'.repeat(32))
  test.each<[string, (report: Report) => unknown, RegExp]>([
    [
      'a digest',
      ({ body, ...rest }) => ({
        ...rest,
        body: { ...body, digests: body.digests.map(({ nonce }) => ({ nonce, digest: ZEROS })) },
      }),
      /signature does not fit/,
    ],
    [
      'the rate',
      ({ body, ...rest }) => ({ ...rest, body: { ...body, noncesPerSecond: body.noncesPerSecond * 2 } }),
      /signature does not fit.*rate is not the median/s,
    ],
    ['the signature', (report) => ({ ...report, signature: '00'.repeat(64) }), /signature does not fit/],
    [
      'the key',
      (report) => ({ ...report, key: forger.publicKeyHex }),
      /signature does not fit.*one rig and is signed by another/s,
    ],
    [
      'the rig, whose digests are not its own, signed anew',
      ({ body }) => signObject('benchmark', { ...body, rig: forger.publicKeyHex }, forger),
      /The digest of nonce \d+ is wrong/,
    ],
  ])('a report with %s changed is not genuine', async (_what, change, words) => {
    const report = signedBenchmark.parse(JSON.parse(readFileSync(file, 'utf8')))
    const forged = join(temporaryFolder(), 'forged.json')
    writeFileSync(forged, JSON.stringify(change(report)))
    const verified = await lode('', ['bench', '--verify', forged, '--json'])
    expect(verified.code).toBe(1)
    const { ok, problems } = benchVerifyAnswer.parse(verified.json())
    expect(ok).toBe(false)
    expect(problems.join('\n')).toMatch(words)
  })

  test('what is no report is refused in a sentence', async () => {
    const rubbish = join(temporaryFolder(), 'rubbish.json')
    writeFileSync(rubbish, '{"body":{}}')
    expect(failureOf(await lode('', ['bench', '--verify', rubbish, '--json'])).code).toBe('invalid-input')
    expect(failureOf(await lode('', ['bench', '--verify', '/no/such/file', '--json'])).code).toBe('not-found')
    expect((await lode('', ['bench', '--verify', rubbish, '--history'])).code).toBe(2)
    expect((await lode('', ['bench', '--stress', '1', '--seconds', '2'])).code).toBe(2)
  })

  test('Ctrl-C ends it, and nothing is left running or recorded', async () => {
    const running = startLode(dataDir, ['bench', ...TEST, '--seconds', '60', '--json'])
    const ended = finished(running)
    const engine = await watch(dataDir)
    await engine.until(({ benchmark }) => benchmark?.phase === 'measuring')
    running.kill('SIGINT')
    expect(failureOf(await ended).code).toBe('cancelled')
    expect((await lode(dataDir, ['bench', '--history', '--json'])).json()).toHaveLength(1)
  })
})

test('a click on Start during a benchmark ends it and mines', async () => {
  const dataDir = temporaryFolder()
  const engine = await serve(dataDir)
  try {
    const measuring = lode(dataDir, ['bench', ...TEST, '--seconds', '60', '--json'])
    await engine.until(({ benchmark }) => benchmark?.phase === 'measuring')
    expect((await lode(dataDir, ['start', '--json'])).code).toBe(0)
    const failure = failureOf(await measuring)
    expect(failure).toMatchObject({
      code: 'cancelled',
      message: expect.stringContaining('mining was started') as string,
    })
    await engine.until(({ state }) => state === 'proving')
    const stress = failureOf(await lode(dataDir, ['bench', '--stress', '1', '--json']))
    expect(stress.code).toBe('conflict')
  } finally {
    await engine.stop()
  }
})

test('a processor in quarantine mines only after a retry, also after another start', async () => {
  const dataDir = temporaryFolder()
  const ledger = openLedger({
    folder: dataDir,
    clock: { now: Date.now },
    ids: { uuid: () => v7() },
    onNotice: () => undefined,
  })
  ledger.saveSetting('devices', { cpu0: { enabled: true, quarantine: 'this device computes wrong results' } })
  ledger.close()
  const [processor] = answerOf(devicesAnswer, await lode(dataDir, ['devices', '--json']))
  expect(processor).toMatchObject({ canMine: false, reason: 'Quarantined: this device computes wrong results.' })
  const mined = await lode(dataDir, ['mine', '--no-dashboard', '--for', '5', '--devices', 'cpu0'])
  expect(mined.code).toBe(1)
  expect(mined.stderr).toContain('this device computes wrong results')
  expect((await lode(dataDir, ['devices', 'retry', 'cpu0'])).code).toBe(0)
  expect(answerOf(devicesAnswer, await lode(dataDir, ['devices', '--json']))[0]).toMatchObject({ canMine: true })
})

test('a stress test checks every digest for its time', async () => {
  const run = await lode(temporaryFolder(), ['bench', ...TEST, '--stress', '0.05', '--json'])
  const answer = answerOf(benchAnswer, run)
  expect(answer).toMatchObject({ mode: 'stress', ended: 'time', checksum: 'ok' })
  expect(answer.noncesChecked).toBeGreaterThan(GOLDEN.tiers['itp1-test'].digests.length)
})

describe.runIf(existsSync(ASIC_FOLDER))('a device that computes wrong results', () => {
  const asked = ['bench', '--device', ASIC, '--tier', 'itp1-test', '--json'] as const
  const addAsic = async (dataDir: string): Promise<(fault: string) => void> => {
    answerOf(driverAnswer, await lode(dataDir, ['drivers', 'add', ASIC_FOLDER, '--yes', '--json']))
    return (fault) => writeFileSync(join(dataDir, 'drivers/asic-sim/asic-sim.fault'), fault)
  }

  test('is quarantined by a benchmark, and measures again after a retry', async () => {
    const dataDir = temporaryFolder()
    const setFault = await addAsic(dataDir)
    const engine = await serve(dataDir)
    try {
      answerOf(benchAnswer, await lode(dataDir, [...asked, '--seconds', '1']))
      setFault('wrong-digest')
      const wrong = wrongAnswer(await lode(dataDir, [...asked, '--seconds', '1']))
      expect(wrong).toMatchObject({ checksum: 'mismatch', ended: 'wrong-digest', wrongNonce: '0', noncesPerSecond: 0 })
      const devices = answerOf(devicesAnswer, await lode(dataDir, ['devices', '--json']))
      const asic = devices.find(({ id }) => id === ASIC)
      expect(asic).toMatchObject({ canMine: false })
      expect(asic?.reason).toContain('this device computes wrong results')
      expect(answerOf(z.array(driverAnswer), await lode(dataDir, ['drivers', 'list', '--json']))).toMatchObject([
        { state: 'quarantined' },
      ])
      expect(failureOf(await lode(dataDir, [...asked])).code).toBe('device-unavailable')
      setFault('')
      expect(
        answerOf(z.looseObject({ canMine: z.boolean() }), await lode(dataDir, ['devices', 'retry', ASIC, '--json']))
          .canMine,
      ).toBe(true)
      answerOf(benchAnswer, await lode(dataDir, [...asked, '--seconds', '1']))
    } finally {
      await engine.stop()
    }
  })

  test.each([
    ['wrong-digest', 'wrong-digest', 'mismatch'],
    ['hot', 'too-hot', 'ok'],
  ] as const)('or gets too hot ends a stress test: %s', async (fault, ended, checksum) => {
    const dataDir = temporaryFolder()
    const setFault = await addAsic(dataDir)
    const engine = await serve(dataDir)
    try {
      const stress = lode(dataDir, [...asked, '--stress', '5'])
      await engine.until(({ benchmark }) => (benchmark?.samples ?? 0) > 0, ASIC)
      setFault(fault)
      expect(wrongAnswer(await stress)).toMatchObject({ mode: 'stress', ended, checksum })
    } finally {
      await engine.stop()
    }
  })
})
