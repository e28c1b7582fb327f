import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { signObject } from '#shared/domain/signed'
import { EncodedInput } from '#shared/domain/encoded-input'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { rigProtocol } from '#shared/protocol/rig-session'
import {
  codeOf,
  createHarness,
  createRig,
  LISTED_MODELS,
  MODELS,
  receiptOf,
  valueOf,
} from '../../test/support/coordinator-harness'
import { openSerialized } from '../../test/support/sessions'
import { KIND_FACTORS_MILLI } from './kind-factors'
import type { CountedModel, OwnModels } from './own-models'

const id = (last: number): string => `0190a5c0-0000-7000-8000-00000000000${last}`
const input = EncodedInput.of({ kind: 'embed', texts: ['A sentence.'] })
const { embed } = MODELS
const counted = {
  kind: 'embed',
  name: 'Mine',
  context: 512,
  macFormula: embed.macFormula,
} as const satisfies CountedModel
/** Counts the embedding model as the person's own, and remembers what it was asked for. */
const ownModels = (answer: () => Promise<CountedModel | undefined> = async () => counted) => {
  const asked: string[] = []
  const port: OwnModels = {
    count: (hash) => {
      asked.push(hash)
      return hash === embed.model ? answer() : Promise.resolve(undefined)
    },
  }
  return { asked, port }
}
const networkOf = (port?: OwnModels) =>
  createHarness({ configuration: { models: [] }, ...(port && { ownModels: port }) })
const order = (last: number) => ({ id: id(last), model: embed.model, input, buyer: 'person' as const })

describe('a network whose operator lists its models', () => {
  it('gives and takes work on no other', async () => {
    const { coordinator } = await networkOf()
    const rig = createRig(coordinator)
    expect(codeOf(await coordinator.enqueueJob(order(1)))).toBe('unlisted-model')
    const refused = await rig.lease(['embed'], false)
    expect(refused).toMatchObject({ refusal: { code: 'no-work' } })
    expect(JSON.stringify(refused)).toContain(embed.model.slice(0, 16))
    expect(codeOf(await rig.lease(['embed']))).toBe('unlisted-model')
  })

  it('refuses a job of another kind than its model', async () => {
    const { coordinator } = await createHarness()
    expect(codeOf(await coordinator.enqueueJob({ ...order(1), model: MODELS.chat.model }))).toBe('malformed')
  })

  it('does not hear what a rig says of a model beside its hash', async () => {
    const { coordinator } = await createHarness()
    const rig = createRig(coordinator)
    const macFormula = { kind: 'embed', perToken: 4e15, perPair: 4e15 }
    const stated = { model: embed.model, kind: 'embed', macFormula, factorMilli: { prompt: 1e9, generated: 1e9 } }
    const models = [stated] as unknown as { model: string }[]
    const offer = valueOf(await coordinator.leaseJob({ rig: rig.key, models, samples: true }))
    const honest = await createHarness()
    const other = createRig(honest.coordinator)
    const same = valueOf(await other.lease(['embed']))
    const credit = async (one: typeof coordinator, delivery: ReturnType<typeof rig.deliver>) =>
      receiptOf(await one.submitJob(delivery)).body.creditMacs
    expect(await credit(coordinator, rig.deliver(offer))).toBe(await credit(honest.coordinator, other.deliver(same)))
  })
})

describe("a person's own model", () => {
  it('is listed when a job names it, and stands in the parameters from the next epoch on', async () => {
    const { asked, port } = ownModels()
    const { coordinator, clock, signer } = await networkOf(port)
    expect(codeOf(await coordinator.enqueueJob(order(1)))).toBe('accepted')
    const listed = {
      ...counted,
      hash: embed.model,
      factorMilli: KIND_FACTORS_MILLI.embed,
      verification: 'unchecked',
    }
    const before = await coordinator.current()
    expect(before.parameters.body.models).toEqual([])
    expect(before.listings.map(({ body, key }) => [body.model, key])).toEqual([[listed, signer.publicKeyHex]])
    clock.advance(700_000)
    const after = await coordinator.current()
    expect(after.parameters.body.models).toEqual([listed])
    expect(after.listings).toEqual([])
    expect(codeOf(await coordinator.enqueueJob(order(2)))).toBe('accepted')
    expect(asked).toEqual([embed.model])
  })

  it('is listed for synthetic jobs of a rig that offers it, and its credit counts by what was counted', async () => {
    const { port } = ownModels()
    const { coordinator } = await networkOf(port)
    const rig = createRig(coordinator)
    const offer = valueOf(await rig.lease(['chat', 'embed']))
    expect(offer).toMatchObject({ kind: 'embed', model: embed.model })
    const { body } = receiptOf(await coordinator.submitJob(rig.deliver(offer)))
    // two texts of five tokens
    expect(body.macs).toBe(String(2 * (5 * counted.macFormula.perToken + 25 * counted.macFormula.perPair)))
  })

  it('that waited in the queue from before is listed when a rig offers it, and the rig hears of the work', async () => {
    const { port } = ownModels()
    const { coordinator, start, store, clock } = await networkOf()
    const rig = createRig(coordinator)
    const listing = await start({ models: LISTED_MODELS })
    expect(codeOf(await listing.enqueueJob(order(1)))).toBe('accepted')
    clock.advance(700_000)
    const { coordinator: own } = await createHarness({ store, clock, configuration: { models: [] }, ownModels: port })
    let told = 0
    openSerialized(rigProtocol, own.rigSession(rig.key)).on('work', () => told++)
    expect(codeOf(await createRig(own).lease(['embed'], false))).toBe('no-work')
    // The first shares come first.
    clock.advance(9999)
    expect((await own.current()).listings).toEqual([])
    clock.advance(1)
    await expect.poll(() => told).toBe(1)
    expect(valueOf(await createRig(own).lease(['embed'], false)).id).toBe(id(1))
  })

  it('is counted alone, however often its rig asks meanwhile: counting loads a model', async () => {
    const ends: (() => void)[] = []
    const asked: string[] = []
    const count: OwnModels['count'] = (hash) => {
      asked.push(hash)
      return new Promise((resolve) => ends.push(() => resolve(undefined)))
    }
    const { coordinator, clock } = await networkOf({ count })
    const rig = createRig(coordinator)
    for (let time = 0; time < 3; time++) expect(codeOf(await rig.lease(undefined, false))).toBe('no-work')
    clock.advance(10_000)
    const every = [MODELS.chat, embed, MODELS.ocr].map(({ model }) => model)
    for (const counting of every) {
      await expect.poll(() => asked.at(-1)).toBe(counting)
      expect(ends).toHaveLength(1)
      ends.pop()?.()
    }
    expect(asked).toEqual(every)
  })

  it('is counted once for all who wait, and after a failure again a minute later', async () => {
    let isWhole = false
    const { asked, port } = ownModels(async () => {
      if (!isWhole) throw new Failure('model-refused', foreignWords('model.onnx is cut short'))
      return counted
    })
    const { coordinator, clock } = await networkOf(port)
    const both = await Promise.all([coordinator.enqueueJob(order(1)), coordinator.enqueueJob(order(2))])
    expect(both).toMatchObject([1, 2].map(() => ({ refusal: { code: 'unlisted-model' } })))
    expect(JSON.stringify(both)).toContain('model.onnx is cut short')
    isWhole = true
    expect(codeOf(await coordinator.enqueueJob(order(3)))).toBe('unlisted-model')
    expect(asked).toHaveLength(1)
    clock.advance(60_000)
    expect(codeOf(await coordinator.enqueueJob(order(4)))).toBe('accepted')
  })

  it('counts for nothing as a former key of the network listed it', async () => {
    const { port } = ownModels()
    const { store, coordinator, clock } = await networkOf(port)
    expect(codeOf(await coordinator.enqueueJob(order(1)))).toBe('accepted')
    const listing = await store.listing(embed.model)
    const dearer = { ...listing!.body.model, factorMilli: { prompt: 9, generated: 9 } }
    const former = signObject('listing', { ...listing!.body, model: dearer }, createSigner('99'.repeat(32)))
    await store.putListing(former)
    expect((await coordinator.current()).listings).toEqual([])
    expect(codeOf(await coordinator.enqueueJob(order(2)))).toBe('accepted')
    clock.advance(700_000)
    const { models } = (await coordinator.current()).parameters.body
    expect(models.map(({ factorMilli }) => factorMilli)).toEqual([KIND_FACTORS_MILLI.embed])
  })

  it('does not replace what the operator lists', async () => {
    const { asked, port } = ownModels()
    const { coordinator } = await createHarness({ ownModels: port })
    expect(codeOf(await coordinator.enqueueJob(order(1)))).toBe('accepted')
    expect(asked).toEqual([])
    expect((await coordinator.current()).parameters.body.models).toHaveLength(LISTED_MODELS.length)
  })
})
