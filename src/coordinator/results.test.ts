import { describe, expect, it } from 'vitest'
import { signatureVerifier } from '#engine/network/index'
import { jobMacs, type MacFormula } from '#shared/domain/manifest'
import { EncodedInput } from '#shared/domain/encoded-input'
import type { JobInput, JobKind } from '#shared/domain/job'
import { isGenuine, signObject } from '#shared/domain/signed'
import { signFirstVersion } from '../../test/support/first-version'
import type { Appraiser } from './appraiser'
import { KIND_FACTORS_MILLI } from './kind-factors'
import {
  codeOf,
  createHarness,
  createRig,
  honestRun,
  LISTED_MODELS,
  MODELS,
  receiptOf,
  valueOf,
  type Rig,
  type TestRun,
} from '../../test/support/coordinator-harness'

async function setUp(kind: JobKind = 'chat') {
  const harness = await createHarness()
  const rig = createRig(harness.coordinator)
  const offer = valueOf(await rig.lease([kind]))
  return { ...harness, rig, offer, run: honestRun(offer.input.value) }
}

/** A job that a person ordered, leased. */
async function leaseOrdered({ coordinator }: Pick<Harness, 'coordinator'>, rig: Rig, kind: 'chat' | 'embed') {
  const content = 'Why is the sky blue?'
  const input: JobInput =
    kind === 'chat' ? { kind, messages: [{ role: 'user', content }], maxTokens: 8 } : { kind, texts: [content] }
  const order = { id: crypto.randomUUID(), input: EncodedInput.of(input), buyer: 'person' as const }
  valueOf(await coordinator.enqueueJob({ ...order, model: MODELS[kind].model }))
  return valueOf(await rig.lease([kind], false))
}
type Harness = Awaited<ReturnType<typeof createHarness>>

describe('a result', () => {
  it.each([
    ['chat', 'unchecked'],
    ['embed', 'unchecked'],
    ['ocr', 'known-answer'],
  ] as const)('of a %s sample is credited and marked %s', async (kind, verification) => {
    const { coordinator, rig, offer, run, signer, store } = await setUp(kind)
    const delivery = rig.deliver(offer)
    const receipt = receiptOf(await coordinator.submitJob(delivery))
    const { prompt, generated } = jobMacs(MODELS[kind].macFormula, run.sizes)
    expect(receipt.body).toMatchObject({ kind: 'job', ref: delivery.result.id, rig: rig.key, epoch: 0, verification })
    expect(receipt.body.macs).toBe((prompt + generated).toString())
    expect(isGenuine('receipt', receipt, signatureVerifier, signer.publicKeyHex)).toBe(true)
    expect(await store.totals()).toEqual({ receipts: 1, creditMacs: BigInt(receipt.body.creditMacs) })
    expect(await coordinator.jobState(offer.id)).toEqual({ state: 'done', attempts: 1, receipt })
  })

  it('of a chat counts prompt and generated work by their own factors, blended by MACs', async () => {
    const harness = await createHarness()
    const { coordinator } = harness
    const rig = createRig(coordinator)
    const offer = await leaseOrdered(harness, rig, 'chat')
    const { body } = receiptOf(await coordinator.submitJob(rig.deliver(offer)))
    // prompt: 4 tokens, 10 pairs; generated: 1 more position, 5 more pairs, 2 output heads
    const prompt = 4n * 1_000_000n + 10n * 1000n
    const generated = 1_000_000n + 5n * 1000n + 2n * 300_000n
    const { chat } = KIND_FACTORS_MILLI
    const factorMilli = (prompt * BigInt(chat.prompt) + generated * BigInt(chat.generated)) / (prompt + generated)
    expect(body.macs).toBe((prompt + generated).toString())
    expect(body.factorMilli).toBe(factorMilli.toString())
    expect(body.creditMacs).toBe((((prompt + generated) * factorMilli) / 1000n).toString())
  })

  it('counts by the factor that its model is listed with', async () => {
    const models = LISTED_MODELS.map((model) => ({ ...model, factorMilli: { prompt: 1234, generated: 0 } }))
    const harness = await createHarness({ configuration: { models } })
    const { coordinator } = harness
    const rig = createRig(coordinator)
    const offer = await leaseOrdered(harness, rig, 'embed')
    expect(receiptOf(await coordinator.submitJob(rig.deliver(offer))).body.factorMilli).toBe('1234')
  })

  it.each(['chat', 'embed'] as const)(
    'of a %s that nobody checked earns a rig nothing but the own one',
    async (kind) => {
      const harness = await createHarness()
      const { coordinator, store } = harness
      const foreign = createRig(coordinator, 'foreign')
      const delivery = foreign.deliver(await leaseOrdered(harness, foreign, kind))
      const { body } = receiptOf(await coordinator.submitJob(delivery))
      expect(body).toMatchObject({ verification: 'unchecked', factorMilli: '0', creditMacs: '0' })
      expect(BigInt(body.macs)).toBeGreaterThan(0n)
      expect(await store.totals()).toEqual({ receipts: 1, creditMacs: 0n })
      const nobody = await createHarness({ configuration: { ownRig: 'f'.repeat(64) } })
      const rig = createRig(nobody.coordinator)
      const unowned = rig.deliver(await leaseOrdered(nobody, rig, kind))
      expect(receiptOf(await nobody.coordinator.submitJob(unowned)).body.creditMacs).toBe('0')
    },
  )

  it.each([
    ['chat', 'rig'],
    ['ocr', 'rig'],
    ['ocr', 'foreign'],
  ] as const)('of a synthetic %s earns the rig "%s" as much a MAC as proof, as its offer says', async (kind, name) => {
    const { coordinator } = await createHarness()
    const rig = createRig(coordinator, name)
    const offer = valueOf(await rig.lease([kind]))
    expect(offer.factor).toEqual({ prompt: 1000, generated: kind === 'chat' ? 1000 : 0 })
    const { body } = receiptOf(await coordinator.submitJob(rig.deliver(offer)))
    expect([body.factorMilli, body.creditMacs]).toEqual(['1000', body.macs])
  })

  it('counts in the epoch and by the factor of its lease, whenever it comes', async () => {
    const harness = await createHarness()
    const { coordinator, clock, start } = harness
    const rig = createRig(coordinator)
    const offer = await leaseOrdered(harness, rig, 'embed')
    expect([offer.epoch, offer.factor]).toEqual([0, undefined])
    clock.advance(700_000)
    const models = LISTED_MODELS.map((model) => ({ ...model, factorMilli: { prompt: 7, generated: 7 } }))
    const changed = await start({ models })
    expect((await changed.current()).epoch.body.number).toBe(1)
    expect((await changed.current()).parameters.body.models).toEqual(models)
    const { body } = receiptOf(await changed.submitJob(rig.deliver(offer)))
    expect([body.epoch, body.factorMilli]).toEqual([0, String(KIND_FACTORS_MILLI.embed.prompt)])
  })

  it('is refused after the deadline of its job, with the reason, and is in time until then', async () => {
    const { coordinator, clock } = await createHarness()
    const rig = createRig(coordinator)
    const lease = async (last: number) => {
      const id = `0190a5c0-0000-7000-8000-00000000000${last}`
      const input = EncodedInput.of({ kind: 'embed', texts: [`Text ${last}.`] })
      const deadline = clock.now() + 5000
      valueOf(await coordinator.enqueueJob({ id, input, model: MODELS.embed.model, buyer: 'person', deadline }))
      return valueOf(await rig.lease(['embed'], false))
    }
    const inTime = await lease(1)
    clock.advance(5000)
    expect(codeOf(await coordinator.submitJob(rig.deliver(inTime)))).toBe('accepted')
    const late = await lease(2)
    clock.advance(5001)
    const delivery = rig.deliver(late)
    const answer = await coordinator.submitJob(delivery)
    const message = "The result came after the job's deadline."
    expect(answer).toEqual({ ok: false, refusal: { code: 'deadline-missed', message } })
    expect(await coordinator.submitJob(delivery)).toEqual(answer)
    expect(await coordinator.jobState(late.id)).toMatchObject({ state: 'failed', refusal: 'deadline-missed', message })
  })

  it('again gets its original receipt, also after the epoch and a restart', async () => {
    const { coordinator, rig, offer, clock, start, store } = await setUp()
    const delivery = rig.deliver(offer)
    const first = await coordinator.submitJob(delivery)
    expect(first).toMatchObject({ ok: true, repeated: false })
    expect(await coordinator.submitJob(delivery)).toEqual({ ...first, repeated: true })
    clock.advance(5_000_000)
    expect(await (await start()).submitJob(delivery)).toEqual({ ...first, repeated: true })
    expect(
      codeOf(await coordinator.submitJob(rig.deliver(offer, honestRun(offer.input.value), { milliseconds: 13 }))),
    ).toBe('lease-lost')
    expect((await store.totals()).receipts).toBe(1)
  })

  it('gives one credit when it arrives many times at once', async () => {
    const { coordinator, rig, offer, store } = await setUp()
    const delivery = rig.deliver(offer)
    const answers = await Promise.all(Array.from({ length: 10 }, () => coordinator.submitJob(delivery)))
    expect(new Set(answers.map((answer) => receiptOf(answer).id)).size).toBe(1)
    expect((await store.totals()).receipts).toBe(1)
  })

  it('of work that was credited in this epoch is not credited again; in the next epoch it is', async () => {
    const { coordinator, clock, store } = await createHarness()
    const rig = createRig(coordinator)
    const submit = async (last: number) => {
      const id = `0190a5c0-0000-7000-8000-00000000000${last}`
      const input = EncodedInput.of({ kind: 'embed', texts: ['The same text.'] })
      valueOf(await coordinator.enqueueJob({ id, input, model: MODELS.embed.model, buyer: 'person' }))
      const delivery = rig.deliver(valueOf(await rig.lease(['embed'], false)))
      return { id, delivery, answer: await coordinator.submitJob(delivery) }
    }
    expect(codeOf((await submit(1)).answer)).toBe('accepted')
    const second = await submit(2)
    expect(codeOf(second.answer)).toBe('already-credited')
    expect(await coordinator.submitJob(second.delivery)).toEqual(second.answer)
    expect(await coordinator.jobState(second.id)).toMatchObject({ state: 'done', refusal: 'already-credited' })
    expect((await store.totals()).receipts).toBe(1)
    clock.advance(600_000)
    expect(codeOf((await submit(3)).answer)).toBe('accepted')
  })
})

describe('a refused result', () => {
  it('is malformed, or signed with the wrong key', async () => {
    const { coordinator, rig, offer, run } = await setUp()
    const delivery = rig.deliver(offer)
    expect(codeOf(await coordinator.submitJob(null as unknown as typeof delivery))).toBe('malformed')
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, run, { network: '9'.repeat(64) })))).toBe('malformed')
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, run, { milliseconds: -1 })))).toBe('malformed')
    const first = signFirstVersion('job-result', { ...delivery.result.body, network: 'practice' }, rig.signer)
    expect(codeOf(await coordinator.submitJob({ ...delivery, result: first }))).toBe('unsupported-version')
    const other = createRig(coordinator, 'other')
    const forged = { ...delivery, result: signObject('job-result', delivery.result.body, other.signer) }
    expect(codeOf(await coordinator.submitJob(forged))).toBe('wrong-key')
    expect(codeOf(await coordinator.submitJob(other.deliver(offer)))).toBe('lease-lost')
    expect(codeOf(await coordinator.submitJob(rig.deliver({ ...offer, id: crypto.randomUUID() })))).toBe('unknown-job')
    expect(codeOf(await coordinator.submitJob(delivery))).toBe('accepted')
  })

  it('does not belong to the job, or does not hold what was signed', async () => {
    const faults = [
      { model: 'f'.repeat(64) },
      { kind: 'embed' },
      { inputHash: '0'.repeat(64) },
      { outputHash: '0'.repeat(64) },
      { evidenceHash: '0'.repeat(64) },
    ]
    for (const fault of faults) {
      const { coordinator, rig, offer, run, store } = await setUp()
      expect(codeOf(await coordinator.submitJob(rig.deliver(offer, run, fault)))).toBe('wrong-result')
      expect((await store.totals()).receipts).toBe(0)
      expect((await coordinator.jobState(offer.id))?.state).toBe('queued')
    }
  })

  it('missed the known answer: the test is over and nothing is credited', async () => {
    const { coordinator, rig, offer, run, store } = await setUp('ocr')
    const lines = run.output as { text: string }[]
    const wrong = { ...run, output: lines.map((line) => ({ ...line, text: 'LOREM IPSUM' })) } as TestRun
    const delivery = rig.deliver(offer, wrong)
    const answer = await coordinator.submitJob(delivery)
    expect(codeOf(answer)).toBe('wrong-result')
    expect(await coordinator.submitJob(delivery)).toEqual(answer)
    expect(await coordinator.jobState(offer.id)).toMatchObject({ state: 'failed', refusal: 'wrong-result' })
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('lease-lost')
    expect((await store.totals()).receipts).toBe(0)
  })

  it('may read one character of a known answer wrong', async () => {
    const { coordinator, rig, offer, run } = await setUp('ocr')
    const lines = run.output as { text: string }[]
    const close = {
      ...run,
      output: lines.map((line) => ({ ...line, text: line.text.replace('4711', '4771') })),
    } as TestRun
    expect(receiptOf(await coordinator.submitJob(rig.deliver(offer, close))).body.verification).toBe('known-answer')
  })

  it('is refused at once when it is far longer than the known answer', async () => {
    const { coordinator, rig, offer, run } = await setUp('ocr')
    const lines = run.output as { text: string }[]
    const endless = { ...run, output: lines.map((line) => ({ ...line, text: 'X'.repeat(5_000_000) })) } as TestRun
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, endless)))).toBe('wrong-result')
  })

  const chat = (change: (run: TestRun & { evidence: { kind: 'chat' } }) => object) => (run: TestRun) =>
    ({ ...run, ...change(run as TestRun & { evidence: { kind: 'chat' } }) }) as TestRun
  it.each<[string, JobKind, (run: TestRun) => TestRun]>([
    [
      'more tokens than the job allows',
      'chat',
      chat(({ evidence }) => ({
        evidence: { ...evidence, tokenIds: Array(9).fill(7), topLogProbabilities: Array(9).fill([[7, -0.1]]) },
      })),
    ],
    ['no log-probabilities', 'chat', chat(({ evidence }) => ({ evidence: { ...evidence, topLogProbabilities: [] } }))],
    [
      'a token that was not probable',
      'chat',
      chat(({ evidence }) => ({ evidence: { ...evidence, tokenIds: [7, 5] } })),
    ],
    [
      'an answer that was cut off',
      'chat',
      chat(({ evidence }) => ({ evidence: { ...evidence, finish: 'cancelled' } })),
    ],
    [
      'nothing that was generated',
      'chat',
      chat(({ evidence }) => ({ evidence: { ...evidence, tokenIds: [], topLogProbabilities: [] } })),
    ],
    ['evidence of another kind', 'chat', (run) => ({ ...run, evidence: { kind: 'ocr', lines: 1 } })],
    ['too few vectors', 'embed', (run) => ({ ...run, output: [[1, 2, 3]] })],
    [
      'vectors of unlike length',
      'embed',
      (run) => ({
        ...run,
        output: [
          [1, 2, 3],
          [1, 2],
        ],
      }),
    ],
    [
      'vectors that are not the evidence',
      'embed',
      (run) => ({
        ...run,
        output: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      }),
    ],
    ['another number of lines', 'ocr', (run) => ({ ...run, evidence: { kind: 'ocr', lines: 3 } })],
  ])('does not hold together: %s', async (_, kind, change) => {
    const { coordinator, rig, offer, run, store } = await setUp(kind)
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, change(run))))).toBe('wrong-result')
    expect((await store.totals()).receipts).toBe(0)
  })

  it('is of more work than the store can hold', async () => {
    const appraiser: Appraiser = {
      appraise: async () => ({ state: 'derived', sizes: { kind: 'embed', tokensPerText: [60, 60] } }),
    }
    const most = Number.MAX_SAFE_INTEGER
    const macFormula: MacFormula = { kind: 'embed', perToken: most, perPair: most }
    const models = LISTED_MODELS.map((model) => (model.kind === 'embed' ? { ...model, macFormula } : model))
    const { coordinator } = await createHarness({ appraiser, configuration: { models } })
    const rig = createRig(coordinator)
    const offer = valueOf(await rig.lease(['embed']))
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('wrong-result')
  })

  it('is refused three times, then the job fails', async () => {
    const { coordinator, rig, offer, run } = await setUp()
    const bad = { inputHash: '0'.repeat(64) }
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer, run, bad)))).toBe('wrong-result')
    for (const attempt of [2, 3]) {
      const again = valueOf(await rig.lease(['chat']))
      expect(again).toMatchObject({ id: offer.id, attempt })
      const code = codeOf(await coordinator.submitJob(rig.deliver(again, run, { ...bad, milliseconds: attempt })))
      expect(code).toBe('wrong-result')
    }
    expect(await coordinator.jobState(offer.id)).toMatchObject({ state: 'failed', refusal: 'wrong-result' })
  })
})
