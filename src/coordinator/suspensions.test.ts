import { describe, expect, it } from 'vitest'
import { codeOf, createHarness, createRig, valueOf } from '../../test/support/coordinator-harness'

async function setUp(suspensionSeconds: number) {
  const harness = await createHarness({ configuration: { suspensionSeconds } })
  const rig = createRig(harness.coordinator)
  const unit = await rig.unit()
  const found = await rig.find(unit)
  const forge = (digest: string) => harness.coordinator.submitShare(rig.sign(unit, { ...found, digest }))
  const ask = () =>
    harness.coordinator.leaseUnit({ rig: rig.key, device: 'cpu0', tier: 'itp1-small', macsPerSecond: 1e9 })
  return { ...harness, rig, unit, found, forge, ask }
}

describe('a rig that claims a wrong digest', () => {
  it('is suspended until it says hello after the pause', async () => {
    const { coordinator, rig, unit, found, forge, ask, clock, start } = await setUp(600)
    const earlier = rig.sign(unit, await rig.find(unit, (found.nonce & 0xffff_ffffn) + 1n))
    const accepted = await coordinator.submitShare(earlier)
    expect(codeOf(accepted)).toBe('accepted')
    const offer = valueOf(await rig.lease(['embed']))
    expect(codeOf(await forge('0'.repeat(64)))).toBe('wrong-digest')

    const honest = rig.sign(unit, found)
    expect(codeOf(await coordinator.submitShare(honest))).toBe('suspended')
    expect([codeOf(await ask()), codeOf(await rig.lease()), codeOf(await rig.hello())]).toEqual([
      'suspended',
      'suspended',
      'suspended',
    ])
    expect(codeOf(await (await start()).submitShare(honest))).toBe('suspended')
    // What was settled stays settled, and a job that it holds may be finished.
    expect(await coordinator.submitShare(earlier)).toEqual({ ...accepted, repeated: true })
    valueOf(await coordinator.renewJob(rig.key, offer.id))
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('accepted')
    await createRig(coordinator, 'other').unit()

    clock.advance(599_999)
    expect(codeOf(await rig.hello())).toBe('suspended')
    clock.advance(1)
    expect(codeOf(await ask())).toBe('suspended')
    valueOf(await rig.hello())
    expect(codeOf(await ask())).toBe('accepted')
  })

  it('goes on where a network suspends nobody, as practice does', async () => {
    const { coordinator, rig, unit, found, forge, ask } = await setUp(0)
    expect(codeOf(await forge('0'.repeat(64)))).toBe('wrong-digest')
    expect(codeOf(await ask())).toBe('accepted')
    expect(codeOf(await coordinator.submitShare(rig.sign(unit, found)))).toBe('accepted')
  })
})
