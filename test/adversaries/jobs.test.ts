import { describe, expect, it } from 'vitest'
import { jobMacs, type MacFormula } from '#shared/domain/manifest'
import type { JobKind } from '#shared/domain/job'
import { sha256Hex } from '#shared/domain/signed'
import type { JobOffer } from '#shared/protocol/job'
import { codeOf, honestRun, MODELS, receiptOf, valueOf, type TestRun } from '../support/coordinator-harness'
import { createAdversary, openNetwork, order, question, sentences, STRANGERS, type AdversaryNetwork } from './adversary'

const HOUR = 3_600_000

/** An adversary that holds a job that somebody ordered. */
async function leased(network: AdversaryNetwork, input: Parameters<typeof order>[1], models?: object[]) {
  const rig = createAdversary(network)
  await order(network, input)
  const wanted = (models ?? [MODELS[input.kind]]) as (typeof MODELS)[JobKind][]
  const offer = valueOf(await network.coordinator.leaseJob({ rig: rig.key, models: wanted, samples: false }))
  const deliver = async (run: TestRun) => receiptOf(await network.coordinator.submitJob(rig.deliver(offer, run))).body
  return { rig, offer, deliver }
}

/** An answer of `tokens` invented tokens, each claimed to be certain. */
function inventedAnswer(tokens: number, promptTokens: number): TestRun {
  return {
    output: 'Whatever.',
    evidence: {
      kind: 'chat',
      promptTokenIds: Array.from({ length: promptTokens }, () => 1),
      tokenIds: Array.from({ length: tokens }, () => 7),
      topLogProbabilities: Array.from({ length: tokens }, () => [[7, 0]]),
      finish: 'length',
    },
    sizes: { kind: 'chat', promptTokens, generatedTokens: tokens },
  }
}

describe('work that nobody checks yet: verification comes later, and until then it is credited as unchecked, at factor 0', () => {
  const huge: Record<'chat' | 'embed', MacFormula> = {
    chat: { kind: 'chat', perToken: 1e14, perLogits: 1e14, perPair: 1e10 },
    embed: { kind: 'embed', perToken: 1e14, perPair: 1e10 },
  }

  it.each([
    ['chat', question('Why?', 8)],
    ['embed', sentences('Why?')],
  ] as const)('%s by a formula that the rig states earns 0', async (kind, input) => {
    const network = await openNetwork()
    const { rig, offer, deliver } = await leased(network, input, [{ ...MODELS[kind], macFormula: huge[kind] }])
    expect(await deliver(honestRun(offer.input.value))).toMatchObject({ verification: 'unchecked', factorMilli: '0' })
    expect(rig.gain()).toBe(0)
  })

  it('chat of 8,192 invented tokens, each with log-probability 0, after a prompt at its bound, earns 0', async () => {
    const network = await openNetwork()
    const { rig, deliver } = await leased(network, question('Why is the sky blue?'))
    const receipt = await deliver(inventedAnswer(8192, 1000))
    expect(receipt).toMatchObject({ verification: 'unchecked', factorMilli: '0' })
    expect(BigInt(receipt.macs)).toBeGreaterThan(8192n * BigInt(MODELS.chat.macFormula.perToken))
    expect(rig.gain()).toBe(0)
  })

  it('embeddings that are zeros, with tokens at their bound, earn 0', async () => {
    const network = await openNetwork()
    const texts = Array.from({ length: 100 }, (_, index) => `${index} `.repeat(50))
    const { rig, deliver } = await leased(network, sentences(...texts))
    const honest = honestRun({ kind: 'embed', texts: texts.map(() => '') })
    const receipt = await deliver({
      ...honest,
      output: texts.map(() => [0, 0, 0]),
      evidence: { kind: 'embed', vectorsSha256: sha256Hex(new Uint8Array(texts.length * 12)) },
      sizes: { kind: 'embed', tokensPerText: texts.map(() => 100) },
    })
    expect(receipt).toMatchObject({ verification: 'unchecked', factorMilli: '0' })
    expect(rig.gain()).toBe(0)
  })

  it('what the rig ordered itself earns 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    for (let job = 0; job < 10; job++) {
      await order(network, question(`Question ${job}?`), { buyer: 'gateway' })
      const offer = valueOf(await rig.lease(['chat'], false))
      receiptOf(await network.coordinator.submitJob(rig.deliver(offer, inventedAnswer(8192, 1000))))
    }
    expect([network.receipts(rig.key), rig.gain()]).toEqual([10, 0])
  })
})

describe('synthetic jobs', () => {
  const workOf = (offer: JobOffer): bigint => {
    const { prompt, generated } = jobMacs(MODELS[offer.kind].macFormula, honestRun(offer.input.value).sizes)
    return prompt + generated
  }

  it('done honestly, eight at once, all that there are of an epoch, earn 1', async () => {
    const network = await openNetwork({ ...STRANGERS, mostSyntheticJobs: 24 })
    const rig = createAdversary(network)
    let given = 0
    for (;;) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => rig.lease(['ocr'])))
      const offers = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
      if (offers.length === 0) break
      given += offers.length
      for (const offer of offers) rig.computes(workOf(offer))
      await Promise.all(offers.map((offer) => network.coordinator.submitJob(rig.deliver(offer))))
    }
    expect(given).toBe(24)
    expect(network.receipts(rig.key)).toBe(given)
    expect(rig.gain()).toBe(1)
  })

  it('that cannot be checked earn 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    for (let job = 0; job < 8; job++) {
      const offer = valueOf(await rig.lease(['chat', 'embed']))
      rig.computes(workOf(offer))
      receiptOf(await network.coordinator.submitJob(rig.deliver(offer)))
    }
    expect([network.receipts(rig.key), rig.gain()]).toEqual([8, 0])
  })

  it('that are leased and abandoned leave nothing in the books, and earn 0', async () => {
    const network = await openNetwork({ ...STRANGERS, mostSyntheticJobs: 24, mostHeldJobs: 16 })
    const rig = createAdversary(network)
    let given = 0
    for (let minute = 0; minute < 3; minute++) {
      while (codeOf(await rig.lease()) === 'accepted') given++
      network.clock.advance(60_000)
      await expect.poll(network.jobs).toBe(0)
    }
    expect(given).toBe(24)
    expect(rig.gain()).toBe(0)
  })

  it('whose known answers are missed are nine in an hour, and earn 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    let given = 0
    for (let second = 0; second < 3600; second += 30) {
      for (let answer = await rig.lease(['ocr']); answer.ok; answer = await rig.lease(['ocr'])) {
        given++
        const run = honestRun(answer.value.input.value)
        const output = (run.output as { text: string }[]).map((line) => ({ ...line, text: 'LOREM IPSUM' }))
        const delivery = rig.deliver(answer.value, { ...run, output: output as TestRun['output'] })
        expect(codeOf(await network.coordinator.submitJob(delivery))).toBe('wrong-result')
      }
      network.clock.advance(30_000)
    }
    expect([given, rig.gain()]).toEqual([9, 0])
  })
})

describe('jobs of others', () => {
  it('are hoarded up to the bound, earn 0, and are others’ half a minute later', async () => {
    const network = await openNetwork({ ...STRANGERS, mostHeldJobs: 8 })
    const rig = createAdversary(network)
    const all = 12
    for (let job = 0; job < all; job++) await order(network, sentences(`Text ${job}.`))
    let held = 0
    while (codeOf(await rig.lease(['embed'], false)) === 'accepted') held++
    expect(held).toBe(8)
    const honest = createAdversary(network, 'honest')
    const doAll = async (): Promise<number> => {
      for (let done = 0; ; done++) {
        const answer = await honest.lease(['embed'], false)
        if (!answer.ok) return done
        receiptOf(await network.coordinator.submitJob(honest.deliver(answer.value)))
      }
    }
    expect(await doAll()).toBe(all - held)
    network.clock.advance(30_001)
    expect(await doAll()).toBe(held)
    expect(rig.gain()).toBe(0)
  })

  it('are not ended by one rig’s word that nobody can do them', async () => {
    const network = await openNetwork()
    const { rig, offer } = await leased(network, sentences('A text.'))
    const reason = { retry: false, message: 'It cannot be done.' }
    valueOf(await network.coordinator.returnJob(rig.key, offer.id, reason))
    expect(codeOf(await rig.lease(['embed'], false))).toBe('no-work')
    expect(await network.coordinator.jobState(offer.id)).toMatchObject({ state: 'queued' })
    const honest = createAdversary(network, 'honest')
    const again = valueOf(await honest.lease(['embed'], false))
    expect(again.id).toBe(offer.id)
    receiptOf(await network.coordinator.submitJob(honest.deliver(again)))
    expect(rig.gain()).toBe(0)
  })

  it('are delivered an hour after a deadline of 5 s for 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    await order(network, sentences('A text.'), { deadline: network.clock.now() + 5000 })
    const offer = valueOf(await rig.lease(['embed'], false))
    for (let renewed = 0; renewed < HOUR; renewed += 20_000) {
      network.clock.advance(20_000)
      valueOf(await network.coordinator.renewJob(rig.key, offer.id))
    }
    expect(codeOf(await network.coordinator.submitJob(rig.deliver(offer)))).toBe('deadline-missed')
    expect(rig.gain()).toBe(0)
  })
})

describe('the same work', () => {
  it('in other words of the same meaning to a model is credited once an epoch, even to the rig that is credited unchecked', async () => {
    const own = createAdversary(await openNetwork(), 'rig')
    const network = await openNetwork({ ownRig: own.key })
    const rig = createAdversary(network, 'rig')
    const spellings = ['Caf\u00e9  olé', 'Cafe\u0301 ol\u00e9', ' Caf\u00e9\tol\u00e9', 'Café olé\n', 'Café olé']
    const codes: string[] = []
    for (const text of spellings) {
      await order(network, sentences(text))
      codes.push(codeOf(await network.coordinator.submitJob(rig.deliver(valueOf(await rig.lease(['embed'], false))))))
    }
    expect(codes).toEqual(['accepted', ...spellings.slice(1).map(() => 'already-credited')])
    expect(network.receipts(rig.key)).toBe(1)
  })

  it('with one byte changed is other work: unchecked, it earns 0', async () => {
    const network = await openNetwork()
    const rig = createAdversary(network)
    for (const text of ['A text.', 'A text!']) {
      await order(network, sentences(text))
      const offer = valueOf(await rig.lease(['embed'], false))
      receiptOf(await network.coordinator.submitJob(rig.deliver(offer)))
    }
    expect([network.receipts(rig.key), rig.gain()]).toEqual([2, 0])
  })
})
