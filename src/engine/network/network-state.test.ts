import { beforeEach, describe, expect, it } from 'vitest'
import { signObject, type Signer } from '#shared/domain/signed'
import type { Welcome } from '#shared/protocol/hello'
import { createHarness, createTestClock, LISTED_MODELS } from '../../../test/support/coordinator-harness'
import { createSigner, signatureVerifier } from './ed25519'
import { createNetworkState } from './network-state'

const rig = createSigner('22'.repeat(32))
let networkKey: Signer
let honest: Welcome

beforeEach(async () => {
  const { coordinator, signer } = await createHarness()
  networkKey = signer
  honest = await coordinator.current()
})

/** What a rig makes of a welcome; `pinned` is the key it knew before. */
async function hear(welcome: Welcome, pinned: string | null = networkKey.publicKeyHex) {
  const { now } = createTestClock()
  const clock = { now, monotonic: () => 0, setTimeout: () => ({ cancel: () => undefined }) }
  const state = createNetworkState(
    { clock },
    {
      session: {
        hello: async () => ({ ok: true, value: welcome }),
        current: async () => ({ ok: true, value: welcome }),
      },
      networkName: 'practice',
      signer: rig,
      signatures: signatureVerifier,
      pinnedKey: pinned,
      onPinned: () => undefined,
      onEpoch: () => undefined,
    },
  )
  await state.hello([])
  return state.current
}
const refused = { code: 'network-refused' }

describe('what a network says is believed', () => {
  it('when its own key signed it', async () => {
    expect((await hear(honest)).epoch).toEqual(honest.epoch.body)
    expect((await hear(honest, null)).networkKey).toBe(networkKey.publicKeyHex)
  })

  it('not when the key is another than before', async () => {
    await expect(hear(honest, rig.publicKeyHex)).rejects.toMatchObject(refused)
  })

  it('not when epoch or parameters were changed after signing', async () => {
    const longer = { ...honest.epoch, body: { ...honest.epoch.body, endsAt: honest.epoch.body.endsAt + 1 } }
    await expect(hear({ ...honest, epoch: longer })).rejects.toMatchObject(refused)
    const richer = { ...honest.parameters, body: { ...honest.parameters.body, graceSeconds: 31 } }
    await expect(hear({ ...honest, parameters: richer })).rejects.toMatchObject(refused)
    const next = signObject('epoch', { ...honest.epoch.body, number: 1 }, networkKey)
    expect((await hear({ ...honest, nextEpoch: next })).next).toEqual(next.body)
    const forged = { ...next, body: { ...next.body, seed: 'ab'.repeat(32) } }
    await expect(hear({ ...honest, nextEpoch: forged })).rejects.toMatchObject(refused)
  })

  it('not when the parameters are not those that the epoch announced, although signed', async () => {
    const others = signObject('parameters', { ...honest.parameters.body, graceSeconds: 31 }, networkKey)
    await expect(hear({ ...honest, parameters: others })).rejects.toMatchObject(refused)
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
    await expect(tell(forged)).rejects.toMatchObject(refused)
    await expect(tell(listing({ network: 'elsewhere' }))).rejects.toMatchObject(refused)
  })

  it('not when the epoch is one of another network of the same key', async () => {
    const other = signObject('epoch', { ...honest.epoch.body, network: '9'.repeat(64) }, networkKey)
    await expect(hear({ ...honest, epoch: other })).rejects.toMatchObject(refused)
    await expect(hear({ ...honest, nextEpoch: other })).rejects.toMatchObject(refused)
  })
})
