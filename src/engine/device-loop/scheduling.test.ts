import { afterEach, describe, expect, it } from 'vitest'
import { chatModel, createTestRig, embedModel, type TestRig } from './rig.test.support'
import { said } from '#test/support/said'

let rig: TestRig
afterEach(() => rig.close())

const a = embedModel('a')
const b = embedModel('b')
/** As if jobs of the model had earned that much a second. */
const earned = (model: typeof a, creditPerSecond: number): void =>
  rig.jobRates.record('cpu0', model.hash, { milliseconds: 1000, creditMacs: creditPerSecond, joules: null })

describe('the order of jobs', () => {
  it('stays with a model while it has jobs, although others came in between', async () => {
    rig = await createTestRig({ models: [a, b] })
    for (const model of [a, b]) earned(model, 1000)
    for (let turn = 0; turn < 3; turn++) for (const model of [b, a]) await rig.submit(model)
    rig.runner.wake()
    await rig.clock.advance(3000)
    const { begun } = rig.script
    expect([begun.slice(0, 3), begun.slice(3)].map((part) => new Set(part).size)).toEqual([1, 1])
    expect(begun).toHaveLength(6)
  })

  it('begins with the model that earns most here', async () => {
    rig = await createTestRig({ models: [a, b] })
    earned(a, 1000)
    earned(b, 2000)
    for (const model of [a, a, b, b]) await rig.submit(model)
    rig.runner.wake()
    await rig.clock.advance(3000)
    expect(rig.script.begun).toEqual(['b', 'b', 'a', 'a'])
  })

  it('lets no job wait forever behind those of a better model', async () => {
    rig = await createTestRig({ models: [a, b] })
    earned(a, 1000)
    earned(b, 2000)
    rig.script.jobMilliseconds = 2000
    for (const model of [b, b]) await rig.submit(model)
    const waiting = await rig.submit(a)
    rig.runner.wake()
    for (let turn = 0; turn < 25 && rig.stateOf(waiting) === 'queued'; turn++) {
      await rig.submit(b)
      rig.runner.wake()
      await rig.clock.advance(2000)
    }
    expect(rig.stateOf(waiting)).not.toBe('queued')
    // It came third and waited all the same: the others of its time were begun before it.
    expect(rig.script.begun.indexOf('a')).toBeGreaterThan(10)
  })

  it('measures each job, and remembers over a restart', async () => {
    rig = await createTestRig({ models: [a] })
    rig.conditions.watts = 50
    rig.script.jobMilliseconds = 400
    const id = await rig.submit(a)
    rig.runner.wake()
    await rig.clock.advance(2000)
    const credit = Number(rig.ledger.workRow(id)?.creditMacs)
    const rate = rig.jobRates.of('cpu0', a.hash)
    expect(rate?.creditPerSecond).toBeCloseTo(credit / 0.4, 0)
    expect(rate?.creditPerJoule).toBeCloseTo(credit / (0.4 * 50), 0)
    expect(rate?.usualMilliseconds).toBe(400)
    const { createJobRates } = await import('../jobs/job-rates')
    expect(createJobRates(rig.ledger).of('cpu0', a.hash)).toEqual(rate)
  })

  it('measures a model that is new here once, while mining, and puts that off for a job', async () => {
    rig = await createTestRig({ models: [a, b], trials: true })
    earned(b, 1000)
    rig.script.jobMilliseconds = 3000
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(31_000)
    expect(said(rig.runner.activity)).toBe('Measuring what Model a earns here')
    const id = await rig.submit(b)
    rig.runner.wake()
    await rig.clock.advance(3500)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.jobRates.of('cpu0', a.hash)).toBeNull()
    await rig.clock.advance(30_000)
    const rate = rig.jobRates.of('cpu0', a.hash)
    expect(rate?.usualMilliseconds).toBe(3000)
    // Its two runs, after the one that was put off.
    expect(rig.script.begun.filter((model) => model === 'a')).toHaveLength(3)
    await rig.clock.advance(60_000)
    expect(rig.script.begun.filter((model) => model === 'a')).toHaveLength(3)
    expect(rig.runner.state).toBe('proving')
  })

  it('takes no job of a model that does not fit into its memory', async () => {
    const large = embedModel('large', 3 * 1024 ** 3)
    rig = await createTestRig({ models: [large, a], memoryBytes: 4 * 1024 ** 3 })
    const [tooLarge, fits] = [await rig.submit(large), await rig.submit(a)]
    rig.runner.wake()
    await rig.clock.advance(2000)
    expect([tooLarge, fits].map(rig.stateOf)).toEqual(['queued', 'accepted'])
  })
})

describe('chats at once', () => {
  it('as many as a worker computes together, others when one has ended; each with its receipt and its lease', async () => {
    rig = await createTestRig()
    rig.script.jobMilliseconds = 45_000
    const ids = []
    for (let index = 0; index < 10; index++) ids.push(await rig.submit())
    rig.runner.wake()
    await rig.clock.advance(40_000)
    expect(said(rig.runner.activity)).toBe('Answering 8 questions at once with A chat')
    expect(rig.runner.runningJobs).toHaveLength(8)
    await rig.clock.advance(60_000)
    expect(ids.map(rig.stateOf)).toEqual(ids.map(() => 'accepted'))
    expect(rig.script.mostAtOnce).toBe(8)
    expect(rig.totals().credits).toBe(10)
  })

  it('one that comes while others run joins them', async () => {
    rig = await createTestRig()
    rig.script.jobMilliseconds = 5000
    await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(100)
    expect(rig.runner.runningJobs).toHaveLength(2)
  })

  it('one is cancelled, the others go on', async () => {
    rig = await createTestRig()
    rig.script.jobMilliseconds = 5000
    const ids = [await rig.submit(), await rig.submit(), await rig.submit()]
    rig.runner.wake()
    await rig.clock.advance(1000)
    expect(rig.runner.cancelJob(ids[1] ?? '')).toBe(true)
    await rig.clock.advance(6000)
    expect(ids.map(rig.stateOf)).toEqual(['accepted', 'cancelled', 'accepted'])
  })

  it('share the energy of each moment by the MACs that each computed in it, and together have what the device spent', async () => {
    rig = await createTestRig()
    rig.conditions.watts = 100
    rig.script.jobMilliseconds = 4000
    const { clock, script } = rig
    const ids: string[] = []
    const join = async (): Promise<string> => {
      const id = await rig.submit()
      ids.push(id)
      rig.runner.wake()
      await clock.advance(0)
      return id
    }
    const began = clock.monotonic()
    const first = await join()
    await clock.advance(1000)
    const second = await join()
    await clock.advance(500)
    // a long prompt of the second beside nothing of the first
    script.computed({ [second]: 900 })
    await clock.advance(500)
    // a job that comes meanwhile has no part in the run under way
    const third = await join()
    await clock.advance(500)
    script.computed({ [first]: 30, [second]: 70, gone: 1000 })
    await clock.advance(500)
    script.computed({ [first]: 10, [second]: 10, [third]: 80 })
    await clock.advance(10_000)
    const joules = ids.map((id) => rig.ledger.workRow(id)?.joules ?? 0)
    // 1 s the first; 0.5 s the second; 1 s by 30 : 70; 0.5 s by 1 : 1 : 8; 1 s without a report, equally; then 1 s and 1 s of two and one.
    const expected = [100 + 30 + 5 + 100 / 3, 50 + 70 + 5 + 100 / 3 + 50, 40 + 100 / 3 + 50 + 100]
    joules.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 0))
    expect(joules.reduce((sum, value) => sum + value, 0)).toBeCloseTo((100 * (6000 - began)) / 1000, 0)
  })

  it('share it equally where the worker reports nothing of what they computed', async () => {
    rig = await createTestRig()
    rig.conditions.watts = 100
    rig.script.jobMilliseconds = 4000
    const first = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    const second = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(10_000)
    const joules = [first, second].map((id) => rig.ledger.workRow(id)?.joules ?? 0)
    // 4 s and 4 s, of which 3 s together: 100 J + 150 J, 150 J + 100 J.
    expect(joules.map((value) => Math.round(value / 10))).toEqual([25, 25])
  })

  it('a job of another model that was leased meanwhile comes next, and keeps its lease until then', async () => {
    rig = await createTestRig({ models: [chatModel, a] })
    rig.script.jobMilliseconds = 50_000
    const chat = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    const other = await rig.submit(a)
    rig.runner.wake()
    await rig.clock.advance(48_000)
    expect((await rig.coordinator.jobState(other))?.state).toBe('leased')
    await rig.clock.advance(60_000)
    expect([chat, other].map(rig.stateOf)).toEqual(['accepted', 'accepted'])
    expect((await rig.coordinator.jobState(other))?.attempts).toBe(1)
  })

  it('memory that runs out fails that job with a sentence, and the device goes on with a smaller batch', async () => {
    rig = await createTestRig()
    rig.script.memoryJobs = 5
    rig.script.jobMilliseconds = 1000
    const ids: string[] = []
    const submitAll = async (): Promise<void> => {
      for (let index = 0; index < 8; index++) ids.push(await rig.submit())
      rig.runner.wake()
      await rig.clock.advance(10_000)
    }
    await submitAll()
    const failed = ids.filter((id) => rig.stateOf(id) === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(said(rig.ledger.workRow(failed[0] ?? '')?.reason)).toBe('the memory ran out while A chat computed this job')
    rig.script.mostAtOnce = 0
    await submitAll()
    expect(rig.script.mostAtOnce).toBeLessThanOrEqual(4)
    expect(ids.slice(8).map(rig.stateOf)).toEqual(ids.slice(8).map(() => 'accepted'))
    expect(rig.runner.state).toBe('idle')
  })
})
