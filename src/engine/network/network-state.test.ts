import { beforeEach, describe, expect, it } from 'vitest'
import { signObject, type Signed, type Signer } from '#shared/domain/signed'
import type { Epoch } from '#shared/protocol/epoch'
import { epochSeed } from '#shared/protocol/epoch-chain'
import type { Welcome } from '#shared/protocol/hello'
import { createHarness, createTestClock, LISTED_MODELS } from '../../../test/support/coordinator-harness'
import { createSigner, signatureVerifier } from './ed25519'
import { createNetworkState } from './network-state'

const rig = createSigner('22'.repeat(32))
let harness: Awaited<ReturnType<typeof createHarness>>
let networkKey: Signer
let honest: Welcome

beforeEach(async () => {
  harness = await createHarness()
  networkKey = harness.signer
  honest = await harness.coordinator.current()
})

interface Before {
  /** the key that the rig knew */
  pinned?: string | null
  /** the epochs that it knew, lowest first */
  epochs?: Signed<Epoch>[]
}

/** A rig that hears one welcome after the other; answers with what it makes of the last. */
async function hear(welcomes: Welcome | Welcome[], { pinned = networkKey.publicKeyHex, epochs = [] }: Before = {}) {
  const { now } = createTestClock()
  const clock = { now, monotonic: () => 0, setTimeout: () => ({ cancel: () => undefined }) }
  const answers = [welcomes].flat()
  const count = answers.length
  const heard = [...epochs]
  const next = async () => ({ ok: true as const, value: (answers.length > 1 ? answers.shift() : answers[0])! })
  const state = createNetworkState(
    { clock },
    {
      session: { hello: next, current: next },
      networkName: 'practice',
      signer: rig,
      signatures: signatureVerifier,
      pinnedKey: pinned,
      lastEpoch: epochs.at(-1) ?? null,
      knownEpoch: (_key, number) => heard.find(({ body }) => body.number === number)?.body ?? null,
      onPinned: () => undefined,
      onEpoch: (epoch) => void heard.push(epoch),
    },
  )
  await state.hello([])
  for (let told = 1; told < count; told++) await state.reread()
  return state.current
}
const refused = (words = /./) => ({ code: 'network-refused', message: expect.stringMatching(words) })
const resigned = (epoch: Signed<Epoch>, changes: Partial<Epoch>) =>
  signObject('epoch', { ...epoch.body, ...changes }, networkKey)

/** What the network says at its beginning, while the next epoch is announced, in that one, and so on: `count` epochs. */
async function history(count: number): Promise<Welcome[]> {
  const welcomes = [honest]
  for (let epoch = 1; epoch < count; epoch++) {
    harness.clock.advance(550_000)
    welcomes.push(await harness.coordinator.current())
    harness.clock.advance(50_000)
    welcomes.push(await harness.coordinator.current())
  }
  return welcomes
}

describe('what a network says is believed', () => {
  it('when its own key signed it', async () => {
    expect((await hear(honest)).epoch).toEqual(honest.epoch.body)
    expect((await hear(honest, { pinned: null })).networkKey).toBe(networkKey.publicKeyHex)
  })

  it('not when the key is another than before', async () => {
    await expect(hear(honest, { pinned: rig.publicKeyHex })).rejects.toMatchObject(refused())
  })

  it('not when epoch or parameters were changed after signing', async () => {
    const longer = { ...honest.epoch, body: { ...honest.epoch.body, endsAt: honest.epoch.body.endsAt + 1 } }
    await expect(hear({ ...honest, epoch: longer })).rejects.toMatchObject(refused())
    const richer = { ...honest.parameters, body: { ...honest.parameters.body, graceSeconds: 31 } }
    await expect(hear({ ...honest, parameters: richer })).rejects.toMatchObject(refused())
    const [, announcing] = await history(2)
    const next = announcing!.nextEpoch!
    expect((await hear(announcing!)).next).toEqual(next.body)
    const forged = { ...next, body: { ...next.body, endsAt: next.body.endsAt + 1 } }
    await expect(hear({ ...announcing!, nextEpoch: forged })).rejects.toMatchObject(refused(/did not sign/))
  })

  it('not when the parameters are not those that the epoch announced, although signed', async () => {
    const others = signObject('parameters', { ...honest.parameters.body, graceSeconds: 31 }, networkKey)
    await expect(hear({ ...honest, parameters: others })).rejects.toMatchObject(refused())
  })

  it('of a model listed since only when its key signed that, and never over what the parameters list', async () => {
    const { network } = honest.parameters.body
    const [known] = LISTED_MODELS
    const model = { ...known!, hash: 'ab'.repeat(32) }
    const listing = (body: object) => signObject('listing', { network, listedAt: 1, model, ...body }, networkKey)
    const tell = (one: ReturnType<typeof listing>) => hear({ ...honest, listings: [one] })
    expect((await tell(listing({}))).models.get(model.hash)).toEqual(model)
    const dearer = { ...known!, factorMilli: { prompt: 9, generated: 9 } }
    expect((await tell(listing({ model: dearer }))).models.get(known!.hash)).toEqual(known)
    const forged = { ...listing({}), body: { network, listedAt: 1, model: { ...model, name: 'Else' } } }
    await expect(tell(forged)).rejects.toMatchObject(refused())
    await expect(tell(listing({ network: 'elsewhere' }))).rejects.toMatchObject(refused())
  })

  it('not when epoch, next epoch or parameters are of another network of the same key', async () => {
    const network = '9'.repeat(64)
    await expect(hear({ ...honest, epoch: resigned(honest.epoch, { network }) })).rejects.toMatchObject(refused())
    const parameters = signObject('parameters', { ...honest.parameters.body, network }, networkKey)
    const epoch = resigned(honest.epoch, { parameters: parameters.id })
    await expect(hear({ ...honest, epoch, parameters })).rejects.toMatchObject(refused(/not its own/))
    const [, announcing] = await history(2)
    const nextEpoch = resigned(announcing!.nextEpoch!, { network })
    await expect(hear({ ...announcing!, nextEpoch })).rejects.toMatchObject(refused(/not its own/))
  })

  it('whatever name it gives itself', async () => {
    const parameters = signObject('parameters', { ...honest.parameters.body, name: 'another name' }, networkKey)
    const epoch = resigned(honest.epoch, { parameters: parameters.id })
    expect((await hear({ ...honest, epoch, parameters })).epoch).toEqual(epoch.body)
  })
})

describe('an epoch is believed', () => {
  it('when it follows from the one before, over restarts and pauses of the rig', async () => {
    const told = await history(4)
    expect((await hear(told)).epoch.number).toBe(3)
    const epochs = [told[0]!.epoch, told[2]!.epoch]
    expect((await hear(told.slice(2), { epochs })).epoch.number).toBe(3)
    expect((await hear(told.slice(-1), { epochs })).epoch.number).toBe(3)
    expect((await hear(told.slice(-1))).epoch.number).toBe(3)
    expect((await hear([told[2]!, told[2]!], { epochs })).epoch.number).toBe(1)
  })

  it('not with a seed that its parts do not give, whether it is announced or begun, known or not', async () => {
    const [first, announcing, begun] = await history(2)
    const forged = resigned(begun!.epoch, { seed: 'ab'.repeat(32) })
    await expect(hear([first!, { ...begun!, epoch: forged }])).rejects.toMatchObject(refused(/seed does not follow/))
    await expect(hear({ ...begun!, epoch: forged })).rejects.toMatchObject(refused(/seed does not follow/))
    await expect(hear({ ...announcing!, nextEpoch: forged })).rejects.toMatchObject(refused(/seed does not follow/))
    const epoch = resigned(begun!.epoch, { closing: 'cd'.repeat(32) })
    await expect(hear({ ...begun!, epoch })).rejects.toMatchObject(refused(/seed does not follow/))
  })

  it('not with another secret than the epoch before committed to', async () => {
    const [first, announcing, begun] = await history(2)
    const reveal = 'ab'.repeat(32)
    const forged = resigned(begun!.epoch, { reveal, seed: epochSeed(reveal, begun!.epoch.body.closing) })
    await expect(hear([first!, { ...begun!, epoch: forged }])).rejects.toMatchObject(refused(/another secret/))
    await expect(hear({ ...announcing!, nextEpoch: forged })).rejects.toMatchObject(refused(/another secret/))
    // The same after a restart of the rig, which remembers what it heard.
    const epochs = [first!.epoch]
    await expect(hear({ ...begun!, epoch: forged }, { epochs })).rejects.toMatchObject(refused(/another secret/))
  })

  it('not without a reveal where an epoch came before it, however long ago', async () => {
    const told = await history(4)
    for (const index of [2, 6]) {
      const { reveal: _reveal, ...rest } = told[index]!.epoch.body
      const epoch = signObject('epoch', rest, networkKey)
      const heard = hear({ ...told[index]!, epoch }, { epochs: [told[0]!.epoch] })
      await expect(heard).rejects.toMatchObject(refused(/bound to nothing/))
    }
  })

  it('not under a number that another had, nor one that was left behind', async () => {
    const [first, , begun] = await history(2)
    const changed = resigned(begun!.epoch, { endsAt: begun!.epoch.body.endsAt + 1 })
    await expect(hear([begun!, { ...begun!, epoch: changed }])).rejects.toMatchObject(refused(/used before/))
    await expect(hear(first!, { epochs: [begun!.epoch] })).rejects.toMatchObject(refused(/used before/))
  })

  it('not announced with a number that skips those that would bind it', async () => {
    const [, announcing] = await history(2)
    const nextEpoch = resigned(announcing!.nextEpoch!, { number: 2 })
    await expect(hear({ ...announcing!, nextEpoch })).rejects.toMatchObject(refused(/not its own/))
  })

  it('not with another key for checks than was committed to, nor with one that is published too soon', async () => {
    const told = await history(4)
    const publishing = told.findIndex(({ epoch }) => epoch.body.checkKeys.length > 0)
    const [published] = told[publishing]!.epoch.body.checkKeys
    const checkKeys = [{ epoch: published!.epoch, key: 'ab'.repeat(32) }]
    const epoch = resigned(told[publishing]!.epoch, { checkKeys })
    const heard = hear([...told.slice(0, publishing - 1), { ...told[publishing]!, epoch }])
    await expect(heard).rejects.toMatchObject(refused(/another key for checks/))
    const [first, , begun] = told
    const early = resigned(begun!.epoch, { startsAt: first!.epoch.body.endsAt, checkKeys: [published!] })
    await expect(hear([first!, { ...begun!, epoch: early }])).rejects.toMatchObject(refused(/before that was over/))
  })
})
