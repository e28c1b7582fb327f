/** What every transport of a session must do. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { EncodedInput } from '#shared/domain/encoded-input'
import { Failure, toFailureValue } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { buyerProtocol } from '#shared/protocol/buyer-session'
import { answerOf } from '#shared/protocol/refusal'
import { rigProtocol } from '#shared/protocol/rig-session'
import type { SessionMethods, SessionProtocol, SessionService } from '#shared/protocol/session'
import { openSession, type SessionTransport } from '#shared/protocol/session-client'
import { createSessionService, type EmitEvent } from '#shared/protocol/session-server'
import { codeOf, createHarness, createRig, MODELS, valueOf } from './coordinator-harness'

const number = z.object({ value: z.string().regex(/^[0-9]{1,39}$/) })
const toyProtocol = {
  procedures: {
    double: { what: 'number', request: number, answer: answerOf(number) },
    fail: { what: 'wish', request: z.object({ code: z.enum(['unavailable', 'bug']) }), answer: answerOf(z.null()) },
    lie: { what: 'request', request: z.object({}), answer: answerOf(z.object({ text: z.string().max(3) })) },
    wait: { what: 'request', request: z.object({}), answer: answerOf(z.null()) },
  },
  events: { count: z.object({ value: z.number().int().max(100) }) },
} as const satisfies SessionProtocol

function toy() {
  let emit: EmitEvent<typeof toyProtocol> = () => undefined
  let followers = 0
  const handlers: SessionMethods<typeof toyProtocol> = {
    double: async ({ value }) => ({ ok: true, value: { value: (BigInt(value) * 2n).toString() } }),
    fail: async ({ code }) => {
      throw code === 'bug'
        ? new Error('undefined is not a function')
        : new Failure(code, foreignWords('the books are away'))
    },
    lie: async () => ({ ok: true, value: { text: 'longer than it may be' } }),
    wait: () => new Promise(() => undefined),
  }
  const service = createSessionService(toyProtocol, handlers, (tell) => {
    emit = tell
    followers++
    return () => void followers--
  })
  return { service, emit: ((event, data) => emit(event, data)) as typeof emit, followers: () => followers }
}

/** A rig's session whose far end answers everything so. */
function answering(answer: unknown) {
  let emit: EmitEvent<typeof rigProtocol> = () => undefined
  const service: SessionService = {
    handle: async () => answer,
    onEvent: (listener) => {
      emit = listener
      return () => undefined
    },
  }
  return { service, emit: ((event, data) => emit(event, data)) as typeof emit }
}

/** Lets what is under way arrive. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function describeSessionTransport(name: string, carry: (service: SessionService) => SessionTransport): void {
  describe(`${name}: requests`, () => {
    it('are answered each with its own answer, whatever comes first, and whole numbers of any size survive', async () => {
      const session = openSession(toyProtocol, carry(toy().service))
      const largest = 10n ** 38n
      const answers = await Promise.all([largest, 3n, 0n].map((value) => session.double({ value: value.toString() })))
      expect(answers.map((answer) => valueOf(answer).value)).toEqual(['2' + '0'.repeat(38), '6', '0'])
    })

    it('that break their schema are refused by name, and nothing handles them', async () => {
      const { coordinator, store } = await createHarness()
      const session = openSession(rigProtocol, carry(coordinator.rigSession('a'.repeat(64))))
      const unit = { device: 'x'.repeat(101), tier: 'itp1-base' as const, macsPerSecond: 1e9 }
      expect(await session.leaseUnit(unit)).toMatchObject({
        ok: false,
        refusal: { code: 'malformed', message: expect.stringContaining('The unit request is malformed. device:') },
      })
      expect(codeOf(await session.leaseUnit(null as never))).toBe('malformed')
      expect(codeOf(await session.leaseUnit(undefined as never))).toBe('malformed')
      expect((await store.totals()).receipts).toBe(0)
    })

    it('of no procedure are refused', async () => {
      const transport = carry(toy().service)
      for (const method of ['steal', 'constructor', '__proto__', '']) {
        expect(await transport.ask(method, {})).toMatchObject({ ok: false, refusal: { code: 'malformed' } })
      }
    })

    it('that are longer than their bounds are refused', async () => {
      const { coordinator } = await createHarness()
      const session = openSession(rigProtocol, carry(coordinator.rigSession('a'.repeat(64))))
      const job = crypto.randomUUID()
      expect(codeOf(await session.publishTokens({ job, index: 0, text: 'x'.repeat(70_000) }))).toBe('malformed')
      const models = Array.from({ length: 100_000 }, () => MODELS.embed)
      expect(codeOf(await session.leaseJob({ models, samples: false }))).toBe('malformed')
      expect(codeOf(await session.returnJob({ job, retry: true, message: 'x'.repeat(1001) }))).toBe('malformed')
    })

    it('reject with the kind of the other end’s Failure, and of an internal error', async () => {
      const session = openSession(toyProtocol, carry(toy().service))
      await expect(session.fail({ code: 'unavailable' })).rejects.toMatchObject({
        name: 'Failure',
        code: 'unavailable',
      })
      const error: unknown = await session.fail({ code: 'bug' }).catch((thrown: unknown) => thrown)
      expect(toFailureValue(error).code).toBe('internal')
    })

    it('for a result are answered with its receipt, with a refusal, or that its credit is held; and the rig hears when it is settled', async () => {
      const { coordinator } = await createHarness()
      const owner = createRig(coordinator)
      const delivery = owner.deliver(valueOf(await owner.lease(['ocr'])))
      const session = openSession(rigProtocol, carry(coordinator.rigSession(owner.key)))
      const { id: ref } = delivery.result
      expect(await session.submitJob(delivery)).toMatchObject({
        ok: true,
        state: 'accepted',
        receipt: { body: { ref } },
      })
      expect(codeOf(await session.delivery({ ref: 'no id' }))).toBe('malformed')
      const answers: unknown[] = [
        { ok: true, state: 'held', repeated: false },
        { ok: false, refusal: { code: 'forfeited', message: 'A check of this rig failed.' } },
        { ok: true, state: 'accepted', repeated: false },
        { ok: true, state: 'paid', repeated: false },
      ]
      const [held, forfeited, ...broken] = await Promise.all(
        answers.map((answer) =>
          openSession(rigProtocol, carry(answering(answer).service))
            .delivery({ ref })
            .catch(toFailureValue),
        ),
      )
      expect([held, forfeited]).toEqual(answers.slice(0, 2))
      for (const failure of broken) expect(failure).toMatchObject({ code: 'network-refused' })

      const { service, emit } = answering(null)
      const heard: string[] = []
      const follower = openSession(rigProtocol, carry(service))
      follower.on('settled', ({ ref: settled }) => heard.push(settled))
      emit('settled', { ref: 'no id' })
      emit('settled', { ref })
      await settle()
      expect(heard).toEqual([ref])
    })

    it('reject where an answer breaks the protocol', async () => {
      const session = openSession(toyProtocol, carry(toy().service))
      await expect(session.lie({})).rejects.toMatchObject({ code: 'network-refused' })
    })
  })

  describe(`${name}: events`, () => {
    it('come in order, parsed, until they are no longer wanted; broken ones are dropped', async () => {
      const { service, emit } = toy()
      const session = openSession(toyProtocol, carry(service))
      const heard: number[] = []
      const stop = session.on('count', ({ value }) => heard.push(value))
      for (const value of [1, 2, 101, 3]) emit('count', { value })
      emit('else' as 'count', { value: 4 })
      await settle()
      stop()
      emit('count', { value: 5 })
      await settle()
      expect(heard).toEqual([1, 2, 3])
    })

    it('tell every rig of a job that waits, and the rig that gave one back tells the others', async () => {
      const { coordinator } = await createHarness()
      const [one, two] = [createRig(coordinator, 'one'), createRig(coordinator, 'two')]
      const sessions = [one, two].map(({ key }) => openSession(rigProtocol, carry(coordinator.rigSession(key))))
      const heard: number[] = []
      for (const [index, session] of sessions.entries()) session.on('work', () => heard.push(index))
      const buyer = openSession(buyerProtocol, carry(coordinator.buyerSession('person')))
      const id = crypto.randomUUID()
      const input = EncodedInput.of({ kind: 'embed', texts: ['A sentence.'] })
      valueOf(await buyer.submit({ id, input, model: MODELS.embed.model }))
      await settle()
      expect(heard.toSorted((a, b) => a - b)).toEqual([0, 1])
      const [first] = sessions
      const offer = valueOf(await first!.leaseJob({ models: [MODELS.embed], samples: false }))
      expect([offer.id, offer.input.hash, offer.input.text]).toEqual([id, input.hash, input.text])
      valueOf(await first!.returnJob({ job: id, retry: true, message: 'Paused.' }))
      await settle()
      expect(heard.toSorted((a, b) => a - b)).toEqual([0, 1, 1])
    })

    it("carry a job's text to who ordered it, from the rig that holds it and nobody else", async () => {
      const { coordinator } = await createHarness()
      const [holder, other] = [createRig(coordinator, 'one'), createRig(coordinator, 'two')].map(({ key }) =>
        openSession(rigProtocol, carry(coordinator.rigSession(key))),
      )
      const [buyer, stranger] = (['person', 'gateway'] as const).map((who) =>
        openSession(buyerProtocol, carry(coordinator.buyerSession(who))),
      )
      const heard: string[] = []
      buyer!.on('tokens', ({ job, index, text }) => heard.push(`${job} ${index} ${text}`))
      stranger!.on('tokens', () => heard.push('overheard'))
      const id = crypto.randomUUID()
      const input = EncodedInput.of({ kind: 'chat', messages: [{ role: 'user', content: 'Hello.' }], maxTokens: 8 })
      valueOf(await buyer!.submit({ id, input, model: MODELS.chat.model }))
      expect(codeOf(await holder!.publishTokens({ job: id, index: 0, text: 'Too soon' }))).toBe('lease-lost')
      valueOf(await holder!.leaseJob({ models: [MODELS.chat], samples: false }))
      valueOf(await holder!.publishTokens({ job: id, index: 0, text: 'Good' }))
      valueOf(await holder!.publishTokens({ job: id, index: 1, text: ' day' }))
      expect(codeOf(await other!.publishTokens({ job: id, index: 2, text: ' thief' }))).toBe('lease-lost')
      await settle()
      expect(heard).toEqual([`${id} 0 Good`, `${id} 1  day`])
      expect(codeOf(await stranger!.job({ job: id }))).toBe('unknown-job')
      expect(codeOf(await stranger!.cancel({ job: id }))).toBe('unknown-job')
    })
  })

  describe(`${name}: who asks`, () => {
    it('is the rig of the session: what names another is refused, and no lease is reached by its name', async () => {
      const { coordinator } = await createHarness()
      const [owner, thief] = [createRig(coordinator, 'owner'), createRig(coordinator, 'thief')]
      const session = openSession(rigProtocol, carry(coordinator.rigSession(thief.key)))
      const unit = await owner.unit()
      expect(codeOf(await session.submitShare(owner.sign(unit, await owner.find(unit))))).toBe('wrong-key')
      const offer = valueOf(await owner.lease(['ocr']))
      expect(codeOf(await session.submitJob(owner.deliver(offer)))).toBe('wrong-key')
      expect(codeOf(await session.renewJob({ job: offer.id }))).toBe('lease-lost')
      expect(codeOf(await session.returnJob({ job: offer.id, retry: false, message: '' }))).toBe('lease-lost')
      expect(codeOf(await coordinator.submitJob(owner.deliver(offer)))).toBe('accepted')
      const leased = valueOf(
        await session.leaseUnit({ device: 'cpu0', tier: 'itp1-small', macsPerSecond: 1, rig: owner.key } as never),
      )
      expect(leased.body.rig).toBe(thief.key)
    })
  })

  describe(`${name}: an encoded input`, () => {
    it('is believed for its text, not for what is said of it', async () => {
      const { coordinator } = await createHarness()
      const buyer = openSession(buyerProtocol, carry(coordinator.buyerSession('person')))
      const { kind, text, hash } = EncodedInput.of({ kind: 'embed', texts: ['A sentence.'] })
      const model = MODELS.embed.model
      const submit = async (input: object): Promise<string> =>
        codeOf(await buyer.submit({ id: crypto.randomUUID(), input: input as EncodedInput, model }))
      expect(await submit({ kind, text, hash: '0'.repeat(64) })).toBe('malformed')
      expect(await submit({ kind: 'ocr', text, hash })).toBe('malformed')
      expect(await submit({ kind, text: '{"kind":"embed"}', hash })).toBe('malformed')
      expect(await submit({ kind, text: 'no JSON', hash })).toBe('malformed')
      expect(await submit({ kind, text, hash })).toBe('accepted')
    })
  })

  describe(`${name}: a session that ends`, () => {
    it('rejects what is open and what comes later, and is forgotten at the other end', async () => {
      const { service, emit, followers } = toy()
      const session = openSession(toyProtocol, carry(service))
      const heard: number[] = []
      session.on('count', ({ value }) => heard.push(value))
      expect(followers()).toBe(1)
      const open = session.wait({})
      session.close()
      await expect(open).rejects.toMatchObject({ name: 'Failure', code: 'unavailable' })
      await expect(session.double({ value: '1' })).rejects.toMatchObject({ code: 'unavailable' })
      emit('count', { value: 1 })
      session.close()
      await settle()
      expect({ heard, followers: followers() }).toEqual({ heard: [], followers: 0 })
    })
  })
}
