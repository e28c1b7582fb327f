/** A device under the throttle and at its temperature limit: real runner, ledger and network; the clock and the worker are scripted. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { message } from '#shared/domain/messages'
import { createTestRig, type TestRig } from './rig.test.support'

const MINING = { tier: 'itp1-small', backend: 'onnx-cpu', samples: false } as const

let rig: TestRig
beforeEach(async () => {
  rig = await createTestRig()
})
afterEach(async () => {
  await rig.close()
})

/** Milliseconds that the worker was at work in the next `milliseconds`. */
async function worked(milliseconds: number): Promise<number> {
  const before = rig.script.runs.length
  await rig.clock.advance(milliseconds)
  return rig.script.runs.slice(before).reduce((sum, run) => sum + run.budgetMilliseconds, 0)
}

describe('duty cycle', () => {
  it.each([0.2, 0.3, 0.8])('at %f the worker works that share of the time, in short slices', async (dutyCycle) => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(5000)
    rig.conditions.pace = { threadsShare: 1, dutyCycle }
    await rig.clock.advance(1000)
    const share = (await worked(30_000)) / 30_000
    expect(share).toBeGreaterThan(dutyCycle * 0.95)
    expect(share).toBeLessThan(dutyCycle * 1.05)
    expect(rig.script.runs.at(-1)?.budgetMilliseconds).toBeLessThanOrEqual(200)
  })

  it('a change takes effect within a second, down and up', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(5000)
    rig.conditions.pace = { threadsShare: 1, dutyCycle: 0 }
    await rig.clock.advance(1000)
    expect(await worked(5000)).toBe(0)
    expect(rig.runner).toMatchObject({ state: 'idle', lane: 'paused', resting: 'throttle' })
    rig.conditions.pace = { threadsShare: 1, dutyCycle: 1 }
    await rig.clock.advance(1000)
    expect(await worked(5000)).toBeGreaterThan(4500)
    expect(rig.runner).toMatchObject({ state: 'proving', resting: null })
  })

  it('a job that somebody waits for is done at once, although proving is switched off', async () => {
    rig.conditions.pace = { threadsShare: 1, dutyCycle: 0 }
    rig.runner.startMining(MINING)
    await rig.clock.advance(2000)
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    expect(rig.stateOf(id)).toBe('accepted')
    expect(rig.runner.resting).toBe('throttle')
  })

  it('stops at once in the middle of a rest', async () => {
    rig.conditions.pace = { threadsShare: 1, dutyCycle: 0 }
    rig.runner.startMining(MINING)
    await rig.clock.advance(2000)
    let stopped = false
    void rig.runner.stop().then(() => (stopped = true))
    await rig.clock.advance(50)
    expect(stopped).toBe(true)
  })
})

describe('temperature', () => {
  it('rests at the limit, says so, and goes on 8 °C below it', async () => {
    rig.runner.startMining(MINING)
    await rig.clock.advance(3000)
    rig.conditions.celsius = 96
    await rig.clock.advance(1000)
    expect(rig.runner).toMatchObject({
      resting: 'heat',
      lane: 'paused',
      activity: message('device-too-hot', { celsius: 96, resumeCelsius: 87 }),
    })
    expect(await worked(5000)).toBe(0)
    rig.conditions.celsius = 90
    expect(await worked(5000)).toBe(0)
    rig.conditions.celsius = 86
    await rig.clock.advance(1500)
    expect(rig.runner).toMatchObject({ resting: null, state: 'proving' })
  })

  it('begins no job either, and does it once it has cooled down', async () => {
    rig.conditions.celsius = 99
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(5000)
    expect(rig.stateOf(id)).toBe('queued')
    rig.conditions.celsius = 60
    await rig.clock.advance(3000)
    expect(rig.stateOf(id)).toBe('accepted')
  })

  it('interrupts a long job at the limit, and does it again once it has cooled down', async () => {
    rig.script.jobMilliseconds = null
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(3000)
    expect(rig.stateOf(id)).toBe('running')
    rig.conditions.celsius = 97
    await rig.clock.advance(2500)
    expect(rig.stateOf(id)).toBe('queued')
    const hot = message('device-too-hot', { celsius: 97, resumeCelsius: 87 })
    expect(rig.ledger.workRow(id)?.reason).toEqual(hot)
    expect(rig.runner).toMatchObject({ resting: 'heat', activity: hot })
    rig.script.jobMilliseconds = 100
    rig.conditions.celsius = 80
    await rig.clock.advance(4000)
    expect(rig.stateOf(id)).toBe('accepted')
  })

  it('stops at once while it is too hot', async () => {
    rig.conditions.celsius = 99
    rig.runner.startMining(MINING)
    await rig.clock.advance(2500)
    let stopped = false
    void rig.runner.stop().then(() => (stopped = true))
    await rig.clock.advance(50)
    expect(stopped).toBe(true)
    expect(rig.runner.state).toBe('idle')
  })
})
