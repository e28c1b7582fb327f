import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestRig, type TestRig } from '../device-loop/rig.test.support'

let rig: TestRig
let ordered: string[]
let shown: string[]
beforeEach(async () => {
  rig = await createTestRig({ minedMilliseconds: 3_600_000 })
  rig.script.jobMilliseconds = 5000
  ordered = []
  shown = []
  rig.link.buyer.on('tokens', ({ job, index, text }) => ordered.push(`${job} ${index}${text}`))
  rig.events.on('job.token', ({ id, index, text }) => shown.push(`${id} ${index}${text}`))
})
afterEach(async () => {
  await rig.close()
})

describe('the text of a running job', () => {
  it('goes over the network to the person who ordered it, and is not told a second time', async () => {
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    rig.script.token({ jobId: id, index: 0, text: ' Good' })
    rig.script.token({ jobId: id, index: 1, text: ' day' })
    await rig.clock.advance(10)
    expect(ordered).toEqual([`${id} 0 Good`, `${id} 1 day`])
    expect(shown).toEqual([])
  })

  it('of a synthetic job is shown where it is made', async () => {
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: true })
    await rig.clock.advance(3000)
    const [running] = rig.runner.runningJobs
    expect(running?.origin).toBe('sample')
    rig.script.token({ jobId: running!.id, index: 0, text: ' Good' })
    await rig.clock.advance(10)
    expect(shown).toEqual([`${running!.id} 0 Good`])
    expect(ordered).toEqual([])
  })

  it('of a job that does not run here is dropped', async () => {
    const id = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(1000)
    rig.script.token({ jobId: crypto.randomUUID(), index: 0, text: ' Thief' })
    await rig.clock.advance(10)
    expect([...ordered, ...shown]).toEqual([])
    expect(rig.stateOf(id)).toBe('running')
  })
})
