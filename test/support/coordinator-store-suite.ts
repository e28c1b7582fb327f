/** What every implementation of the coordinator's store must do. */
import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import type { CoordinatorStore, EpochSecrets, UnitRecord } from '#coordinator/store'
import type { Epoch } from '#shared/protocol/epoch'
import type { ModelListing, NetworkParameters } from '#shared/protocol/parameters'
import { sha256Hex, signObject } from '#shared/domain/signed'
import { utf8ToBytes } from '#shared/domain/bytes'
import { NO_RECORD } from '#coordinator/record'
import { DEFAULT_CONFIGURATION, parametersOf } from '#coordinator/configuration'
import { LISTED_MODELS, START } from './coordinator-harness'
import { describeStoreOfDeliveries } from './coordinator-store-deliveries-suite'
import { acceptedShare, describeStoreOfJobs } from './coordinator-store-jobs-suite'

const signer = createSigner('11'.repeat(32))
const rig = 'a'.repeat(64)
const other = 'b'.repeat(64)

export function describeCoordinatorStore(name: string, open: () => CoordinatorStore): void {
  describe(`${name}: epochs and parameters`, () => {
    it('keeps parameters by id, and the newest signature of the same ones', async () => {
      const store = open()
      const body: NetworkParameters = parametersOf(DEFAULT_CONFIGURATION, signer.publicKeyHex)
      const first = signObject('parameters', body, signer)
      const second = signObject('parameters', body, createSigner('22'.repeat(32)))
      await store.putParameters(first)
      expect(await store.parameters(first.id)).toEqual(first)
      await store.putParameters(second)
      expect(await store.parameters(first.id)).toEqual(second)
      expect(await store.parameters('0'.repeat(64))).toBeUndefined()
    })

    it('keeps the newest listing of each model, and tells those since a time, the newest first', async () => {
      const store = open()
      const listing = (index: number, listedAt: number, name = 'A model') => {
        const body: ModelListing = { network: signer.publicKeyHex, listedAt, model: { ...LISTED_MODELS[index]!, name } }
        return signObject('listing', body, signer)
      }
      const [first, second, third] = [listing(0, START), listing(1, START + 1), listing(2, START + 2)]
      for (const one of [second, first, third]) await store.putListing(one)
      expect(await store.listings({ since: START + 1, limit: 10 })).toEqual([third, second])
      expect(await store.listings({ since: 0, limit: 2 })).toEqual([third, second])
      const again = listing(0, START + 3, 'The same, counted again')
      await store.putListing(again)
      expect(await store.listing(LISTED_MODELS[0]!.hash)).toEqual(again)
      expect(await store.listing('0'.repeat(63) + '1')).toBeUndefined()
      expect(await store.listings({ since: 0, limit: 10 })).toEqual([again, third, second])
    })

    it('keeps each epoch number once and lists the newest first', async () => {
      const store = open()
      const epochs = [0, 1, 2].map((number) => signObject('epoch', epochBody(number), signer))
      expect(await store.newestEpochs(2)).toEqual([])
      for (const epoch of epochs) expect(await store.addEpoch(epoch, secretsOf(epoch.body.number))).toBe(true)
      const rival = signObject('epoch', { ...epochBody(1), seed: 'f'.repeat(64) }, signer)
      expect(await store.addEpoch(rival, secretsOf(7))).toBe(false)
      expect(await store.epoch(1)).toEqual(epochs[1])
      expect(await store.epoch(3)).toBeUndefined()
      expect(await store.newestEpochs(2)).toEqual([epochs[2], epochs[1]])
      expect(await store.epochsFrom(1, 5)).toEqual([epochs[1], epochs[2]])
      expect(await store.epochsFrom(0, 1)).toEqual([epochs[0]])
      expect(await store.epochsFrom(3, 5)).toEqual([])
    })

    it('keeps the secrets of the epoch that was first, whoever adds it at once', async () => {
      const store = open()
      const add = (change: number) => {
        const epoch = signObject('epoch', { ...epochBody(1), endsAt: START + 900_000 + change }, signer)
        return store.addEpoch(epoch, secretsOf(change))
      }
      const added = await Promise.all([5, 6, 7].map(add))
      expect(added.filter(Boolean)).toHaveLength(1)
      const winner = (await store.epoch(1))!.body.endsAt - START - 900_000
      expect(await store.nextSecret(1)).toBe(secretsOf(winner).nextSecret)
      expect(await store.dueCheckKeys(START + 1e9, 5)).toEqual([{ epoch: 1, key: secretsOf(winner).checkKey }])
      expect(await store.nextSecret(2)).toBeUndefined()
    })

    it('gives keys for checks out when they are due, lowest first, until an epoch that is kept publishes them', async () => {
      const store = open()
      for (const number of [2, 0, 1])
        await store.addEpoch(signObject('epoch', epochBody(number), signer), secretsOf(number))
      const keys = [0, 1, 2].map((epoch) => ({ epoch, key: secretsOf(epoch).checkKey }))
      expect(await store.dueCheckKeys(START, 9)).toEqual([])
      expect(await store.dueCheckKeys(START + 1, 9)).toEqual(keys.slice(0, 1))
      expect(await store.dueCheckKeys(START + 3, 2)).toEqual(keys.slice(0, 2))
      const publishing = (number: number) =>
        store.addEpoch(
          signObject('epoch', { ...epochBody(number), checkKeys: keys.slice(0, 2) }, signer),
          secretsOf(number),
        )
      expect(await publishing(1)).toBe(false)
      expect(await store.dueCheckKeys(START + 3, 9)).toEqual(keys)
      expect(await publishing(3)).toBe(true)
      expect(await store.dueCheckKeys(START + 3, 9)).toEqual(keys.slice(2))
    })

    it('lists the receipts of an epoch by their ids, a page at a time', async () => {
      const store = open()
      const receipts: string[] = []
      for (let nonce = 0n; nonce < 5n; nonce++) {
        const share = acceptedShare(`share ${nonce}`, 1n, nonce === 4n ? 1 : 0)
        await store.acceptShare({ rig, epoch: share.receipt.body.epoch, nonce }, share)
        receipts.push(share.receipt.id)
      }
      const sorted = receipts.slice(0, 4).toSorted()
      expect(await store.receiptIds(0, '', 3)).toEqual(sorted.slice(0, 3))
      expect(await store.receiptIds(0, sorted[2]!, 3)).toEqual(sorted.slice(3))
      expect(await store.receiptIds(2, '', 3)).toEqual([])
    })
  })

  describe(`${name}: sessions and units`, () => {
    it('counts a ramp for each device of each rig, anew after a session began', async () => {
      const store = open()
      expect([await store.climbRamp(rig, 'cpu0'), await store.climbRamp(rig, 'cpu0')]).toEqual([0, 1])
      expect([await store.climbRamp(rig, 'gpu0'), await store.climbRamp(other, 'cpu0')]).toEqual([0, 0])
      await store.beginSession({ rig, at: START, devices: [] })
      await store.beginSession({ rig, at: START + 1, devices: [] })
      expect([await store.climbRamp(rig, 'cpu0'), await store.climbRamp(other, 'cpu0')]).toEqual([0, 1])
    })

    it('counts the synthetic jobs of a rig, and gives it so many an epoch, whoever asks at once', async () => {
      const store = open()
      const turns = await Promise.all([1, 2, 3].map(() => store.takeSyntheticTurn(rig, 5, 2)))
      expect(new Set(turns)).toEqual(new Set([0, 1, undefined]))
      expect(await store.takeSyntheticTurn(other, 5, 2)).toBe(0)
      expect([await store.takeSyntheticTurn(rig, 6, 1), await store.takeSyntheticTurn(rig, 6, 1)]).toEqual([
        2,
        undefined,
      ])
      expect(await store.takeSyntheticTurn('c'.repeat(64), 6, 0)).toBeUndefined()
    })

    it('sets a rig’s record once when several callers saw it as it was', async () => {
      const store = open()
      expect(await store.rigRecord(rig)).toBeUndefined()
      const next = [1, 2].map((misses) => ({ misses, pauses: 1, pausedUntil: START }))
      const set = await Promise.all(next.map((record) => store.compareAndSetRecord(rig, NO_RECORD, record)))
      expect(set.filter(Boolean)).toHaveLength(1)
      const record = await store.rigRecord(rig)
      expect(record).toEqual(next[set.indexOf(true)])
      expect(await store.compareAndSetRecord(rig, record ?? NO_RECORD, NO_RECORD)).toBe(true)
      expect([await store.rigRecord(rig), await store.rigRecord(other)]).toEqual([NO_RECORD, undefined])
    })

    it('suspends a rig until its next session', async () => {
      const store = open()
      expect(await store.suspendedUntil(rig)).toBeUndefined()
      await store.suspendRig(rig, START + 1)
      await store.suspendRig(rig, START + 2)
      expect([await store.suspendedUntil(rig), await store.suspendedUntil(other)]).toEqual([START + 2, undefined])
      await store.beginSession({ rig, at: START + 3, devices: [] })
      expect(await store.suspendedUntil(rig)).toBeUndefined()
    })

    it('gives a unit number once an epoch, and forgets units that expired long ago', async () => {
      const store = open()
      const unit: UnitRecord = {
        epoch: 3,
        unit: 0xffff_ffff,
        rig,
        tier: 'itp1-base',
        difficulty: 1n << 60n,
        expiresAt: START,
      }
      expect(await store.addUnit(unit)).toBe(true)
      expect(await store.addUnit({ ...unit, rig: other })).toBe(false)
      expect(await store.addUnit({ ...unit, epoch: 4, expiresAt: START + 1 })).toBe(true)
      expect(await store.unit(3, 0xffff_ffff)).toEqual(unit)
      expect(await store.unit(3, 7)).toBeUndefined()
      await store.removeUnits(START + 1)
      expect(await store.unit(3, 0xffff_ffff)).toBeUndefined()
      expect(await store.unit(4, 0xffff_ffff)).toBeDefined()
    })

    it('bounds how many units a rig holds, whoever asks at once', async () => {
      const store = open()
      const add = (unit: number, changes: Partial<UnitRecord> = {}) => {
        const record = { epoch: 0, unit, rig, tier: 'itp1-base', difficulty: 1n, expiresAt: START, ...changes } as const
        return store.addUnit(record, { now: START, most: 2 })
      }
      const added = await Promise.all([1, 2, 3, 4].map((unit) => add(unit)))
      expect(added.filter(Boolean)).toHaveLength(2)
      expect([await store.heldUnits(rig, START), await store.heldUnits(rig, START + 1)]).toEqual([2, 0])
      expect([await add(5, { rig: other }), await add(6)]).toEqual([true, false])
      expect(await store.addUnit({ ...unitOf(7), rig }, { now: START + 1, most: 2 })).toBe(true)
    })
  })

  describe(`${name}: shares and totals`, () => {
    it('takes the first of several shares with one nonce, also at once', async () => {
      const store = open()
      const key = { rig, epoch: 0, nonce: (1n << 64n) - 1n }
      const shares = ['one', 'two', 'three'].map((text) => acceptedShare(text, 10n))
      const outcomes = await Promise.all(shares.map((share) => store.acceptShare(key, share)))
      expect(outcomes.filter(({ accepted }) => accepted)).toHaveLength(1)
      const stored = await store.share(key)
      expect(outcomes.map(({ share }) => share)).toEqual([stored, stored, stored])
      expect(await store.totals()).toEqual({ receipts: 1, creditMacs: 10n })
      for (const elsewhere of [
        { ...key, rig: other },
        { ...key, epoch: 1 },
        { ...key, nonce: key.nonce - 1n },
      ]) {
        expect(await store.share(elsewhere)).toBeUndefined()
      }
    })

    it('sums credit beyond 64 bits, of all epochs and of one', async () => {
      const store = open()
      const large = 1n << 62n
      for (let nonce = 0n; nonce < 5n; nonce++) {
        const epoch = nonce === 4n ? 1 : 0
        await store.acceptShare({ rig, epoch, nonce }, acceptedShare(`share ${nonce}`, large - nonce, epoch))
      }
      expect(await store.totals()).toEqual({ receipts: 5, creditMacs: 5n * large - 10n })
      expect(await store.totals(0)).toEqual({ receipts: 4, creditMacs: 4n * large - 6n })
      expect(await store.totals(2)).toEqual({ receipts: 0, creditMacs: 0n })
    })
  })

  describeStoreOfJobs(name, open)
  describeStoreOfDeliveries(name, open)
}

function unitOf(unit: number): UnitRecord {
  return { epoch: 0, unit, rig, tier: 'itp1-base', difficulty: 1n, expiresAt: START + 1 }
}

function epochBody(number: number): Epoch {
  const startsAt = START + number * 600_000
  const seed = sha256Hex(utf8ToBytes(`seed ${number}`))
  return {
    network: signer.publicKeyHex,
    number,
    seed,
    startsAt,
    endsAt: startsAt + 600_000,
    parameters: '0'.repeat(64),
    commitment: '0'.repeat(64),
    closing: '0'.repeat(64),
    checkCommitment: '0'.repeat(64),
    checkKeys: [],
  }
}

function secretsOf(number: number): EpochSecrets {
  const [nextSecret, checkKey] = ['next', 'key'].map((text) => sha256Hex(utf8ToBytes(`${text} ${number}`)))
  return { nextSecret: nextSecret!, checkKey: checkKey!, checkKeyDueAt: START + number }
}
