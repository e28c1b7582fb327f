import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatModel, embedModel } from '../real-models.test.support'
import { graphPath } from '../model-files'
import { writesInPlace } from './sequence-cache'
import { createDecoder } from './decoder'
import { loadChatModel, type ChatModel } from './model'

describe.skipIf(!chatModel || !embedModel)('the cache of the real model', () => {
  let model: ChatModel
  beforeAll(async () => {
    model = await loadChatModel(chatModel!, 1)
  })
  afterAll(() => model.session.release())

  test('written in place, also when it has to grow, gives bit for bit what new tensors give', async () => {
    expect(model.inPlace).toBe(true)
    const inPlace = createDecoder(model)
    const growing = createDecoder({ ...model, inPlace: false })
    const prompt = Array.from({ length: 253 }, (_, index) => 1000 + ((index * 977) % 30_000))
    for (const decoder of [inPlace, growing]) {
      await decoder.prefill(prompt.slice(0, 100))
      await decoder.prefill(prompt.slice(100))
    }
    for (const ids of [[5], [6, 7], [8], [9], [10]]) {
      const [one, other] = [await inPlace.next(ids), await growing.next(ids)]
      expect(one.length).toBe(49_152)
      expect(Buffer.from(one.slice().buffer).equals(Buffer.from(other.slice().buffer))).toBe(true)
    }
  })

  test('is written in place only where the attention does so', async () => {
    expect(await writesInPlace(graphPath(chatModel!), [])).toBe(false)
    expect(await writesInPlace(graphPath(embedModel!), model.cacheInputs)).toBe(false)
  })
})
