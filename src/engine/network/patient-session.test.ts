import { expect, it } from 'vitest'
import { z } from 'zod'
import { answerOf, type Answer } from '#shared/protocol/refusal'
import { openSession } from '#shared/protocol/session-client'
import { createSessionService } from '#shared/protocol/session-server'
import { serializedTransport } from '../../../test/support/sessions'
import { createTestClock } from '../../../test/support/coordinator-harness'
import { patientSession } from './patient-session'

const protocol = {
  procedures: {
    work: { what: 'work', request: z.object({}), answer: answerOf(z.null()) },
    piece: { what: 'piece', request: z.object({}), answer: answerOf(z.null()) },
  },
  events: {},
} as const

function setUp() {
  const far = { slow: true, asked: 0 }
  const answer = async (): Promise<Answer<null>> => {
    far.asked++
    return far.slow ? { ok: false, refusal: { code: 'over-budget', message: 'Later.' } } : { ok: true, value: null }
  }
  const service = createSessionService(protocol, { work: answer, piece: answer }, () => () => undefined)
  const clock = Object.assign(createTestClock(), { monotonic: () => 0 })
  const opened = openSession(protocol, serializedTransport(service))
  const session = patientSession({ clock, randomFraction: () => 0.5 }, protocol, opened, ['piece'])
  return { far, clock, session }
}

it('asks again after growing pauses, and passes on what was judged', async () => {
  const { far, clock, session } = setUp()
  const answer = session.work({})
  await expect.poll(() => [far.asked, clock.waiting]).toEqual([1, 1])
  clock.advance(499)
  expect(clock.waiting).toBe(1)
  clock.advance(1)
  await expect.poll(() => [far.asked, clock.waiting]).toEqual([2, 1])
  far.slow = false
  clock.advance(1000)
  expect(await answer).toEqual({ ok: true, value: null })
  expect([far.asked, clock.waiting]).toEqual([3, 0])
})

it('passes on a refusal that lasts, and at once where the caller has a way of its own', async () => {
  const { far, clock, session } = setUp()
  expect(await session.piece({})).toMatchObject({ refusal: { code: 'over-budget' } })
  const answer = session.work({})
  for (let asked = 2; asked < 6; asked++) {
    await expect.poll(() => [far.asked, clock.waiting]).toEqual([asked, 1])
    clock.advance(4000)
  }
  expect(await answer).toMatchObject({ refusal: { code: 'over-budget', message: 'Later.' } })
  expect(far.asked).toBe(6)
})

it('ends its pauses when it is closed', async () => {
  const { far, clock, session } = setUp()
  const answer = session.work({})
  await expect.poll(() => [far.asked, clock.waiting]).toEqual([1, 1])
  session.close()
  await expect(answer).rejects.toMatchObject({ code: 'unavailable' })
  expect(clock.waiting).toBe(0)
})
