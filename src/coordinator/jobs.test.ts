import { describe, expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { EncodedInput } from '#shared/domain/encoded-input'
import {
  codeOf,
  createHarness,
  createRig,
  createSyntheticJobs,
  MODELS,
  valueOf,
} from '../../test/support/coordinator-harness'
import { createMemoryStore } from '../../test/support/memory-store'
import type { CoordinatorConfiguration } from './coordinator'

const input = { kind: 'embed', texts: ['A sentence.'] } as const
const id = (last: number): string => `0190a5c0-0000-7000-8000-${String(last).padStart(12, '0')}`
const job = (last: number, changes: object = {}) => ({
  id: id(last),
  input: EncodedInput.of({ ...input, texts: [`Sentence ${last}.`] }),
  model: MODELS.embed.model,
  buyer: 'person' as const,
  ...changes,
})

async function setUp(configuration: Partial<CoordinatorConfiguration> = {}) {
  const harness = await createHarness({ configuration })
  return { ...harness, rig: createRig(harness.coordinator), other: createRig(harness.coordinator, 'other') }
}

describe('the queue', () => {
  it("gives a person's jobs first, in their order, then others', then synthetic jobs", async () => {
    const { coordinator, rig, clock } = await setUp()
    for (const one of [job(1, { buyer: 'gateway' }), job(2), job(3)]) valueOf(await coordinator.enqueueJob(one))
    const leased = []
    for (let index = 0; index < 4; index++) leased.push(valueOf(await rig.lease(['embed'])))
    expect(leased.slice(0, 3).map((offer) => offer.id)).toEqual([id(2), id(3), id(1)])
    expect(leased[0]).toEqual({
      id: id(2),
      kind: 'embed',
      model: MODELS.embed.model,
      input: job(2).input,
      epoch: 0,
      leaseExpiresAt: clock.now() + 30_000,
      attempt: 1,
    })
    expect(leased[3]?.input).toMatchObject({ kind: 'embed' })
    expect((await coordinator.jobState(id(2)))?.state).toBe('leased')
  })

  it('gives only what the rig can run', async () => {
    const { coordinator, rig } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    expect(codeOf(await rig.lease(['chat', 'ocr'], false))).toBe('no-work')
    const sameKind = [{ ...MODELS.embed, model: 'f'.repeat(64) }]
    expect(codeOf(await coordinator.leaseJob({ rig: rig.key, models: sameKind, samples: false }))).toBe('no-work')
    expect(valueOf(await rig.lease(['embed'], false)).id).toBe(id(1))
  })

  it('gives each job to one rig, also when a hundred ask at once', async () => {
    const { coordinator } = await setUp()
    for (let last = 1; last <= 40; last++) valueOf(await coordinator.enqueueJob(job(last)))
    const rigs = Array.from({ length: 100 }, (_, index) => createRig(coordinator, `rig ${index}`))
    const answers = await Promise.all(rigs.map((rig) => rig.lease(['embed'], false)))
    const leased = answers.flatMap((answer) => (answer.ok ? [answer.value.id] : []))
    expect(leased).toHaveLength(40)
    expect(new Set(leased).size).toBe(40)
    expect(answers.filter((answer) => codeOf(answer) === 'no-work')).toHaveLength(60)
  })

  it('hands the input on as it was encoded, and reads it from the store again to judge the result', async () => {
    const store = createMemoryStore()
    let reads = 0
    const { coordinator } = await createHarness({
      store: {
        ...store,
        jobInput: (job) => {
          reads++
          return store.jobInput(job)
        },
      },
    })
    const rig = createRig(coordinator)
    const given = job(1)
    valueOf(await coordinator.enqueueJob(given))
    const offer = valueOf(await rig.lease(['embed'], false))
    expect([offer.input.text, offer.input.hash]).toEqual([given.input.text, given.input.hash])
    expect(reads).toBe(1)
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('accepted')
    expect(reads).toBe(2)
  })

  it('takes the same job twice as one, and refuses another under its id', async () => {
    const { coordinator, rig } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    valueOf(await coordinator.enqueueJob(job(1)))
    expect(
      codeOf(await coordinator.enqueueJob({ ...job(1), input: EncodedInput.of({ kind: 'embed', texts: ['Else.'] }) })),
    ).toBe('malformed')
    expect(valueOf(await rig.lease(['embed'], false)).id).toBe(id(1))
    expect(codeOf(await rig.lease(['embed'], false))).toBe('no-work')
  })

  it.each([
    ['no input', { input: null }],
    ['an id that is none', { id: 'job' }],
    ['no tokens at all', { input: { kind: 'chat', messages: [{ role: 'user', content: 'Hi' }], maxTokens: 0 } }],
    ['half a character', { input: { kind: 'embed', texts: ['\ud83d'] } }],
  ])('refuses a job with %s', async (_, fault) => {
    const { coordinator } = await setUp()
    expect(codeOf(await coordinator.enqueueJob(job(1, fault) as ReturnType<typeof job>))).toBe('malformed')
  })
})

describe('a lease', () => {
  it('lasts 30 s and as long again with each renewal', async () => {
    const { coordinator, rig, other, clock } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    expect(valueOf(await rig.lease(['embed'])).leaseExpiresAt).toBe(clock.now() + 30_000)
    for (let renewal = 0; renewal < 5; renewal++) {
      clock.advance(20_000)
      expect(valueOf(await coordinator.renewJob(rig.key, id(1))).leaseExpiresAt).toBe(clock.now() + 30_000)
    }
    clock.advance(30_000)
    expect(codeOf(await other.lease(['embed'], false))).toBe('no-work')
    clock.advance(1)
    expect(valueOf(await other.lease(['embed'], false))).toMatchObject({ id: id(1), attempt: 2 })
    expect(codeOf(await coordinator.renewJob(rig.key, id(1)))).toBe('lease-lost')
    expect(
      codeOf(await coordinator.submitJob(rig.deliver({ ...valueOf(await rig.lease(['embed'])), id: id(1) }))),
    ).toBe('lease-lost')
  })

  it('that ended is still kept or fulfilled while nobody took the job', async () => {
    const { coordinator, rig, clock } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    const offer = valueOf(await rig.lease(['embed']))
    clock.advance(3_600_000)
    expect((await coordinator.jobState(id(1)))?.state).toBe('queued')
    valueOf(await coordinator.renewJob(rig.key, id(1)))
    expect((await coordinator.jobState(id(1)))?.state).toBe('leased')
    clock.advance(3_600_000)
    expect((await coordinator.jobState(id(1)))?.state).toBe('queued')
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('accepted')
  })

  it('is given three times, then the job fails and says so', async () => {
    const { coordinator, rig, clock } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    for (const attempt of [1, 2, 3]) {
      expect(valueOf(await rig.lease(['embed'], false)).attempt).toBe(attempt)
      clock.advance(30_001)
    }
    expect(codeOf(await rig.lease(['embed'], false))).toBe('no-work')
    expect(await coordinator.jobState(id(1))).toEqual({
      state: 'failed',
      attempts: 3,
      message: 'No rig finished it in 3 attempts.',
    })
  })

  it('is given back: to be tried again, or as impossible with the reason', async () => {
    const { coordinator, rig, other } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    await rig.lease(['embed'])
    expect(codeOf(await coordinator.returnJob(other.key, id(1), { retry: true, message: '' }))).toBe('lease-lost')
    valueOf(await coordinator.returnJob(rig.key, id(1), { retry: true, message: 'Mining was stopped.' }))
    expect(codeOf(await coordinator.renewJob(rig.key, id(1)))).toBe('lease-lost')
    expect(valueOf(await other.lease(['embed'], false))).toMatchObject({ id: id(1), attempt: 2 })
    valueOf(await coordinator.returnJob(other.key, id(1), { retry: false, message: 'The text is too long.' }))
    expect(await coordinator.jobState(id(1))).toEqual({
      state: 'failed',
      attempts: 2,
      message: 'The text is too long.',
    })
    expect(codeOf(await coordinator.returnJob(rig.key, id(9), { retry: true, message: '' }))).toBe('unknown-job')
  })

  it('is renewed for six hours, then the job goes to another attempt', async () => {
    const { coordinator, rig, other, clock } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    valueOf(await rig.lease(['embed']))
    clock.advance(6 * 3_600_000)
    valueOf(await coordinator.renewJob(rig.key, id(1)))
    clock.advance(1)
    const answer = await coordinator.renewJob(rig.key, id(1))
    expect(answer).toEqual({
      ok: false,
      refusal: { code: 'lease-lost', message: 'The lease has lasted as long as a lease may.' },
    })
    clock.advance(30_000)
    expect(valueOf(await other.lease(['embed'], false))).toMatchObject({ id: id(1), attempt: 2 })
  })

  it('is given to one rig a bounded number of times at once, of jobs and of synthetic ones', async () => {
    const { coordinator, rig, other } = await setUp({ mostHeldJobs: 2 })
    for (const last of [1, 2, 3]) valueOf(await coordinator.enqueueJob(job(last)))
    const codes = (await Promise.all([1, 2, 3].map(() => rig.lease(['embed'], true)))).map(codeOf)
    expect(codes.toSorted()).toEqual(['accepted', 'accepted', 'too-many-leases'])
    expect(codeOf(await rig.lease(['ocr'], true))).toBe('too-many-leases')
    expect(valueOf(await other.lease(['embed'], false)).id).toBe(id(3))
    valueOf(await coordinator.returnJob(rig.key, id(1), { retry: true, message: 'Paused.' }))
    expect(valueOf(await rig.lease(['embed'], false)).id).toBe(id(1))
  })

  it('that ended counts again when it is renewed', async () => {
    const { coordinator, rig, clock } = await setUp({ mostHeldJobs: 1 })
    valueOf(await coordinator.enqueueJob(job(1)))
    valueOf(await rig.lease(['embed'], false))
    clock.advance(30_001)
    const second = valueOf(await rig.lease(['ocr'], true)).id
    expect((await coordinator.jobState(id(1)))?.state).toBe('queued')
    expect(codeOf(await coordinator.renewJob(rig.key, id(1)))).toBe('too-many-leases')
    valueOf(await coordinator.renewJob(rig.key, second))
    valueOf(await coordinator.returnJob(rig.key, second, { retry: true, message: 'Paused.' }))
    valueOf(await coordinator.renewJob(rig.key, id(1)))
  })

  it('has room for the eight chats that a device computes at once, many times over', async () => {
    const { coordinator, rig } = await setUp()
    for (let last = 1; last <= 65; last++) valueOf(await coordinator.enqueueJob(job(last)))
    for (let last = 1; last <= 64; last++) valueOf(await rig.lease(['embed'], false))
    expect(codeOf(await rig.lease(['embed'], false))).toBe('too-many-leases')
  })

  it("is impossible on a second rig's word, where a network has strangers", async () => {
    const { coordinator, rig, other } = await setUp({ wordsToGiveUp: 2 })
    valueOf(await coordinator.enqueueJob(job(1)))
    await rig.lease(['embed'])
    valueOf(await coordinator.returnJob(rig.key, id(1), { retry: false, message: 'The text is too long.' }))
    expect(codeOf(await rig.lease(['embed'], false))).toBe('no-work')
    expect(await coordinator.jobState(id(1))).toEqual({ state: 'queued', attempts: 1 })
    valueOf(await other.lease(['embed'], false))
    valueOf(await coordinator.returnJob(other.key, id(1), { retry: false, message: 'It is indeed.' }))
    expect(await coordinator.jobState(id(1))).toEqual({ state: 'failed', attempts: 2, message: 'It is indeed.' })
  })

  it('is over when the job is cancelled', async () => {
    const { coordinator, rig } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    const offer = valueOf(await rig.lease(['embed']))
    valueOf(await coordinator.cancelJob(id(1)))
    valueOf(await coordinator.cancelJob(id(1)))
    expect(codeOf(await coordinator.renewJob(rig.key, id(1)))).toBe('lease-lost')
    expect(codeOf(await coordinator.submitJob(rig.deliver(offer)))).toBe('lease-lost')
    expect((await coordinator.jobState(id(1)))?.state).toBe('cancelled')
    expect(codeOf(await coordinator.cancelJob(id(2)))).toBe('unknown-job')
    expect(await coordinator.jobState(id(2))).toBeUndefined()
  })

  it('outlives a restart of the coordinator', async () => {
    const { coordinator, rig, start } = await setUp()
    valueOf(await coordinator.enqueueJob(job(1)))
    const offer = valueOf(await rig.lease(['embed']))
    const restarted = await start()
    valueOf(await restarted.renewJob(rig.key, id(1)))
    expect(codeOf(await restarted.submitJob(rig.deliver(offer)))).toBe('accepted')
  })
})

describe('synthetic jobs', () => {
  it('are so many a rig and epoch: a rig that asks for more is told so until the next one', async () => {
    const { coordinator, rig, other, clock } = await setUp({ mostSyntheticJobs: 2 })
    const lease = async (one = rig) => {
      const answer = await one.lease(['embed'])
      if (answer.ok) valueOf(await coordinator.returnJob(one.key, answer.value.id, { retry: false, message: '' }))
      return answer
    }
    expect([codeOf(await lease()), codeOf(await lease())]).toEqual(['accepted', 'accepted'])
    const message = 'No job is waiting, and this rig had the 2 synthetic jobs of its epoch.'
    expect(await lease()).toEqual({ ok: false, refusal: { code: 'no-work', message } })
    expect(codeOf(await lease(other))).toBe('accepted')
    valueOf(await coordinator.enqueueJob(job(1)))
    expect(valueOf(await lease()).id).toBe(id(1))
    clock.advance(600_000)
    expect(codeOf(await lease())).toBe('accepted')
  })

  it('end with their lease or at their deadline, and are forgotten then', async () => {
    const { coordinator, rig, store, clock } = await setUp({ syntheticJobSeconds: 100 })
    const [abandoned, returned] = [valueOf(await rig.lease(['embed'])), valueOf(await rig.lease(['chat']))]
    expect(returned.deadline).toBe(clock.now() + 100_000)
    valueOf(await coordinator.returnJob(rig.key, returned.id, { retry: true, message: 'Paused.' }))
    clock.advance(30_001)
    expect(codeOf(await rig.lease(['ocr'], false))).toBe('no-work')
    expect([await store.job(abandoned.id), await store.jobInput(abandoned.id)]).toEqual([undefined, undefined])
    expect(codeOf(await coordinator.submitJob(rig.deliver(abandoned)))).toBe('unknown-job')
    expect(await store.job(returned.id)).toMatchObject({ state: 'queued' })
    clock.advance(70_000)
    expect(codeOf(await rig.lease(['ocr'], false))).toBe('no-work')
    expect(await store.job(returned.id)).toBeUndefined()
  })

  it('take turns among the kinds, and no two are alike', async () => {
    const { rig, syntheticJobs } = await setUp()
    const offers = []
    for (let index = 0; index < 6; index++) offers.push(valueOf(await rig.lease()))
    expect((syntheticJobs as ReturnType<typeof createSyntheticJobs>).drawn).toEqual([
      'chat',
      'embed',
      'ocr',
      'chat',
      'embed',
      'ocr',
    ])
    expect(offers.map(({ kind }) => kind)).toEqual(['chat', 'embed', 'ocr', 'chat', 'embed', 'ocr'])
    expect(new Set(offers.map((offer) => offer.input.hash)).size).toBe(6)
    expect(offers.every(({ attempt }) => attempt === 1)).toBe(true)
  })

  it('are drawn only where they are welcome and can be run', async () => {
    const { rig, syntheticJobs } = await setUp()
    expect(codeOf(await rig.lease(['ocr'], false))).toBe('no-work')
    expect(codeOf(await rig.lease([], true))).toBe('no-work')
    expect((syntheticJobs as ReturnType<typeof createSyntheticJobs>).drawn).toEqual([])
  })

  it('that come back wait for a rig that welcomes them', async () => {
    const { coordinator, rig, other } = await setUp()
    const sample = valueOf(await rig.lease(['ocr']))
    valueOf(await coordinator.returnJob(rig.key, sample.id, { retry: true, message: 'Paused.' }))
    expect(codeOf(await other.lease(['ocr'], false))).toBe('no-work')
    expect(valueOf(await other.lease(['ocr'], true)).id).toBe(sample.id)
  })

  it('that cannot be drawn now are no work, and a bug in drawing them is a bug', async () => {
    let error: Error = new Failure('unavailable', foreignWords('the verifier process stopped'))
    const { coordinator } = await createHarness({ syntheticJobs: { generate: () => Promise.reject(error) } })
    const rig = createRig(coordinator)
    expect(codeOf(await rig.lease())).toBe('no-work')
    error = new Error('undefined is not a function')
    await expect(rig.lease()).rejects.toMatchObject({ code: 'internal' })
  })
})
