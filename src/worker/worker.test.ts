import { getPriority } from 'node:os'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createNodeProcessHost } from '#process/node-host'
import type { ManagedProcess } from '#process/host'
import { createPeer, type Peer } from '#process/peer'
import { BENCHMARK_EPOCH } from '#shared/domain/benchmark'
import { bytesToHex, hexToBytes } from '#shared/domain/bytes'
import type { JobRun } from '#shared/domain/job'
import { header, isShare, MAX_COUNTER, nonceOf } from '#shared/domain/share'
import { TIERS } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import { installedModelOf } from '#shared/domain/model-stages'
import { readVectors } from '#test/support/itp1-vectors'
import { ggufBytes, tinyModel } from './convert/sources/gguf.test.support'
import { fillInput, outputDigest } from './proof/nonce'
import { referenceForward } from './proof/reference'
import { expandWeights } from './proof/weights'

type WorkerPeer = Peer<WorkerMethods, WorkerNotifications>

const host = createNodeProcessHost(join(import.meta.dirname, '../../out/node'))
const { cases } = readVectors()
const testCases = cases.filter(({ tier }) => tier === 'itp1-test')
const { epoch, publicKey } = testCases[0]!
const keyed = { tier: 'itp1-test', epochSeed: epoch, publicKey, backend: 'onnx-cpu' } as const

// built where there is a compiler
const native = existsSync(join(import.meta.dirname, '../../out/native/lode_native.node'))
const backends: BackendName[] = native ? ['native', 'onnx-cpu', 'reference'] : ['onnx-cpu', 'reference']

const started: ManagedProcess[] = []
afterEach(async () => {
  for (const process of started) process.kill()
  await Promise.all(started.splice(0).map((process) => process.exited))
})

interface Started {
  process: ManagedProcess
  worker: WorkerPeer
}

async function startWorker(start: Partial<WorkerStart> = {}): Promise<Started> {
  const process = await host.start('worker', { role: 'worker', deviceId: 'cpu0', threads: 2, ...start })
  started.push(process)
  return { process, worker: createPeer<WorkerMethods, WorkerNotifications>(process.port, 'worker') }
}

/** Other work: a job whose model is nowhere. */
async function refusedJob(worker: Started['worker']): Promise<void> {
  const named = { id: 'none', kind: 'chat', name: 'None', licence: 'mit', source: 'a test', context: 0 } as const
  const files = [{ path: 'model.onnx', bytes: 1, sha256: 'ab'.repeat(32) }]
  const macFormula = { kind: 'chat', perToken: 1, perLogits: 0, perPair: 0 } as const
  const model = installedModelOf({ ...named, files, macFormula }, '/nowhere')
  const input = { kind: 'chat', messages: [{ role: 'user', content: 'a' }], maxTokens: 1 } as const
  const refused = worker.request('job.run', {
    jobId: 'none',
    model,
    input: JSON.stringify(input),
  })
  // its parameters are right: the job itself began
  await expect(refused).rejects.toMatchObject({ code: expect.not.stringMatching('wrong-usage') as string })
}

/** The heartbeat number `count` from now. Rejects when the process ends before. */
function heartbeats({ process, worker }: Started, count: number): Promise<WorkerNotifications['heartbeat']> {
  let seen = 0
  return new Promise((resolve, reject) => {
    worker.on('heartbeat', (heartbeat) => {
      if (++seen === count) resolve(heartbeat)
    })
    void process.exited.then((exit) => reject(new Error(`the worker ended: ${JSON.stringify(exit)}`)))
  })
}

describe('proof over the port', () => {
  /** Digests of the first counters of unit 7, by the reference. */
  const COUNTERS = 60
  const expected: { nonce: bigint; digest: string }[] = []
  beforeAll(() => {
    const tier = TIERS['itp1-test']
    const head = header(epoch, publicKey)
    const weights = expandWeights(tier, hexToBytes(epoch))
    for (let counter = 0n; counter < COUNTERS; counter++) {
      const nonce = nonceOf(7, counter)
      const input = fillInput(new Uint8Array(tier.tokens * tier.width), head, nonce)
      expected.push({ nonce, digest: outputDigest(head, nonce, referenceForward(tier, weights, input)) })
    }
  })

  it.each(backends)('%s finds exactly the shares that the reference finds', async (backend: BackendName) => {
    const { worker } = await startWorker()
    const difficulty = 4n
    const run = await worker.request('proof.run', {
      ...keyed,
      backend,
      unit: 7,
      firstCounter: 0n,
      difficulty,
      budgetMilliseconds: 600_000,
      maxNonces: COUNTERS,
    })
    expect(run.nonces).toBe(COUNTERS)
    expect(run.shares).toEqual(expected.filter(({ digest }) => isShare(digest, difficulty)))
    expect(run.shares.length).toBeGreaterThan(0)
    expect(run.kernelMilliseconds).toBeLessThanOrEqual(run.milliseconds)
  })

  it('leaves no gap between runs that stop after their first batches', async () => {
    const { worker } = await startWorker({ threads: 3 })
    const shares: { nonce: bigint; digest: string }[] = []
    let counter = 0n
    while (counter < COUNTERS) {
      const maxNonces = COUNTERS - Number(counter)
      const params = { ...keyed, unit: 7, firstCounter: counter, difficulty: 1n, budgetMilliseconds: 0, maxNonces }
      const run = await worker.request('proof.run', params)
      expect(run.nonces).toBeGreaterThan(0)
      shares.push(...run.shares)
      counter += BigInt(run.nonces)
    }
    expect(shares).toEqual(expected)
  })

  it.each(backends.filter((name) => name !== 'reference'))(
    '%s yields in the middle of a long run, and what it says it tried it has tried',
    async (backend) => {
      const { worker } = await startWorker()
      const run = { ...keyed, backend, unit: 7, difficulty: 4n, budgetMilliseconds: 600_000 }
      await worker.request('proof.prepare', run)
      let counter = 0n
      const shares: { nonce: bigint; digest: string }[] = []
      while (counter < COUNTERS) {
        const running = worker.request('proof.run', { ...run, firstCounter: counter, maxNonces: 1_000_000 })
        await heartbeats({ process: started.at(-1)!, worker }, 1)
        await worker.request('proof.yield', null)
        const tried = await running
        shares.push(...tried.shares)
        counter += BigInt(tried.nonces)
      }
      const whole = expected.filter(({ digest }) => isShare(digest, run.difficulty))
      expect(shares.slice(0, whole.length)).toEqual(whole)
    },
  )

  it.each(backends.filter((name) => name !== 'reference'))(
    '%s computes on between runs, and what each says it tried it has tried',
    async (backend) => {
      const { worker } = await startWorker()
      const run = { ...keyed, backend, unit: 7, difficulty: 4n, budgetMilliseconds: 5, keepPipelineFull: true }
      let counter = 0n
      const shares: { nonce: bigint; digest: string }[] = []
      for (let index = 0; counter < COUNTERS; index++) {
        const tried = await worker.request('proof.run', { ...run, firstCounter: counter })
        expect(tried.nonces).toBeGreaterThan(0)
        shares.push(...tried.shares)
        counter += BigInt(tried.nonces)
        // What was left computing is forgotten by another unit, by a pause and by a job that waits.
        if (index % 4 === 1) await worker.request('proof.run', { ...run, unit: 8, firstCounter: 0n, maxNonces: 3 })
        if (index % 4 === 3) await worker.request('proof.yield', null)
      }
      const whole = expected.filter(({ digest }) => isShare(digest, run.difficulty))
      expect(shares.slice(0, whole.length)).toEqual(whole)
    },
  )

  it('takes up what it left computing where the next run goes on at once, and forgets it later', async () => {
    const { worker } = await startWorker()
    const run = { ...keyed, backend: 'onnx-cpu' as const, unit: 7, difficulty: 1n }
    const first = await worker.request('proof.run', {
      ...run,
      firstCounter: 0n,
      budgetMilliseconds: 100,
      keepPipelineFull: true,
    })
    // Without time each of two threads tries one nonce; what was left computing are batches of many.
    const next = { ...run, firstCounter: BigInt(first.nonces), budgetMilliseconds: 0 }
    const taken = await worker.request('proof.run', { ...next, keepPipelineFull: true })
    expect(taken.nonces).toBeGreaterThan(2)
    let counter = next.firstCounter + BigInt(taken.nonces)
    for (const other of [() => worker.request('proof.yield', null), () => refusedJob(worker)]) {
      await other()
      const alone = await worker.request('proof.run', { ...next, firstCounter: counter })
      expect(alone.nonces).toBe(2)
      counter += BigInt(alone.nonces)
      const again = await worker.request('proof.run', { ...next, firstCounter: counter, keepPipelineFull: true })
      counter += BigInt(again.nonces)
    }
  })

  it('stops at a share when asked to, and at the end of the unit', async () => {
    const { worker } = await startWorker()
    const run = { ...keyed, unit: 7, difficulty: 1n, budgetMilliseconds: 600_000 }
    const stopped = await worker.request('proof.run', { ...run, firstCounter: 0n, stopAtShare: true })
    expect(stopped.shares).toEqual(expected.slice(0, stopped.nonces))
    const ended = await worker.request('proof.run', { ...run, firstCounter: MAX_COUNTER - 4n })
    expect(ended.nonces).toBe(5)
    expect(ended.shares.at(-1)?.nonce).toBe(nonceOf(7, MAX_COUNTER))
  })

  it('answers for more epochs at once than it keeps', async () => {
    const { worker } = await startWorker()
    const digests = await Promise.all(
      [...testCases, ...testCases].map((vector, index) =>
        worker.request('proof.digest', {
          tier: vector.tier,
          epochSeed: vector.epoch,
          publicKey: vector.publicKey,
          nonce: BigInt(vector.nonce),
          backend: index % 5 === 0 ? 'reference' : 'onnx-cpu',
        }),
      ),
    )
    const golden = testCases.map(({ digest }) => digest)
    expect(digests.map(({ digest }) => digest)).toEqual([...golden, ...golden])
  })

  it('follows a change of threads', async () => {
    const { worker } = await startWorker({ threads: 1 })
    for (const threads of [4, 1, 2]) {
      await worker.request('configure', { threads })
      const params = {
        ...keyed,
        unit: 7,
        firstCounter: 0n,
        difficulty: 1n,
        budgetMilliseconds: 600_000,
        maxNonces: COUNTERS,
      }
      expect((await worker.request('proof.run', params)).shares).toEqual(expected)
    }
  })

  it('measures itself against the golden digests', async () => {
    const { worker } = await startWorker()
    for (const backend of backends) {
      const params = { tier: 'itp1-test', backend, epochSeed: BENCHMARK_EPOCH, seconds: 0.2 } as const
      const benchmark = await worker.request('proof.benchmark', params)
      expect(benchmark).toMatchObject({ backend, tier: 'itp1-test', checksum: 'ok' })
      expect(benchmark.macsPerSecond / benchmark.noncesPerSecond).toBeCloseTo(Number(TIERS['itp1-test'].macs))
    }
    const other = { tier: 'itp1-test', backend: 'onnx-cpu', epochSeed: 'ab'.repeat(32), seconds: 1 } as const
    await expect(worker.request('proof.benchmark', other)).rejects.toMatchObject({ code: 'wrong-usage' })
  })

  it('uses the memory of past epochs again', async () => {
    const child = await startWorker()
    const prepare = async (number: number): Promise<void> => {
      const epochSeed = bytesToHex(new Uint8Array(32).fill(number))
      await child.worker.request('proof.prepare', { tier: 'itp1-small', backend: 'onnx-cpu', epochSeed })
    }
    for (let number = 0; number < 10; number++) await prepare(number)
    const before = (await heartbeats(child, 1)).residentBytes
    for (let number = 10; number < 60; number++) await prepare(number)
    const after = (await heartbeats(child, 1)).residentBytes
    expect(after - before).toBeLessThan(20 * TIERS['itp1-small'].weightBytes)
  })
})

describe('the worker process', () => {
  const endless = {
    ...keyed,
    unit: 1,
    firstCounter: 0n,
    difficulty: 1n << 200n,
    budgetMilliseconds: 3_600_000,
  } as const

  it('sends heartbeats while every thread is busy', async () => {
    const child = await startWorker()
    let answered = false
    const run = child.worker.request('proof.run', endless).finally(() => {
      answered = true
    })
    run.catch(() => undefined)
    const heartbeat = await heartbeats(child, 2)
    expect(answered).toBe(false)
    expect(heartbeat.residentBytes).toBeGreaterThan(1e6)
    expect(heartbeat.cpuSeconds).toBeGreaterThan(0)
  })

  it.each([
    ['idle', { code: 0, signal: null }],
    // a thread inside a kernel cannot be stopped in good order
    ['busy', { code: null, signal: 'SIGKILL' }],
  ])('ends when its parent is gone: %s', async (name, exit) => {
    const child = await startWorker()
    const backend = backends[0] ?? 'onnx-cpu'
    if (name === 'busy') child.worker.request('proof.run', { ...endless, backend }).catch(() => undefined)
    await heartbeats(child, 1)
    child.process.port.close()
    expect(await child.process.exited).toEqual(exit)
  })

  it('refuses what it cannot understand, names the field, and stays up', async () => {
    const { worker } = await startWorker()
    const request = (method: string, params: unknown): Promise<unknown> =>
      worker.request(method as 'configure', params as WorkerMethods['configure']['params'])
    const wrong: [string, unknown, string][] = [
      ['proof.digest', { ...keyed, nonce: 1 }, 'nonce'],
      ['proof.digest', { ...keyed, nonce: 1n << 64n }, 'nonce'],
      ['proof.digest', { ...keyed, nonce: 1n, epochSeed: 'AB' }, 'epochSeed'],
      ['proof.run', { ...endless, difficulty: 0n }, 'difficulty'],
      ['proof.run', { ...endless, unit: -1 }, 'unit'],
      ['proof.prepare', { ...keyed, tier: 'itp1-huge' }, 'tier'],
      ['configure', { threads: 0 }, 'threads'],
      ['proof.prepare', null, 'proof.prepare'],
      ['no.such', {}, 'no.such'],
    ]
    for (const [method, params, field] of wrong) {
      await expect(request(method, params)).rejects.toMatchObject({
        code: 'wrong-usage',
        message: expect.stringContaining(field) as string,
      })
    }
    expect(await worker.request('job.cancel', { jobId: 'unknown' })).toBeNull()
    const { digest } = await worker.request('proof.digest', { ...keyed, nonce: BigInt(testCases[0]!.nonce) })
    expect(digest).toBe(testCases[0]!.digest)
  })

  it('ends with 1 when it was started wrongly', async () => {
    const { process } = await startWorker({ threads: 0 })
    expect(await process.exited).toMatchObject({ code: 1 })
  })

  it.skipIf(globalThis.process.platform === 'win32')('yields to everything else as the verifier', async () => {
    const { process, worker } = await startWorker({ role: 'verifier', threads: 1 })
    await worker.request('proof.prepare', keyed)
    expect(getPriority(process.pid)).toBe(10)
  })
})

describe('chats over the port', () => {
  it('several of one model at once, each with its own tokens; a cancelled one ends alone', async () => {
    const { worker } = await startWorker()
    const home = mkdtempSync(join(tmpdir(), 'lode-worker-chat-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    const shape = { layers: 2, width: 256, hidden: 512, heads: 4, keyValueHeads: 2, headSize: 64 }
    const { metadata, tensors } = tinyModel({ family: 'llama', ...shape }, 8, 11)
    writeFileSync(join(home, 'tiny.gguf'), ggufBytes(metadata, tensors))
    const folder = join(home, 'tiny')
    await worker.request('model.convert', { form: 'gguf', path: join(home, 'tiny.gguf'), folder })
    const files = readdirSync(folder).map((path) => ({ path, bytes: 1, sha256: '0'.repeat(64) }))
    const macFormula = { kind: 'chat', perToken: 1e9, perLogits: 0, perPair: 0 } as const
    const named = { id: 'tiny', kind: 'chat', name: 'Tiny', licence: 'mit', source: 'a test', context: 0 } as const
    const model = installedModelOf({ ...named, files, macFormula }, folder)
    const run = (jobId: string, content: string): Promise<JobRun> =>
      worker.request('job.run', {
        jobId,
        model,
        input: JSON.stringify({ kind: 'chat', messages: [{ role: 'user', content }], maxTokens: 100 }),
      })
    const texts = new Map<string, string>()
    const order: string[] = []
    worker.on('job.token', ({ jobId, text }) => {
      texts.set(jobId, (texts.get(jobId) ?? '') + text)
      if (order.push(jobId) === 20) void worker.request('job.cancel', { jobId: 'b' })
    })
    const computed: Map<string, number>[] = []
    worker.on('jobs.computed', ({ macs }) => computed.push(new Map(macs.map((entry) => [entry.jobId, entry.macs]))))
    const [a, b, c] = await Promise.allSettled([run('a', 'abc'), run('b', 'bad'), run('c', 'cab 12')])
    expect(b).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } })
    for (const [id, answer] of Object.entries({ a, c })) {
      if (answer.status === 'rejected') throw answer.reason
      expect(answer.value.output).toBe(texts.get(id))
      expect(answer.value.evidence).toMatchObject({ kind: 'chat' })
    }
    // of every run while several were there: what it computed for each, a prompt's part or one token
    expect(Math.max(...computed.map((macs) => macs.size))).toBeGreaterThan(1)
    const ofC = computed.flatMap((macs) => macs.get('c') ?? [])
    expect(ofC.length).toBeGreaterThan(20)
    expect(ofC.at(-1)).toBe(1e9)
    // in turns, not one after the other
    expect(order.lastIndexOf('a')).toBeGreaterThan(order.indexOf('c'))
    expect(order.lastIndexOf('c')).toBeGreaterThan(order.indexOf('a'))
  })
})
