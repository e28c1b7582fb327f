import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords, message } from '#shared/domain/messages'
import { goldenDigests } from '#shared/domain/golden'
import { MAX_PARALLEL_CHATS } from '#shared/ipc/worker'
import type { BenchmarkPlan } from '../benchmark/benchmark-task'
import { createTestRig, embedModel, NONCES_PER_SECOND, type TestRig } from './rig.test.support'
import { said } from '#test/support/said'

const MINING = { tier: 'itp1-small', backend: 'onnx-cpu', samples: false } as const

let rig: TestRig
beforeEach(async () => {
  rig = await createTestRig()
})
afterEach(async () => {
  await rig.close()
})

const benchmarkPlan = (changes: Partial<BenchmarkPlan> = {}): BenchmarkPlan => ({
  backend: 'onnx-cpu',
  tier: 'itp1-small',
  milliseconds: 8000,
  publicKey: '33'.repeat(32),
  firstNonce: 7n,
  stress: null,
  read: () => ({ measuredWatts: 50, temperatureCelsius: 60, temperatureLimitCelsius: 95, clockHertz: null }),
  ...changes,
})

/** Whether it settled while the clock moved on. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<boolean> {
  let settled = false
  work
    .catch(() => undefined)
    .finally(() => {
      settled = true
    })
  await rig.clock.advance(milliseconds)
  return settled
}

describe('proving', () => {
  it('climbs the ramp: half a second, two seconds, then the share interval; each of the first units ends with its share', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(40_000)
    const difficulties = rig.units.map(({ difficulty }) => Number(difficulty))
    expect(difficulties.slice(0, 3)).toEqual([0.5, 2, 10].map((seconds) => seconds * NONCES_PER_SECOND))
    for (const difficulty of difficulties.slice(0, 2)) {
      const runs = rig.script.runs.filter((run) => run.difficulty === BigInt(difficulty))
      expect(new Set(runs.map(({ stopAtShare }) => stopAtShare))).toEqual(new Set([true]))
    }
    expect(rig.script.runs.at(-1)?.stopAtShare).toBe(false)
  })

  it('leases another unit when the rate has left the one that the difficulty was set for', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(40_000)
    const before = rig.units.length
    rig.script.noncesPerSecond = 4 * NONCES_PER_SECOND
    await rig.clock.advance(40_000)
    expect(rig.units.length).toBeGreaterThan(before)
    expect(Number(rig.units.at(-1)?.difficulty)).toBeGreaterThan(15 * NONCES_PER_SECOND)
  })

  it('counts every accepted share once in the ledger', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(60_000)
    const { credits, total } = rig.totals()
    expect(credits).toBeGreaterThan(2)
    expect(rig.submissions.pending).toBe(0)
    const work = rig.ledger.workPage({}, 0, 100).rows.reduce((sum, row) => sum + BigInt(row.creditMacs ?? 0), 0n)
    expect(work).toBe(total)
  })

  it('a share whose answer was lost gets its first receipt when it is sent again', async () => {
    rig.far.loseShareAnswers = 2
    rig.runner.startMining(MINING)
    await rig.clock.advance(20_000)
    expect(rig.far.loseShareAnswers).toBe(0)
    expect(rig.submissions.pending).toBe(0)
    const { credits, total } = rig.totals()
    // Sent at least twice more than answered, credited as often as the network has receipts.
    expect(rig.far.submitted).toBeGreaterThanOrEqual(credits + 2)
    expect({ receipts: credits, creditMacs: total }).toEqual(await rig.store.totals())
  })

  it('waits for a network that is away, says so, and goes on', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    const before = rig.totals().credits
    rig.far.away = true
    await rig.clock.advance(20_000)
    expect(said(rig.runner.networkError)).toBe('the network could not answer (unavailable)')
    rig.far.away = false
    await rig.clock.advance(60_000)
    expect(rig.runner.networkError).toBe(null)
    expect(rig.submissions.pending).toBe(0)
    expect(rig.totals().credits).toBeGreaterThan(before)
  })

  it('a worker that dies is no error of the network: mining goes on with the next', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(5000)
    const crash = (): void => {
      for (const process of rig.script.alive) process.crash()
    }
    crash()
    await rig.clock.advance(100)
    expect(rig.runner.networkError).toBe(null)
    expect(rig.runner.state).toBe('restarting')
    await rig.clock.advance(5000)
    expect(rig.runner.state).toBe('proving')
    expect(rig.runner.restarts).toBe(1)
  })

  it('a graphics driver that was lost, or takes its process down again and again, is a fault to quarantine', async () => {
    await rig.close()
    const faults: Failure[] = []
    const onFault = (fault: Failure): void => void faults.push(fault)
    rig = await createTestRig({ models: [], runner: { workerStart: { gpu: { name: '' } }, onFault } })
    rig.script.proofFailure = new Failure('driver-fault', foreignWords('the graphics adapter A was lost: it was reset'))
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    expect(rig.runner.state).toBe('faulted')
    expect(said(rig.runner.reason)).toBe('the graphics adapter A was lost: it was reset')
    rig.script.proofFailure = null
    rig.runner.startMining(MINING)
    for (let crash = 0; crash < 5; crash++) {
      await rig.clock.advance(10_000)
      for (const process of rig.script.alive) process.crash()
    }
    await rig.clock.advance(1000)
    expect(faults.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'driver-fault: the graphics adapter A was lost: it was reset',
      'driver-fault: worker cpu0 keeps stopping: it ended with code 1',
    ])
  })

  it('says what is wrong when its worker keeps stopping, and Start or Retry tries again', async () => {
    rig.script.startFails = true
    rig.runner.startMining(MINING)
    await rig.clock.advance(60_000)
    expect(rig.runner.state).toBe('faulted')
    expect(said(rig.runner.reason)).toContain('keeps stopping')
    await expect(rig.runner.benchmark(benchmarkPlan())).rejects.toMatchObject({
      code: 'device-unavailable',
    })
    rig.script.startFails = false
    rig.runner.retry()
    await rig.clock.advance(3000)
    expect(rig.runner.state).toBe('proving')
  })

  it('stops at once while it waits for a network that is away', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    rig.far.away = true
    await rig.clock.advance(2500)
    expect(await within(100, rig.runner.stop())).toBe(true)
    expect(rig.runner.state).toBe('idle')
    expect(rig.script.alive.size).toBe(0)
  })
})

describe('jobs', () => {
  it('does a job also when not mining, and credits it', async () => {
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(2000)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.runner.state).toBe('idle')
  })

  it('a job that is given while the last look at the queue is under way is not forgotten', async () => {
    rig.runner.wake()
    await rig.clock.advance(10)
    const ids: string[] = []
    for (let turn = 0; turn < 30; turn++) {
      rig.runner.wake()
      for (let wait = 0; wait < turn; wait++) await Promise.resolve()
      ids.push(await rig.submit())
      rig.runner.wake()
      await rig.clock.advance(1000)
    }
    expect(ids.map(rig.stateOf)).toEqual(ids.map(() => 'accepted'))
  })

  it('a job that comes while a slice is about to begin does not wait for it', async () => {
    await rig.close()
    const begin = async (): Promise<void> => {
      await rig.submit()
      rig.runner.wake()
    }
    rig = await createTestRig({ runner: { whileMining: { begin, end: async () => undefined } } })
    rig.runner.startMining(MINING)
    // shorter than the shortest run of proofs
    await rig.clock.advance(100)
    expect(rig.script.begun).toEqual(['a-chat'])
    expect(rig.script.runs).toEqual([])
  })

  it('a job whose worker dies is done by the next one', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    expect(rig.runner.runningJobs[0]?.id).toBe(id)
    rig.script.jobMilliseconds = 100
    for (const process of rig.script.alive) process.crash()
    await rig.clock.advance(5000)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.totals().credits).toBe(1)
  })

  it('a job that kills its worker three times fails visibly, and the device goes on', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    for (let attempt = 0; attempt < 3; attempt++) {
      await rig.clock.advance(10_000)
      for (const process of rig.script.alive) process.crash()
    }
    await rig.clock.advance(10_000)
    expect(rig.stateOf(id)).toBe('failed')
    expect(said(rig.ledger.workRow(id)?.reason)).toBe(
      'its worker stopped each of the 3 times that it was tried: it may need more memory than there is',
    )
    expect((await rig.coordinator.jobState(id))?.state).toBe('failed')
    expect(rig.runner.state).toBe('idle')
  })

  it('input that the worker refuses fails the job with its words', async () => {
    rig.script.jobFailure = new Failure('invalid-input', foreignWords('the text is longer than the context'))
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(2000)
    expect(rig.ledger.workRow(id)).toMatchObject({
      state: 'failed',
      reason: foreignWords('the text is longer than the context'),
    })
  })

  it('cancels a running job, and keeps its lease until then', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(120_000)
    expect((await rig.coordinator.jobState(id))?.state).toBe('leased')
    expect(rig.runner.cancelJob(id)).toBe(true)
    await rig.clock.advance(100)
    expect(rig.stateOf(id)).toBe('cancelled')
    expect(rig.runner.state).toBe('idle')
  })

  it('a worker that beats but no longer answers is restarted: its job can be cancelled', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      rig.script.jobMilliseconds = null
      rig.script.ignoresCancel = true
      const id = await rig.submit()
      rig.runner.wake()
      await rig.clock.advance(2000)
      expect(rig.runner.cancelJob(id)).toBe(true)
      await rig.clock.advance(2000)
      expect(rig.stateOf(id)).toBe('running')
      vi.advanceTimersByTime(10_000)
      await rig.clock.advance(3000)
      expect(rig.stateOf(id)).toBe('cancelled')
      expect(rig.runner.state).toBe('idle')
    } finally {
      vi.useRealTimers()
    }
  })

  it('a job that the network gave to nobody any more is ended', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(2000)
    await rig.coordinator.cancelJob(id)
    await rig.clock.advance(11_000)
    expect(rig.ledger.workRow(id)).toMatchObject({
      state: 'failed',
      reason: message('job-lease-lost', { refusal: message('refusal-lease-lost') }),
    })
    expect(rig.runner.state).toBe('idle')
  })

  it('a job cancelled between its lease and its beginning stops no device', async () => {
    const id = await rig.submit()
    rig.runner.wake()
    // Leased at once; the worker is still being started.
    while ((await rig.store.job(id))?.state !== 'leased') await Promise.resolve()
    expect(rig.runner.cancelJob(id)).toBe(false)
    await rig.coordinator.cancelJob(id)
    rig.ledger.setJobState(id, 'cancelled', { reason: message('job-cancelled') })
    await rig.clock.advance(2000)
    expect(rig.stateOf(id)).toBe('cancelled')
    expect(rig.runner.state).toBe('idle')
    const next = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(2000)
    expect(rig.stateOf(next)).toBe('accepted')
  })

  it('stops within a moment in the middle of a job, and says so', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    expect(await within(100, rig.runner.stop())).toBe(true)
    expect(rig.ledger.workRow(id)).toMatchObject({
      state: 'cancelled',
      reason: message('job-stopped-before-done'),
    })
  })

  it('stops within a moment while a job is leased and its worker not yet there; the job stays in the queue', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    while ((await rig.store.job(id))?.state !== 'leased') await Promise.resolve()
    expect(await within(100, rig.runner.stop())).toBe(true)
    expect(rig.script.alive.size).toBe(0)
    expect(rig.stateOf(id)).toBe('queued')
    expect((await rig.coordinator.jobState(id))?.state).toBe('queued')
  })

  it('a job waits through a fault and is done after Retry', async () => {
    rig.script.startFails = true
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(60_000)
    expect(rig.runner.state).toBe('faulted')
    expect(rig.stateOf(id)).toBe('queued')
    rig.script.startFails = false
    rig.runner.retry()
    await rig.clock.advance(3000)
    expect(rig.stateOf(id)).toBe('accepted')
  })

  it('finish waits for the running job and then stops', async () => {
    rig.script.jobMilliseconds = 5000
    const id = await rig.submit()
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    const finished = rig.runner.finish()
    expect(await within(1000, finished)).toBe(false)
    expect(await within(6000, finished)).toBe(true)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.runner.state).toBe('idle')
  })

  it('finish ends although the network is away, and stop cuts a finish short', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    rig.far.away = true
    await rig.clock.advance(3000)
    rig.runner.wake()
    expect(await within(5000, rig.runner.finish())).toBe(true)
    rig.far.away = false
    rig.script.jobMilliseconds = null
    await rig.submit()
    rig.runner.startMining(MINING)
    await rig.clock.advance(1000)
    const finished = rig.runner.finish()
    expect(await within(5000, finished)).toBe(false)
    expect(await within(200, rig.runner.stop())).toBe(true)
    expect(await within(200, finished)).toBe(true)
  })

  it('a result that the network does not take now holds up neither the device nor stop, and is credited once later', async () => {
    const id = await rig.submit()
    rig.script.jobMilliseconds = 1000
    rig.runner.wake()
    await rig.clock.advance(500)
    rig.far.away = true
    await rig.clock.advance(1500)
    expect(rig.stateOf(id)).toBe('submitted')
    expect(rig.runner.state).toBe('idle')
    expect(await within(100, rig.runner.stop())).toBe(true)
    rig.far.away = false
    await rig.clock.advance(40_000)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.totals().credits).toBe(1)
  })

  it('a result that the network checks for long holds up neither the next job, nor proofs, nor stop', async () => {
    await rig.close()
    const answers: (() => void)[] = []
    rig = await createTestRig({
      models: [embedModel('a')],
      around: (service) => ({
        ...service,
        handle: async (method, request) => {
          if (method === 'submitJob') await new Promise<void>((resolve) => answers.push(resolve))
          return service.handle(method, request)
        },
      }),
    })
    const ids = [await rig.submit(embedModel('a')), await rig.submit(embedModel('a'))]
    rig.runner.wake()
    await rig.clock.advance(1000)
    expect(ids.map(rig.stateOf)).toEqual(['submitted', 'submitted'])
    expect([rig.runner.state, rig.submissions.pending]).toEqual(['idle', 2])
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(1000)
    expect(rig.runner.state).toBe('proving')
    expect(await within(100, rig.runner.stop())).toBe(true)
    for (const answer of answers) answer()
    await rig.clock.advance(100)
    expect(ids.map(rig.stateOf)).toEqual(['accepted', 'accepted'])
    expect(rig.jobRates.of('cpu0', embedModel('a').hash)?.creditPerSecond).toBeGreaterThan(0)
  })

  it('a result is kept at once, also of a model that was listed a moment ago, with the credit that is expected', async () => {
    await rig.close()
    let isSilent = false
    rig = await createTestRig({
      around: (service) => ({
        ...service,
        handle: (method, request) => (isSilent ? new Promise(() => undefined) : service.handle(method, request)),
      }),
    })
    const id = await rig.submit()
    expect(rig.networkState.current.models.size).toBe(3)
    rig.script.jobMilliseconds = 1000
    rig.runner.wake()
    await rig.clock.advance(500)
    isSilent = true
    await rig.clock.advance(1000)
    expect(rig.stateOf(id)).toBe('submitted')
    expect(Number(rig.ledger.workRow(id)?.creditMacs)).toBeGreaterThan(0)
  })

  it('does not run far ahead of a network that checks nothing', async () => {
    await rig.close()
    const answers: (() => void)[] = []
    rig = await createTestRig({
      around: (service) => ({
        ...service,
        handle: async (method, request) => {
          if (method === 'submitJob') await new Promise<void>((resolve) => answers.push(resolve))
          return service.handle(method, request)
        },
      }),
    })
    for (let index = 0; index < 30; index++) await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(10_000)
    expect(answers.length).toBeGreaterThanOrEqual(16)
    expect(answers.length).toBeLessThan(16 + MAX_PARALLEL_CHATS)
    // Nor does it hold up who stops it.
    expect(await within(100, rig.runner.stop())).toBe(true)
    rig.runner.wake()
    for (let turn = 0; turn < 30; turn++) {
      answers.shift()?.()
      await rig.clock.advance(500)
    }
    expect(rig.totals().credits).toBe(30)
  })

  it('an idle worker that ends is not shown as coming back', async () => {
    await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(2000)
    for (const process of rig.script.alive) process.crash()
    await rig.clock.advance(30_000)
    expect(rig.runner.state).toBe('idle')
    expect(rig.script.alive.size).toBe(0)
  })
})

describe('benchmarks', () => {
  it('keep to their time-box: known digests first, then samples with their median and some digests', async () => {
    const measured = rig.runner.benchmark(benchmarkPlan())
    await rig.clock.advance(1000)
    expect(rig.runner.state).toBe('benchmarking')
    expect(rig.runner.benchmarkProgress).toMatchObject({ tier: 'itp1-small', isStress: false, milliseconds: 8000 })
    await rig.clock.advance(7500)
    const outcome = await measured
    expect(outcome).toMatchObject({ ended: 'time', wrong: null, measuredWatts: 50, temperatureCelsius: 60, threads: 1 })
    expect(outcome.samples.length).toBeGreaterThan(8)
    expect(new Set(outcome.samples)).toEqual(new Set([NONCES_PER_SECOND]))
    expect(outcome.digests.length).toBeGreaterThan(8)
    expect(outcome.noncesChecked).toBe(goldenDigests('itp1-small').length)
    expect(rig.runner.state).toBe('idle')
    expect(rig.runner.benchmarkProgress).toBeNull()
  })

  it('a click on Start ends a benchmark, and mining begins at once', async () => {
    const measured = rig.runner.benchmark(benchmarkPlan())
    await rig.clock.advance(2000)
    rig.runner.startMining(MINING)
    await expect(measured).rejects.toMatchObject({ code: 'cancelled' })
    await rig.clock.advance(600)
    expect(rig.runner.state).toBe('proving')
    expect(rig.script.started).toBe(1)
  })

  it('mining does not wait for a benchmark that hangs: its worker ends', async () => {
    rig.script.benchmarkHangs = true
    const measured = rig.runner.benchmark(benchmarkPlan())
    await rig.clock.advance(2000)
    rig.runner.startMining(MINING)
    await expect(measured).rejects.toMatchObject({ code: 'cancelled' })
    await rig.clock.advance(1000)
    expect(rig.runner.state).toBe('proving')
    expect(rig.script.started).toBe(2)
  })

  it('are cancelled at once, and the device goes on', async () => {
    const measured = rig.runner.benchmark(benchmarkPlan())
    await rig.clock.advance(2000)
    expect(rig.runner.cancelBenchmark()).toBe(true)
    await expect(measured).rejects.toMatchObject({ code: 'cancelled' })
    await rig.clock.advance(600)
    expect(rig.runner.state).toBe('idle')
    expect(rig.runner.cancelBenchmark()).toBe(false)
  })

  it('let a job that somebody waits for come between', async () => {
    const measured = rig.runner.benchmark(benchmarkPlan({ milliseconds: 60_000 }))
    await rig.clock.advance(2000)
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1500)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.runner.state).toBe('benchmarking')
    rig.runner.cancelBenchmark()
    await expect(measured).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('are between the slices of mining, which goes on after them', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(2000)
    const measured = rig.runner.benchmark(benchmarkPlan({ milliseconds: 1000 }))
    await rig.clock.advance(5000)
    expect((await measured).samples.length).toBeGreaterThan(0)
    expect(rig.runner.state).toBe('proving')
  })

  it('end with the first wrong digest', async () => {
    rig.script.goldenDigest = 'ab'.repeat(32)
    const measured = rig.runner.benchmark(benchmarkPlan())
    await rig.clock.advance(2000)
    expect(await measured).toMatchObject({
      ended: 'wrong-digest',
      wrong: { nonce: 0n, digest: 'ab'.repeat(32) },
      samples: [],
    })
  })

  it('a stress test checks every digest until its time is over, one is wrong, or the device is too hot', async () => {
    let celsius = 60
    const stress = benchmarkPlan({
      milliseconds: 60_000,
      stress: () => Promise.resolve(goldenDigests('itp1-small')),
      read: () => ({
        measuredWatts: null,
        temperatureCelsius: celsius,
        temperatureLimitCelsius: 95,
        clockHertz: null,
      }),
    })
    const whole = rig.runner.benchmark(stress)
    await rig.clock.advance(62_000)
    expect(await whole).toMatchObject({ ended: 'time', measuredWatts: null, digests: [] })
    expect((await whole).noncesChecked).toBeGreaterThan(50 * NONCES_PER_SECOND)
    const hot = rig.runner.benchmark(stress)
    await rig.clock.advance(10_000)
    celsius = 96
    await rig.clock.advance(1500)
    expect(await hot).toMatchObject({ ended: 'too-hot', temperatureCelsius: 96 })
    celsius = 60
    const wrong = rig.runner.benchmark(stress)
    await rig.clock.advance(10_000)
    rig.script.goldenDigest = 'ab'.repeat(32)
    await rig.clock.advance(1500)
    expect(await wrong).toMatchObject({ ended: 'wrong-digest', wrong: { nonce: 1n } })
  })
})
