import { describe, expect, it } from 'vitest'
import { signatureVerifier } from '#engine/network/index'
import { isGenuine, signObject } from '#shared/domain/signed'
import {
  codeOf,
  createHarness,
  createRig,
  receiptOf,
  seededRandom,
  START,
  valueOf,
} from '../../test/support/coordinator-harness'

describe('hello', () => {
  it('is answered with key, parameters, epoch and the time', async () => {
    const { coordinator, signer, clock } = await createHarness()
    const rig = createRig(coordinator)
    clock.advance(250)
    const devices = [{ id: 'cpu0', kind: 'cpu', backends: ['onnx-cpu'], macsPerSecond: 5e11 }]
    const welcome = valueOf(await rig.hello({ devices }))
    expect(welcome).toEqual(await coordinator.current())
    expect(welcome.networkKey).toBe(signer.publicKeyHex)
    expect(welcome.now).toBe(START + 250)
    expect(isGenuine('parameters', welcome.parameters, signatureVerifier, signer.publicKeyHex)).toBe(true)
    const inflated = {
      ...welcome.parameters.body,
      tierFactorsMilli: { 'itp1-test': 1, 'itp1-small': 1, 'itp1-base': 9999 },
    }
    expect(isGenuine('parameters', { ...welcome.parameters, body: inflated }, signatureVerifier)).toBe(false)
  })

  it('is refused in another version, for another network, malformed, or in the name of another', async () => {
    const { coordinator } = await createHarness()
    const rig = createRig(coordinator)
    const other = createRig(coordinator, 'other')
    expect(codeOf(await rig.hello({ protocolVersion: 3, devices: 'in another form' }))).toBe('unsupported-version')
    expect(codeOf(await rig.hello({ protocolVersion: 1, network: 'practice' }))).toBe('unsupported-version')
    expect(codeOf(await rig.hello({ network: '9'.repeat(64) }))).toBe('malformed')
    expect(codeOf(await rig.hello({ devices: [{ id: 'cpu0' }] }))).toBe('malformed')
    expect(codeOf(await rig.hello({ rig: other.key }))).toBe('wrong-key')
    const body = { protocolVersion: 2, rig: rig.key, network: coordinator.networkKey, at: START, devices: [] }
    const unsigned = { ...signObject('hello', body, rig.signer), signature: 'f'.repeat(128) }
    expect(codeOf(await coordinator.hello(unsigned))).toBe('wrong-key')
    const halfCharacter = { ...unsigned, body: { ...body, devices: [{ id: '\ud800', kind: 'cpu', backends: [] }] } }
    expect(codeOf(await coordinator.hello(halfCharacter))).toBe('wrong-key')
  })
})

describe('many rigs at once', () => {
  it('each get units of their own, and every share is credited once', async () => {
    const { coordinator, store } = await createHarness()
    const rigs = Array.from({ length: 100 }, (_, index) => createRig(coordinator, `rig ${index}`))
    const receipts = (
      await Promise.all(
        rigs.map(async (rig) => {
          valueOf(await rig.hello())
          const unit = await rig.unit()
          const shares = [rig.sign(unit, await rig.find(unit))]
          shares.push(rig.sign(unit, await rig.find(unit, (BigInt(shares[0]?.body.nonce ?? 0) & 0xffff_ffffn) + 1n)))
          const answers = await Promise.all([...shares, ...shares].map((share) => coordinator.submitShare(share)))
          return answers.map(receiptOf)
        }),
      )
    ).flat()
    const distinct = new Map(receipts.map((receipt) => [receipt.id, receipt]))
    expect(receipts).toHaveLength(400)
    expect(distinct.size).toBe(200)
    const sum = [...distinct.values()].reduce((total, { body }) => total + BigInt(body.creditMacs), 0n)
    expect(await store.totals()).toEqual({ receipts: 200, creditMacs: sum })
  })
})

describe('whatever rigs do', () => {
  it.each([1, 2, 3, 4])('the sum of the distinct receipts is the total of the store (seed %i)', async (seed) => {
    const { coordinator, store, clock } = await createHarness({ seed: `property ${seed}` })
    const random = seededRandom(`actions ${seed}`)
    const pick = (below: number): number => (random(1)[0] ?? 0) % below
    const rigs = ['a', 'b', 'c'].map((name) => createRig(coordinator, name))
    const rigAt = (index: number) => rigs[index % rigs.length] ?? createRig(coordinator)
    const sent: Parameters<typeof coordinator.submitShare>[0][] = []
    const delivered: Parameters<typeof coordinator.submitJob>[0][] = []
    const receipts = new Map<string, bigint>()
    const codes = new Set<string>()
    const note = (answer: Awaited<ReturnType<typeof coordinator.submitShare>>): void => {
      codes.add(codeOf(answer))
      if (answer.ok && answer.state === 'accepted')
        receipts.set(answer.receipt.id, BigInt(answer.receipt.body.creditMacs))
    }
    for (let step = 0; step < 150; step++) {
      const rig = rigAt(pick(3))
      const action = pick(7)
      if (action <= 1) {
        const unit = await rig.unit({ macsPerSecond: 1e9 * (1 + pick(20)) })
        const found = await rig.find(unit, BigInt(pick(4)))
        const author = pick(5) === 0 ? rigAt(pick(3)) : rig
        sent.push(author.sign(unit, found, pick(5) === 0 ? { digest: '0'.repeat(64) } : {}))
      } else if (action === 2) {
        const offer = valueOf(await rig.lease())
        delivered.push(rig.deliver(offer, undefined, pick(5) === 0 ? { inputHash: '0'.repeat(64) } : {}))
      } else if (action === 3) clock.advance(pick(256) * 500)
      const share = sent[pick(256) % Math.max(1, sent.length)]
      const delivery = delivered[pick(256) % Math.max(1, delivered.length)]
      const answers = [
        ...(share ? [coordinator.submitShare(share), coordinator.submitShare(share)] : []),
        ...(delivery ? [coordinator.submitJob(delivery)] : []),
      ]
      for (const answer of await Promise.all(answers)) note(answer)
    }
    const sum = [...receipts.values()].reduce((total, credit) => total + credit, 0n)
    expect(await store.totals()).toEqual({ receipts: receipts.size, creditMacs: sum })
    expect(receipts.size).toBeGreaterThan(10)
    expect(codes.size).toBeGreaterThan(3)
  })
})
