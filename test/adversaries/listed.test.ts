import { describe, expect, it } from 'vitest'
import { jobMacs } from '#shared/domain/manifest'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobOffer } from '#shared/protocol/job'
import type { Refusal } from '#shared/protocol/refusal'
import { codeOf, honestRun, MODELS, valueOf, type TestRun } from '../support/coordinator-harness'
import { createAdversary, openNetwork, order, sentences } from './adversary'

const workOf = (offer: JobOffer): bigint => jobMacs(MODELS.ocr.macFormula, honestRun(offer.input.value).sizes).prompt

describe('a synthetic picture, whose answer is known, done honestly', () => {
  it('by a formula that the rig states earns 1: the network’s own counts', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    const macFormula = { kind: 'ocr', perDetectionBlock: 1e14, perRecognitionStep: 1e14 }
    const models = [{ ...MODELS.ocr, macFormula }] as unknown as [typeof MODELS.ocr]
    const offer = valueOf(await network.coordinator.leaseJob({ rig: rig.key, models, samples: true }))
    rig.computes(workOf(offer))
    expect(codeOf(await network.coordinator.submitJob(rig.deliver(offer)))).toBe('accepted')
    expect(rig.gain()).toBe(1)
  })

  it.each([
    ['boxes 10⁹ wide', {}],
    ['boxes 10⁹ wide, and 2²⁴ pixels and 10⁹ columns stated', { detectionPixels: 1 << 24, recognitionColumns: 1e9 }],
  ])('with %s earns at most 1: sizes are derived', async (_, stated) => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    const offer = valueOf(await rig.lease(['ocr']))
    rig.computes(workOf(offer))
    const run = honestRun(offer.input.value)
    const output = (run.output as { box: [number, number][] }[]).map((line) => ({
      ...line,
      box: line.box.map(([x, y]) => [x > 100 ? 1e9 : x, y]),
    })) as TestRun['output']
    const changes = Object.keys(stated).length === 0 ? {} : { sizes: { kind: 'ocr', ...stated } }
    await network.coordinator.submitJob(rig.deliver(offer, { ...run, output }, changes))
    expect(rig.gain()).toBeLessThanOrEqual(1)
  })
})

describe('a model that no list has', () => {
  it('cannot be ordered, brings no job and no synthetic one, and earns 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    const model = 'd'.repeat(64)
    await order(network, sentences('A text.'))
    const request = { rig: rig.key, models: [{ ...MODELS.embed, model }], samples: true }
    const refused = await network.coordinator.leaseJob(request)
    expect(refused.ok).toBe(false)
    const input = EncodedInput.of({ kind: 'embed', texts: ['A text.'] })
    const ordered = await network.coordinator.enqueueJob({ id: crypto.randomUUID(), input, model, buyer: 'gateway' })
    expect((ordered as { refusal?: Refusal }).refusal?.code).toBe('unlisted-model')
    expect(rig.gain()).toBe(0)
  })
})
