import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signObject, type Signed } from '#shared/domain/signed'
import type { JobOffer } from '#shared/protocol/job'
import type { Unit } from '#shared/protocol/unit'
import { chatModel, createTestRig, embedModel, type TestRig } from '../device-loop/rig.test.support'
import { said } from '#test/support/said'

const MINING = { tier: 'itp1-small', backend: 'onnx-cpu', samples: false } as const

let rig: TestRig
beforeEach(async () => {
  rig = await createTestRig()
})
afterEach(async () => {
  await rig.close()
})

describe('a leased unit is used only', () => {
  const signed = (changes: (body: Unit) => Partial<Unit>) => (unit: Signed<Unit>) =>
    signObject('unit', { ...unit.body, ...changes(unit.body) }, rig.networkSigner)
  const forgeries: Record<string, (unit: Signed<Unit>) => Signed<Unit>> = {
    'when the network signed it': ({ body }) => signObject('unit', body, rig.signer),
    'when its words are those that were signed': (unit) => ({ ...unit, body: { ...unit.body, difficulty: '1000000' } }),
    'when it is of this network': signed(() => ({ network: '9'.repeat(64) })),
    'when it is for this rig': signed(() => ({ rig: 'ab'.repeat(32) })),
    'when it is for the tier that was asked for': signed(() => ({ tier: 'itp1-base' })),
    'when it is of the present epoch': signed(({ epoch }) => ({ epoch: epoch + 1 })),
    'when it has a difficulty': signed(() => ({ difficulty: '0' })),
    'when it has not expired': signed(({ issuedAt }) => ({ expiresAt: issuedAt })),
    'when it has the form of a unit': (unit) => ({ ...unit, body: { ...unit.body, unit: -1 } }),
  }

  it.each(Object.keys(forgeries))('%s; until then the device waits for the network', async (name) => {
    rig.far.forgeUnit = (unit) => forgeries[name]?.(unit) ?? unit
    rig.runner.startMining(MINING)
    await rig.clock.advance(5000)
    expect(rig.units).toEqual([])
    // Only the rate was measured, at a difficulty that nothing meets.
    expect(rig.script.runs.every(({ unit }) => unit === 0)).toBe(true)
    expect(rig.runner.state).toBe('idle')
    expect(said(rig.runner.networkError)).toMatch(/^the network/)
    rig.far.forgeUnit = null
    // The forged units count: those that follow aim at ten seconds a share.
    await rig.clock.advance(60_000)
    expect(rig.units.length).toBeGreaterThan(0)
    expect(rig.totals().credits).toBeGreaterThan(0)
  })
})

describe('a leased job is begun only', () => {
  const forgeries: Record<string, (offer: JobOffer) => object> = {
    'when its model was offered': (offer) => ({ ...offer, model: 'ab'.repeat(32) }),
    'when it is of its model’s kind': (offer) => ({ ...offer, kind: 'embed' }),
    'when its lease has not expired': (offer) => ({ ...offer, leaseExpiresAt: rig.clock.now() }),
    'when its input is what is said of it': ({ input, ...offer }) => ({
      ...offer,
      input: { kind: input.kind, text: input.text, hash: 'ab'.repeat(32) },
    }),
    'when its id is one': (offer) => ({ ...offer, id: '../ledger' }),
  }

  it.each(Object.keys(forgeries))('%s', async (name) => {
    const id = await rig.submit()
    rig.far.forgeOffer = (offer) => forgeries[name]?.(offer) ?? offer
    rig.runner.wake()
    await rig.clock.advance(1000)
    expect(rig.script.begun).toEqual([])
    expect(rig.stateOf(id)).toBe('queued')
    expect(said(rig.runner.networkError)).toMatch(/^the network/)
    rig.far.forgeOffer = null
    const next = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(5000)
    expect(rig.stateOf(next)).toBe('accepted')
  })
})

describe('what a rig says keeps to the bounds of a message', () => {
  it('with more models than a request holds, and a reason longer than a sentence', async () => {
    const models = Array.from({ length: 300 }, (_, index) => embedModel(`model-${index}`))
    const { session } = rig.link
    const offered = models.map(({ hash: model }) => ({ model }))
    expect(await session.leaseJob({ models: offered, samples: false })).toMatchObject({ refusal: { code: 'no-work' } })
    const id = await rig.submit()
    await session.leaseJob({ models: [{ model: chatModel.hash }], samples: false })
    const message = 'It is too long. '.repeat(1000)
    expect(await session.returnJob({ job: id, retry: false, message })).toMatchObject({ ok: true })
    expect((await rig.coordinator.jobState(id))?.message).toMatch(/^It is too long.*…$/)
  })
})
