import { said } from '#test/support/said'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Receipt } from '#shared/protocol/receipt'
import { signObject } from '#shared/domain/signed'
import { signFirstVersion } from '../../../test/support/first-version'
import { signatureVerifier } from './ed25519'
import { createTestRig, type TestRig } from '../device-loop/rig.test.support'

let rig: TestRig
beforeEach(async () => {
  rig = await createTestRig()
})
afterEach(async () => {
  await rig.close()
})

describe('a receipt is stored only', () => {
  const forgeries: Record<string, (body: Receipt) => ReturnType<typeof signObject<Receipt>>> = {
    'when the network signed it': (body) => signObject('receipt', body, rig.signer),
    'when it is for this rig': (body) => signObject('receipt', { ...body, rig: 'ab'.repeat(32) }, rig.networkSigner),
    'when it is for what was sent': (body) =>
      signObject('receipt', { ...body, ref: 'ab'.repeat(32) }, rig.networkSigner),
    'when it is of this network': (body) =>
      signObject('receipt', { ...body, network: '9'.repeat(64) }, rig.networkSigner),
    'when its credit is its work times its factor': (body) =>
      signObject('receipt', { ...body, creditMacs: (BigInt(body.creditMacs) + 1n).toString() }, rig.networkSigner),
    'when its words are those that were signed': (body) => {
      const signed = signObject('receipt', body, rig.networkSigner)
      return { ...signed, body: { ...body, acceptedAt: body.acceptedAt + 1 } }
    },
  }

  it.each(Object.keys(forgeries))('%s; the share is sent again and then credited once', async (name) => {
    rig.far.forge = (receipt) => forgeries[name]?.(receipt.body) ?? receipt
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(8000)
    expect(rig.far.submitted).toBeGreaterThan(0)
    expect(rig.totals()).toMatchObject({ credits: 0, total: 0n })
    rig.far.forge = null
    await rig.runner.stop()
    await rig.clock.advance(60_000)
    expect(rig.submissions.pending).toBe(0)
    const { credits, total } = rig.totals()
    expect(credits).toBeGreaterThan(0)
    expect({ receipts: credits, creditMacs: total }).toEqual(await rig.store.totals())
  })
})

describe('a receipt with another factor than announced', () => {
  it('is stored, for what it says, and marked as disputed with both figures', async () => {
    rig.far.forge = ({ body }) => {
      const factorMilli = BigInt(body.factorMilli) / 2n
      const creditMacs = (BigInt(body.macs) * factorMilli) / 1000n
      return signObject(
        'receipt',
        { ...body, factorMilli: factorMilli.toString(), creditMacs: creditMacs.toString() },
        rig.networkSigner,
      )
    }
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(3000)
    const [row] = rig.ledger.creditPage(0, 1).rows.filter(({ state }) => state === 'accepted')
    expect(row?.factorMilli).toBe('250')
    expect(row?.disputed).toEqual({ factorMilli: '500', creditMacs: (2n * BigInt(row?.creditMacs ?? 0)).toString() })
    expect(rig.ledger.events(5)[0]).toMatchObject({ code: 'credit-disputed', severity: 'warning' })
    rig.far.forge = null
    await rig.clock.advance(20_000)
    expect(rig.ledger.creditPage(0, 1).rows[0]?.disputed).toBeNull()
    expect(rig.ledger.verify({ signatures: signatureVerifier }).problems).toEqual([])
  })
})

describe('work of version 0.1.0 that had no answer', () => {
  it('is sent once more and refused by name; the ledger keeps it, and it is genuine', async () => {
    const { ledger, signer } = rig
    const epoch = { network: 'practice', rig: signer.publicKeyHex, epoch: 0, tier: 'itp1-small' as const }
    const period = { issuedAt: 0, expiresAt: 1 }
    const unit = signFirstVersion('unit', { ...epoch, unit: 1, difficulty: '1', ...period }, rig.networkSigner)
    ledger.recordUnit(unit, 'cpu0', 'practice')
    const share = signFirstVersion('share', { ...epoch, nonce: '7', digest: 'ab'.repeat(32) }, signer)
    const amount = { macs: 2n, factorMilli: 500n, creditMacs: 1n }
    ledger.recordShare({ network: 'practice', share, unitId: unit.id, deviceId: 'cpu0', difficulty: 1n, ...amount })
    rig.submissions.recover(ledger.recover())
    await rig.clock.advance(100)
    expect(rig.submissions.pending).toBe(0)
    expect(ledger.creditPage(0, 1).rows[0]).toMatchObject({ state: 'refused', reason: 'unsupported-version' })
    const networkKeys = { practice: [rig.networkSigner.publicKeyHex] }
    expect(ledger.verify({ signatures: signatureVerifier, networkKeys })).toMatchObject({ ok: true, problems: [] })
  })
})

describe('waiting for answers', () => {
  it('ends when all have come, when the time is over, or when the engine stops', async () => {
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    rig.far.loseShareAnswers = 1
    for (let step = 0; step < 50 && rig.submissions.pending === 0; step++) await rig.clock.advance(100)
    expect(rig.submissions.pending).toBe(1)
    const ended: string[] = []
    const wait = (name: string, milliseconds: number): void => {
      void rig.submissions.drained(milliseconds).then(() => ended.push(name))
    }
    wait('short', 10)
    await rig.clock.advance(20)
    expect(ended).toEqual(['short'])
    await rig.runner.stop()
    wait('long', 60_000)
    await rig.clock.advance(5000)
    expect(ended).toEqual(['short', 'long'])
    expect(rig.submissions.pending).toBe(0)
  })
})

describe('a network that is over a budget of this rig', () => {
  it('judges a share later: it is sent again, stays submitted meanwhile, and is credited once', async () => {
    rig.far.slowed.set('submitShare', 0)
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(8000)
    await rig.runner.stop()
    expect(rig.submissions.pending).toBeGreaterThan(0)
    expect(rig.far.slowed.get('submitShare')).toBeGreaterThan(rig.submissions.pending)
    expect(rig.ledger.creditPage(0, 9).rows.map(({ state }) => state)).toContain('submitted')
    expect(rig.ledger.creditPage(0, 9).rows.map(({ state }) => state)).not.toContain('refused')
    rig.far.slowed.clear()
    await rig.clock.advance(60_000)
    expect(rig.submissions.pending).toBe(0)
    const { credits, total } = rig.totals()
    expect({ receipts: credits, creditMacs: total }).toEqual(await rig.store.totals())
    expect(credits).toBeGreaterThan(0)
  })

  it('pauses who asks for a unit, and shows it only where it lasts', async () => {
    rig.far.slowed.set('leaseUnit', 0)
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(5000)
    expect(rig.far.slowed.get('leaseUnit')).toBe(4)
    expect([rig.runner.state, rig.runner.networkError]).toEqual(['proving', null])
    await rig.clock.advance(5000)
    expect(said(rig.runner.networkError)).toBe('the network gave no unit: too much at once')
    rig.far.slowed.clear()
    await rig.clock.advance(30_000)
    expect([rig.runner.state, rig.runner.networkError]).toEqual(['proving', null])
    expect(rig.totals().credits).toBeGreaterThan(0)
  })

  it('takes no job away that could not be renewed, and gives the next one when the pause is over', async () => {
    rig.script.jobMilliseconds = 28_000
    const first = await rig.submit()
    rig.runner.startMining({ tier: 'itp1-small', backend: 'onnx-cpu', samples: false })
    await rig.clock.advance(100)
    for (const method of ['renewJob', 'leaseJob']) rig.far.slowed.set(method, 0)
    const second = await rig.submit()
    rig.runner.wake()
    await rig.clock.advance(29_000)
    expect([...rig.far.slowed.values()].every((asked) => asked > 4)).toBe(true)
    expect([rig.stateOf(first), rig.stateOf(second)]).toEqual(['accepted', 'queued'])
    rig.far.slowed.clear()
    await rig.clock.advance(60_000)
    expect(rig.stateOf(second)).toBe('accepted')
  })
})
