/** A data folder and a signed benchmark of version 0.1.0 (test/fixtures/data-folder-0.1.0), and the names that its options had. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connectWebSocket, type EngineClient } from '#cli/client'
import { systemClock } from '#process/clock'
import { readEngineFile } from '#host/engine-file'
import { BENCHMARK_EPOCH, BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import { goldenDigests } from '#shared/domain/golden'
import { startTestEngine } from '../support/engine'
import { finished, follow, lode, root, startLode, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'
import {
  addressAnswer,
  answerOf,
  benchAnswer,
  benchVerifyAnswer,
  digestAnswer,
  exportLine,
  statusAnswer,
  verifyAnswer,
} from './cli-schemas'

const FIXTURES = join(root, 'test/fixtures')
const BENCHMARK = join(FIXTURES, 'benchmark-0.1.0.json')

/** What version 0.1.0 answered on a copy of its folder. */
const former = z
  .object({
    verify: verifyAnswer,
    status: z.object({ credits: z.number(), creditMacs: z.object({ total: z.string() }) }),
    address: addressAnswer,
    throttle: z.looseObject({}),
    benchHistory: z.array(z.looseObject({ id: z.string(), engine: z.string() })),
    export: z.array(exportLine),
  })
  .parse(JSON.parse(readFileSync(join(FIXTURES, 'data-folder-0.1.0.json'), 'utf8')))

/** Jobs of a person that waited or ran when version 0.1.0 was killed. */
const WAITING = {
  chat: '01a22cc5-a015-705b-8d19-973cc6a40cfc',
  ocr: '01a22cc5-b005-70b8-980a-121b9047d97f',
  embed: '01a22cc5-b81f-7340-b130-e26ba2702f61',
}
/** Version 0.1.0 wrote it when this mining began. */
const MINING_SINCE = 1_796_047_475_940

function copyOfFormer(): string {
  const dataDir = temporaryFolder()
  cpSync(join(FIXTURES, 'data-folder-0.1.0'), dataDir, { recursive: true })
  return dataDir
}

async function exported(dataDir: string): Promise<z.infer<typeof exportLine>[]> {
  return (await lode(dataDir, ['ledger', 'export', '--json'])).lines().map((line) => exportLine.parse(line))
}

async function serve(dataDir: string): Promise<{ client: EngineClient; stop: () => Promise<void> }> {
  const engine = startLode(dataDir, ['serve', '--json'])
  const ended = finished(engine)
  let file: ReturnType<typeof readEngineFile> = null
  await eventually(() => (file = readEngineFile(dataDir)) !== null, 'the engine')
  const { port, token } = file!
  const client = await connectWebSocket(port, token)
  return {
    client,
    stop: async () => {
      client.close()
      engine.kill('SIGTERM')
      expect((await ended).code).toBe(0)
    },
  }
}

describe('a data folder of 0.1.0', { tags: ['long'] }, () => {
  test('has the same credits, receipts, totals, address, levels and benchmarks', async () => {
    const dataDir = copyOfFormer()
    expect(answerOf(verifyAnswer, await lode(dataDir, ['ledger', 'verify', '--json']))).toEqual(former.verify)
    expect(await exported(dataDir)).toEqual(former.export)
    expect(answerOf(statusAnswer, await lode(dataDir, ['status', '--json']))).toMatchObject(former.status)
    expect(answerOf(addressAnswer, await lode(dataDir, ['address', 'show', '--json']))).toEqual(former.address)
    expect((await lode(dataDir, ['throttle', '--json'])).json()).toEqual(former.throttle)
    const history = answerOf(z.array(benchAnswer), await lode(dataDir, ['bench', '--history', '--json']))
    expect(history).toEqual(former.benchHistory.map(({ engine, ...row }) => ({ ...row, backend: engine })))
  })

  test('keeps its settings; what waited is done or ends visibly; an old benchmark can be signed anew', async () => {
    const dataDir = copyOfFormer()
    const { client, stop } = await serve(dataDir)
    const stateOf = async (id: string): Promise<string> => (await client.call('jobs.get', { id })).state
    const ends = (id: string, state: string): Promise<void> =>
      eventually(async () => (await stateOf(id)) === state, `job ${id} ${state}`)
    try {
      expect(await client.call('settings.get', null)).toMatchObject({
        rigName: 'a rig of 0.1',
        theme: 'dark',
        pricePerKilowattHourMicros: '310000',
        currency: 'EUR',
        practiceKeepGoing: true,
        throttle: former.throttle,
      })
      const [processor] = await client.call('devices.list', null)
      expect(processor).toMatchObject({ enabled: true, threads: { inUse: 1 }, temperatureLimitCelsius: 85 })
      expect(await client.call('address.history', null)).toHaveLength(2)

      await ends(WAITING.ocr, 'accepted')
      // Their models were not brought along: they wait, as a person sees, until they are cancelled.
      for (const id of [WAITING.chat, WAITING.embed]) {
        expect(await stateOf(id)).toBe('queued')
        await client.call('jobs.cancel', { id })
        await ends(id, 'cancelled')
      }

      const signed = await client.call('devices.exportBenchmark', { benchmarkId: former.benchHistory[0]!.id })
      const file = join(dataDir, 'again.json')
      writeFileSync(file, JSON.stringify(signed))
      expect(answerOf(benchVerifyAnswer, await lode('', ['bench', '--verify', file, '--json']))).toMatchObject({
        ok: true,
        backend: 'onnx-cpu',
        lodeVersion: '0.1.0',
        problems: [],
      })
    } finally {
      await stop()
    }
    expect(answerOf(verifyAnswer, await lode(dataDir, ['ledger', 'verify', '--json']))).toMatchObject({ ok: true })
  })

  test('mines on, asked by the names that its options had, and the former credits stay as they are', async () => {
    const dataDir = copyOfFormer()
    const asked = '--tier itp1-test --engine onnx-cpu --threads 1 --no-samples --no-dashboard --no-fetch --json'
    const mining = follow(startLode(dataDir, ['mine', ...asked.split(' ')]))
    await mining.until(({ event, kind, state }) => event === 'credit' && kind === 'share' && state === 'accepted')
    mining.child.kill('SIGINT')
    expect((await mining.exited).code).toBe(0)
    // None that the network drew: only the one that waited.
    for (const { id } of mining.events.filter(({ event }) => event === 'job')) expect(id).toBe(WAITING.ocr)

    const report = answerOf(verifyAnswer, await lode(dataDir, ['ledger', 'verify', '--json']))
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report.credits).toBeGreaterThan(former.verify.credits)
    expect(BigInt(report.creditMacs)).toBeGreaterThan(BigInt(former.verify.creditMacs))
    const lines = await exported(dataDir)
    expect(lines.slice(0, former.export.length)).toEqual(former.export)
    expect(lines.at(-1)?.rig).toBe(former.export[0]?.rig)
  })

  test('whose engine was killed a moment ago goes on with the backend that was called an engine', async () => {
    const shift = MINING_SINCE + 5000 - systemClock.now()
    const clock = { ...systemClock, now: () => systemClock.now() + shift }
    const { engine, close } = await startTestEngine(copyOfFormer(), { clock })
    try {
      const { interruptedMining } = engine
      expect(interruptedMining).toEqual({
        tier: 'itp1-test',
        backend: 'onnx-cpu',
        threads: 1,
        samples: false,
        fetchModels: false,
      })
      await engine.api.handlers['engine.start'](interruptedMining)
      const working = async (): Promise<boolean> =>
        (await engine.api.handlers['devices.list'](null)).some(
          ({ state, backend }) => state === 'proving' && backend === 'onnx-cpu',
        )
      await eventually(working, 'cpu0 proves on onnx-cpu')
    } finally {
      await close()
    }
  })
})

test('a benchmark that 0.1.0 signed is genuine', async () => {
  const verified = answerOf(benchVerifyAnswer, await lode('', ['bench', '--verify', BENCHMARK, '--json']))
  expect(verified).toMatchObject({ ok: true, backend: 'native', lodeVersion: '0.1.0', problems: [] })
  expect(verified.recomputed).toBe(Math.ceil(verified.digests / 10))
})

describe('an option of 0.1.0', () => {
  const digest = `proof digest --tier itp1-test --epoch ${BENCHMARK_EPOCH} --public-key ${BENCHMARK_PUBLIC_KEY} --nonce 0`

  test.each(['--engine', '--backend'])('%s names what computes', async (option) => {
    const answer = await lode('', [...digest.split(' '), option, 'reference', '--json'])
    expect(answerOf(digestAnswer, answer)).toMatchObject({
      backend: 'reference',
      digest: goldenDigests('itp1-test')[0],
    })
  })

  test.each(['mine', 'bench', 'proof digest'])('stands in no help: %s', async (command) => {
    const { code, stdout } = await lode('', [...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--backend')
    expect(stdout).not.toContain('--engine')
    expect(stdout).not.toContain('--no-samples')
  })
})
