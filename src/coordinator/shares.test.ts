import { describe, expect, it } from 'vitest'
import { signatureVerifier } from '#engine/network/index'
import { hexToBytes } from '#shared/domain/bytes'
import { MAX_COUNTER, nonceOf } from '#shared/domain/share'
import { isGenuine, signObject } from '#shared/domain/signed'
import { signFirstVersion } from '../../test/support/first-version'
import { TIERS } from '#shared/domain/tiers'
import { referenceDigest } from '#worker/proof/reference'
import { codeOf, createHarness, createRig, hashProof, receiptOf } from '../../test/support/coordinator-harness'
import type { Verifier } from './coordinator'

async function setUp(options?: Parameters<typeof createHarness>[0]) {
  const harness = await createHarness(options)
  const rig = createRig(harness.coordinator)
  const unit = await rig.unit()
  const found = await rig.find(unit)
  return { ...harness, rig, unit, found, share: rig.sign(unit, found) }
}

describe('a share', () => {
  it('is credited with difficulty × the MACs of a nonce, in a receipt that the network signed', async () => {
    const { coordinator, rig, unit, share, signer, clock, store } = await setUp()
    clock.advance(1500)
    const answer = await coordinator.submitShare(share)
    const receipt = receiptOf(answer)
    const macs = BigInt(unit.difficulty) * TIERS['itp1-small'].macs
    expect(answer).toMatchObject({ ok: true, repeated: false })
    expect(receipt.body).toEqual({
      network: coordinator.networkKey,
      rig: rig.key,
      epoch: 0,
      kind: 'share',
      ref: share.id,
      macs: macs.toString(),
      factorMilli: '500',
      creditMacs: (macs / 2n).toString(),
      verification: 'recomputed',
      acceptedAt: clock.now(),
    })
    expect(isGenuine('receipt', receipt, signatureVerifier, signer.publicKeyHex)).toBe(true)
    expect(await store.totals()).toEqual({ receipts: 1, creditMacs: macs / 2n })
  })

  it('counts with the real proof: the reference recomputes the nonce and a wrong bit loses it', async () => {
    const verifier: Verifier = {
      digest: async ({ tier, epochSeed, publicKey, nonce }) =>
        referenceDigest(TIERS[tier], hexToBytes(epochSeed), hexToBytes(publicKey), nonce).digest,
    }
    const { coordinator } = await createHarness({ verifier, configuration: { tiers: ['itp1-test'] } })
    const rig = createRig(coordinator)
    const unit = await rig.unit({ tier: 'itp1-test', macsPerSecond: 1 })
    expect(unit.difficulty).toBe('1')
    const nonce = nonceOf(unit.unit, 3n)
    const { epoch } = await coordinator.current()
    const digest = await verifier.digest({ tier: 'itp1-test', epochSeed: epoch.body.seed, publicKey: rig.key, nonce })
    const lastDigit = digest.endsWith('0') ? '1' : '0'
    const wrong = rig.sign(unit, { nonce, digest: digest.slice(0, -1) + lastDigit })
    expect(codeOf(await coordinator.submitShare(wrong))).toBe('wrong-digest')
    expect(receiptOf(await coordinator.submitShare(rig.sign(unit, { nonce, digest }))).body).toMatchObject({
      macs: '25427968',
      factorMilli: '500',
      creditMacs: '12713984',
    })
  })
})

describe('a refused share', () => {
  it.each([
    ['no object', null],
    ['no signature', { body: {} }],
    ['a digest in capitals', { digest: 'A'.repeat(64) }],
    ['a nonce that is no number', { nonce: '12x' }],
    ['a nonce beyond 64 bits', { nonce: (1n << 64n).toString() }],
    ['an unknown tier', { tier: 'itp1-huge' }],
    ['another network', { network: '9'.repeat(64) }],
  ])('is malformed: %s', async (_, fault) => {
    const { coordinator, share, rig, store } = await setUp()
    const isBody = fault !== null && !('body' in fault)
    const sent = isBody ? signObject('share', { ...share.body, ...fault }, rig.signer) : fault
    expect(codeOf(await coordinator.submitShare(sent as typeof share))).toBe('malformed')
    expect(await store.totals()).toEqual({ receipts: 0, creditMacs: 0n })
  })

  it('is of another version: one that names the network by its name', async () => {
    const { coordinator, share, rig } = await setUp()
    const first = signFirstVersion('share', { ...share.body, network: 'practice' }, rig.signer)
    expect(codeOf(await coordinator.submitShare(first))).toBe('unsupported-version')
    expect(codeOf(await coordinator.submitShare(signObject('share', first.body, rig.signer)))).toBe(
      'unsupported-version',
    )
    expect(codeOf(await coordinator.submitShare(signFirstVersion('share', share.body, rig.signer)))).toBe('wrong-key')
  })

  it('has the wrong key: signed by another, changed after signing, or in the name of another', async () => {
    const { coordinator, share, rig } = await setUp()
    const other = createRig(coordinator, 'other')
    expect(codeOf(await coordinator.submitShare(signObject('share', share.body, other.signer)))).toBe('wrong-key')
    const changed = { ...share, body: { ...share.body, digest: '0'.repeat(64) } }
    expect(codeOf(await coordinator.submitShare(changed))).toBe('wrong-key')
    expect(codeOf(await coordinator.submitShare({ ...share, signature: '0'.repeat(128) }))).toBe('wrong-key')
    const inAnothersName = signObject('share', { ...share.body, rig: other.key }, rig.signer)
    expect(codeOf(await coordinator.submitShare(inAnothersName))).toBe('wrong-key')
    expect(codeOf(await coordinator.submitShare(signObject('hello', share.body, rig.signer)))).toBe('wrong-key')
  })

  it('comes from a stale epoch: after the grace, never begun, or not begun yet', async () => {
    const { coordinator, rig, unit, found, share, clock } = await setUp()
    expect(codeOf(await coordinator.submitShare(rig.sign(unit, found, { epoch: 7 })))).toBe('stale-epoch')
    clock.advance(550_000)
    expect((await coordinator.current()).nextEpoch?.body.number).toBe(1)
    expect(codeOf(await coordinator.submitShare(rig.sign(unit, found, { epoch: 1 })))).toBe('stale-epoch')
    clock.advance(50_000 + 30_001)
    expect(codeOf(await coordinator.submitShare(share))).toBe('stale-epoch')
  })

  it('is in time until the grace ends, and belongs to its own epoch', async () => {
    const { coordinator, share, clock } = await setUp()
    clock.advance(600_000 + 30_000)
    expect((await coordinator.current()).epoch.body.number).toBe(1)
    expect(receiptOf(await coordinator.submitShare(share)).body.epoch).toBe(0)
  })

  it('has a foreign unit: nobody holds it, another rig does, or the rig held it in another epoch', async () => {
    const { coordinator, rig, unit, found, clock } = await setUp()
    const nowhere = rig.sign(unit, { ...found, nonce: nonceOf((unit.unit + 1) % 2 ** 32, 0n) })
    expect(codeOf(await coordinator.submitShare(nowhere))).toBe('foreign-unit')
    const thief = createRig(coordinator, 'thief')
    expect(codeOf(await coordinator.submitShare(thief.sign(unit, await thief.find(unit))))).toBe('foreign-unit')
    clock.advance(600_000)
    const stockpiled = rig.sign({ ...unit, epoch: 1 }, await rig.find(unit))
    expect((await coordinator.current()).epoch.body.number).toBe(1)
    expect(codeOf(await coordinator.submitShare(stockpiled))).toBe('foreign-unit')
  })

  it('has an expired unit', async () => {
    const { coordinator, rig, unit, store, clock } = await setUp()
    const short = { ...unit, unit: (unit.unit + 1) % 2 ** 32 }
    await store.addUnit({ ...short, difficulty: BigInt(unit.difficulty), expiresAt: clock.now() + 1000 })
    const share = rig.sign(short, await rig.find(short))
    clock.advance(1001)
    expect(codeOf(await coordinator.submitShare(share))).toBe('expired-unit')
  })

  it('has the wrong tier', async () => {
    const { coordinator, rig, unit, found } = await setUp()
    expect(codeOf(await coordinator.submitShare(rig.sign(unit, found, { tier: 'itp1-base' })))).toBe('wrong-tier')
  })

  it('replays a nonce: the same one with another digest or under another signature', async () => {
    const { coordinator, rig, unit, found, share, store } = await setUp()
    receiptOf(await coordinator.submitShare(share))
    const again = rig.sign(unit, { ...found, digest: '0'.repeat(64) })
    expect(codeOf(await coordinator.submitShare(again))).toBe('replayed-nonce')
    expect((await store.totals()).receipts).toBe(1)
  })

  it('is above the target, although its digest is right', async () => {
    const { coordinator, rig, clock } = await setUp()
    clock.advance(1000)
    await rig.unit()
    const unit = await rig.unit({ macsPerSecond: 1e12 })
    expect(BigInt(unit.difficulty)).toBeGreaterThan(1000n)
    const share = rig.sign(unit, await rig.find(unit, 0n, false))
    expect(codeOf(await coordinator.submitShare(share))).toBe('above-target')
  })

  it('has a random digest that would meet the target', async () => {
    const { coordinator, rig, unit, found } = await setUp()
    const forged = rig.sign(unit, { ...found, digest: `${'0'.repeat(32)}${'7'.repeat(32)}` })
    expect(codeOf(await coordinator.submitShare(forged))).toBe('wrong-digest')
    // The nonce is not used up by a forgery.
    expect(codeOf(await coordinator.submitShare(rig.sign(unit, found)))).toBe('accepted')
  })

  it('that is wrong is recomputed once, however often and under whatever signature it comes', async () => {
    let recomputed = 0
    const verifier: Verifier = {
      digest: (context) => {
        recomputed += 1
        return hashProof.digest(context)
      },
    }
    const { coordinator, rig, unit, found, clock } = await setUp({ verifier, signatures: { verify: () => true } })
    const forged = rig.sign(unit, { ...found, digest: '0'.repeat(64) })
    const first = await coordinator.submitShare(forged)
    expect(codeOf(first)).toBe('wrong-digest')
    for (let round = 0; round < 50; round++) {
      const signature = round.toString(16).padStart(128, '0')
      expect(await coordinator.submitShare({ ...forged, signature })).toEqual(first)
    }
    clock.advance(700_000)
    expect(await coordinator.submitShare(forged)).toEqual(first)
    expect(recomputed).toBe(1)
  })

  it('is neither refused nor lost when it cannot be recomputed now', async () => {
    let isDown = true
    const verifier: Verifier = {
      digest: (context) => (isDown ? Promise.reject(new Error('verifier stopped')) : hashProof.digest(context)),
    }
    const { coordinator, share } = await setUp({ verifier })
    await expect(coordinator.submitShare(share)).rejects.toMatchObject({ code: 'internal' })
    isDown = false
    expect(codeOf(await coordinator.submitShare(share))).toBe('accepted')
  })
})

describe('the same share again', () => {
  it('gets its original receipt, also after a restart and after its epoch', async () => {
    const { coordinator, share, clock, start, store } = await setUp()
    const first = await coordinator.submitShare(share)
    clock.advance(5000)
    expect(await coordinator.submitShare(share)).toEqual({ ...first, repeated: true })
    clock.advance(7 * 600_000)
    const restarted = await start()
    expect(await restarted.submitShare(share)).toEqual({ ...first, repeated: true })
    expect((await store.totals()).receipts).toBe(1)
  })

  it('gives one credit when it arrives many times at once, at one coordinator and at two', async () => {
    let recomputed = 0
    const verifier: Verifier = {
      digest: async (context) => {
        recomputed += 1
        return hashProof.digest(context)
      },
    }
    const { coordinator, start, share, store } = await setUp({ verifier })
    const second = await start()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? coordinator : second).submitShare(share)),
    )
    expect(new Set(answers.map((answer) => receiptOf(answer).id)).size).toBe(1)
    expect(answers.filter((answer) => answer.ok && !answer.repeated)).toHaveLength(1)
    expect(recomputed).toBeLessThanOrEqual(2)
    expect((await store.totals()).receipts).toBe(1)
  })

  it('gives one credit when two digests are claimed for one nonce at once', async () => {
    const { coordinator, rig, unit, found, share, store } = await setUp()
    const forged = rig.sign(unit, { ...found, digest: '0'.repeat(64) })
    const codes = (await Promise.all([share, forged, share, forged].map((one) => coordinator.submitShare(one)))).map(
      codeOf,
    )
    expect(codes[0]).toBe('accepted')
    expect(codes[2]).toBe('accepted')
    expect(['wrong-digest', 'replayed-nonce']).toContain(codes[1])
    expect((await store.totals()).receipts).toBe(1)
  })
})

describe('two signatures over one share', () => {
  it('give one credit: the second is a replay, also at once', async () => {
    // A rig can sign the same bytes twice with different results; here every signature passes.
    const { coordinator, share, store } = await setUp({ signatures: { verify: () => true } })
    const second = { ...share, signature: 'b'.repeat(128) }
    const codes = (await Promise.all([share, second].map((one) => coordinator.submitShare(one)))).map(codeOf)
    expect(codes).toEqual(['accepted', 'replayed-nonce'])
    expect(codeOf(await coordinator.submitShare(second))).toBe('replayed-nonce')
    expect((await store.totals()).receipts).toBe(1)
  })
})

describe('nonces at the edge of 64 bits', () => {
  it('are credited once each', async () => {
    const { coordinator, rig, unit, store } = await setUp()
    const edge = { ...unit, unit: 0xffff_ffff }
    await store.addUnit({ ...edge, difficulty: 1n })
    const { epoch } = await coordinator.current()
    const nonce = nonceOf(edge.unit, MAX_COUNTER)
    const digest = await hashProof.digest({ tier: edge.tier, epochSeed: epoch.body.seed, publicKey: rig.key, nonce })
    const share = rig.sign(edge, { nonce, digest })
    expect(share.body.nonce).toBe('18446744073709551615')
    expect(await coordinator.submitShare(share)).toMatchObject({ ok: true, repeated: false })
    expect(await coordinator.submitShare(share)).toMatchObject({ ok: true, repeated: true })
  })
})
