import { describe, expect, it } from 'vitest'
import { createSigner, signatureVerifier } from '#engine/network/index'
import { isGenuine, objectId } from '#shared/domain/signed'
import type { Epoch } from '#shared/protocol/epoch'
import { commitmentOf, createClosingHash, epochSeed } from '#shared/protocol/epoch-chain'
import {
  codeOf,
  createHarness,
  createRig,
  receiptOf,
  seededRandom,
  createSyntheticJobs,
  hashProof,
  plainAppraiser,
  START,
} from '../../test/support/coordinator-harness'
import { overSessions } from '../../test/support/sessions'
import { createCoordinator } from './coordinator'

describe('an epoch', () => {
  it('begins when somebody asks, with signed parameters that it names', async () => {
    const { coordinator, signer } = await createHarness()
    const { epoch, parameters, nextEpoch, networkKey, now } = await coordinator.current()
    expect(epoch.body).toMatchObject({ network: networkKey, number: 0, startsAt: START, endsAt: START + 600_000 })
    expect(epoch.body.seed).toMatch(/^[0-9a-f]{64}$/)
    expect(epoch.body.parameters).toBe(parameters.id)
    expect(parameters.id).toBe(objectId(parameters.body))
    expect(parameters.body).toMatchObject({
      network: networkKey,
      name: 'practice',
      protocolVersion: 2,
      epochSeconds: 600,
      shareIntervalSeconds: 10,
      graceSeconds: 30,
      tierFactorsMilli: { 'itp1-test': 500, 'itp1-small': 500, 'itp1-base': 1000 },
    })
    expect(networkKey).toBe(signer.publicKeyHex)
    expect(isGenuine('epoch', epoch, signatureVerifier, networkKey)).toBe(true)
    expect(isGenuine('parameters', parameters, signatureVerifier, networkKey)).toBe(true)
    expect(nextEpoch).toBeUndefined()
    expect(now).toBe(START)
  })

  it('is announced 60 s before it starts, and starts as announced', async () => {
    const { coordinator, clock } = await createHarness()
    const first = (await coordinator.current()).epoch
    clock.set(START + 539_999)
    expect((await coordinator.current()).nextEpoch).toBeUndefined()
    clock.set(START + 540_000)
    const announced = (await coordinator.current()).nextEpoch
    expect(announced?.body).toMatchObject({
      number: 1,
      startsAt: first.body.endsAt,
      endsAt: first.body.endsAt + 600_000,
    })
    expect(announced?.body.seed).not.toBe(first.body.seed)
    clock.set(START + 599_999)
    expect((await coordinator.current()).epoch).toEqual(first)
    clock.set(START + 600_000)
    const after = await coordinator.current()
    expect(after.epoch).toEqual(announced)
    expect(after.nextEpoch).toBeUndefined()
  })

  it('is kept by a restart inside it, and so is the announced one', async () => {
    const { coordinator, clock, start } = await createHarness()
    const before = await coordinator.current()
    clock.advance(300_000)
    expect((await (await start()).current()).epoch).toEqual(before.epoch)
    clock.advance(250_000)
    const announced = (await coordinator.current()).nextEpoch
    expect((await (await start()).current()).nextEpoch).toEqual(announced)
    clock.advance(60_000)
    expect((await (await start()).current()).epoch).toEqual(announced)
  })

  it('begins when asked after a gap, whether the one before was announced or not', async () => {
    const { coordinator, clock, start } = await createHarness()
    await coordinator.current()
    clock.advance(86_400_000)
    const afterGap = (await (await start()).current()).epoch.body
    expect(afterGap).toMatchObject({ number: 1, startsAt: clock.now(), endsAt: clock.now() + 600_000 })
    clock.advance(590_000)
    expect((await coordinator.current()).nextEpoch?.body.number).toBe(2)
    clock.advance(3_600_000)
    expect((await coordinator.current()).epoch.body).toMatchObject({ number: 3, startsAt: clock.now() })
  })

  it('takes a changed length from the next epoch on', async () => {
    const { coordinator, clock, start } = await createHarness()
    const before = await coordinator.current()
    const changed = await start({ epochSeconds: 60 })
    expect(await changed.current()).toMatchObject({ epoch: before.epoch, parameters: before.parameters })
    clock.set(START + 590_000)
    expect((await changed.current()).nextEpoch?.body).toMatchObject({
      startsAt: START + 600_000,
      endsAt: START + 660_000,
    })
    clock.set(START + 600_000)
    const after = await changed.current()
    expect(after.parameters.body.epochSeconds).toBe(60)
    expect(after.epoch.body).toMatchObject({ number: 1, endsAt: START + 660_000, parameters: after.parameters.id })
  })

  it('credits late shares by the parameters that were announced for it', async () => {
    const { coordinator, clock, start } = await createHarness()
    const rig = createRig(coordinator)
    const unit = await rig.unit()
    const share = rig.sign(unit, await rig.find(unit))
    const tierFactorsMilli = { 'itp1-test': 1, 'itp1-small': 1, 'itp1-base': 1 }
    const changed = await start({ tierFactorsMilli })
    clock.advance(610_000)
    expect((await changed.current()).parameters.body.tierFactorsMilli).toEqual(tierFactorsMilli)
    expect(receiptOf(await changed.submitShare(share)).body).toMatchObject({ epoch: 0, factorMilli: '500' })
  })

  it('is one for all coordinators on one store, also when they begin it at once', async () => {
    const { coordinator, clock, start } = await createHarness()
    const others = await Promise.all([start(), start(), start()])
    for (const pause of [0, 545_000, 60_000, 4_000_000]) {
      clock.advance(pause)
      const all = await Promise.all([coordinator, ...others, coordinator].map((one) => one.current()))
      expect(new Set(all.map(({ epoch }) => epoch.id)).size).toBe(1)
      expect(new Set(all.map(({ nextEpoch }) => nextEpoch?.id)).size).toBe(1)
    }
  })

  it('outlasts a clock that is set back a little, not one set back by days', async () => {
    const { coordinator, clock } = await createHarness()
    const { epoch } = await coordinator.current()
    clock.set(START - 5000)
    expect((await coordinator.current()).epoch).toEqual(epoch)
    clock.set(START - 86_400_000)
    expect((await coordinator.current()).epoch.body).toMatchObject({ number: 1, startsAt: START - 86_400_000 })
  })

  it('is not kept under another key of the network', async () => {
    const { store, clock, coordinator } = await createHarness()
    const rig = createRig(coordinator)
    const unit = await rig.unit()
    const share = rig.sign(unit, await rig.find(unit))
    const renewed = overSessions(
      await createCoordinator({
        store,
        clock,
        verifier: hashProof,
        appraiser: plainAppraiser,
        syntheticJobs: createSyntheticJobs(),
        random: seededRandom('renewed'),
        signer: createSigner('22'.repeat(32)),
        signatures: signatureVerifier,
      }),
    )
    const { epoch, parameters, networkKey } = await renewed.current()
    expect(epoch.body.number).toBe(1)
    expect(isGenuine('epoch', epoch, signatureVerifier, networkKey)).toBe(true)
    expect(isGenuine('parameters', parameters, signatureVerifier, networkKey)).toBe(true)
    expect(codeOf(await renewed.submitShare(share))).toBe('malformed')
    expect(epoch.body.reveal).toBeUndefined()
    expect((await renewed.epochs({ from: 0, limit: 9 })).epochs).toEqual([epoch])
  })

  it('does not use a number again that rigs may have heard, where the store was put back from a copy', async () => {
    const { coordinator, clock, start } = await createHarness()
    await coordinator.current()
    const putBack = await start({ firstEpoch: 9 })
    clock.advance(590_000)
    expect((await putBack.current()).nextEpoch).toBeUndefined()
    clock.advance(20_000)
    expect((await putBack.current()).epoch.body.number).toBe(9)
  })

  it('is numbered from where the configuration says', async () => {
    const { coordinator } = await createHarness({ configuration: { firstEpoch: 42 } })
    expect((await coordinator.current()).epoch.body.number).toBe(42)
  })
})

/** A network in its first epoch, with a share credited, and how it goes on. */
async function begun() {
  const harness = await createHarness()
  const { coordinator, clock } = harness
  const rig = createRig(coordinator)
  let counter = 0n
  const credit = async (): Promise<string> => {
    const unit = await rig.unit()
    const found = await rig.find(unit, counter)
    counter = (found.nonce & 0xffff_ffffn) + 1n
    return receiptOf(await coordinator.submitShare(rig.sign(unit, found))).id
  }
  const announced = async (): Promise<Epoch> => {
    clock.advance(550_000)
    return (await coordinator.current()).nextEpoch!.body
  }
  return { ...harness, first: (await coordinator.current()).epoch.body, credit, announced }
}

describe('the seed of an epoch', () => {
  it('is made of the secret that the epoch before committed to, and of what was credited in it until it was announced', async () => {
    const { first, credit, announced, clock, coordinator } = await begun()
    const receipts = [await credit(), await credit(), await credit()]
    const next = await announced()
    const closing = createClosingHash()
    for (const id of receipts.toSorted()) closing.add(id)
    expect(first.reveal).toBeUndefined()
    expect(next.closing).toBe(closing.digest())
    expect(commitmentOf(next.reveal!)).toBe(first.commitment)
    expect(next.seed).toBe(epochSeed(next.reveal!, next.closing))
    await credit()
    clock.advance(50_000)
    expect((await coordinator.current()).epoch.body).toEqual(next)
  })

  it('is not the choice of an operator who starts another coordinator', async () => {
    const { first, store, clock, signer } = await begun()
    clock.advance(550_000)
    const changedMind = await createHarness({ store, clock, seed: 'another random source' })
    expect(changedMind.signer.publicKeyHex).toBe(signer.publicKeyHex)
    const { epoch, nextEpoch } = await changedMind.coordinator.current()
    expect(epoch.body).toEqual(first)
    expect(commitmentOf(nextEpoch!.body.reveal!)).toBe(first.commitment)
  })

  it('goes on from the last epoch that is stored, over gaps', async () => {
    const { announced, clock, start } = await begun()
    const next = await announced()
    clock.advance(86_400_000)
    const { epoch } = await (await start()).current()
    expect(epoch.body.number).toBe(next.number + 1)
    expect(commitmentOf(epoch.body.reveal!)).toBe(next.commitment)
    expect(epoch.body.closing).toBe(createClosingHash().digest())
  })

  it('cannot be known before: no secret and no key leaves the coordinator before its time', async () => {
    const { store, clock, coordinator } = await begun()
    const secrets = new Map<string, number>()
    const said = async (): Promise<string> =>
      JSON.stringify([await coordinator.current(), await coordinator.epochs({ from: 0, limit: 100 })])
    const keyOf = async (epoch: number): Promise<string> =>
      (await store.dueCheckKeys(Infinity, 100)).find((due) => due.epoch === epoch)!.key
    secrets.set((await store.nextSecret(0))!, 540_000)
    secrets.set(await keyOf(0), 1_140_000)
    for (let time = 0; time < 1_200_000; time += 30_000) {
      const text = await said()
      for (const [secret, from] of secrets) expect([time, text.includes(secret)]).toEqual([time, time >= from])
      clock.advance(30_000)
    }
  })
})

describe('the key for the checks of an epoch', () => {
  it('stands in the first epoch that is announced after that one and its grace, and fits what was committed to', async () => {
    const { first, clock, coordinator } = await begun()
    const told: Epoch[] = [first]
    for (let epoch = 1; epoch < 5; epoch++) {
      clock.advance(600_000)
      told.push((await coordinator.current()).epoch.body)
    }
    expect(told.map(({ checkKeys }) => checkKeys.map(({ epoch }) => epoch))).toEqual([[], [], [0], [1], [2]])
    for (const { epoch, key } of told.flatMap(({ checkKeys }) => checkKeys))
      expect(commitmentOf(key)).toBe(told[epoch]!.checkCommitment)
    expect(new Set(told.map(({ checkCommitment }) => checkCommitment)).size).toBe(5)
  })

  it('waits for the grace where epochs are short, and is published after a gap', async () => {
    const { coordinator, clock, start } = await createHarness({ configuration: { epochSeconds: 20 } })
    const told = []
    for (let time = 0; time < 120; time += 20) {
      told.push((await coordinator.current()).nextEpoch!.body)
      clock.advance(20_000)
    }
    // Each is announced when the one before begins: 40 s after the end of the one whose key it publishes.
    expect(told.flatMap(({ number, checkKeys }) => checkKeys.map(({ epoch }) => number - epoch))).toEqual([4, 4, 4])
    clock.advance(3_600_000)
    const keys = (await (await start()).current()).epoch.body.checkKeys
    expect(keys.map(({ epoch }) => epoch)).toEqual([3, 4, 5, 6])
  })
})
