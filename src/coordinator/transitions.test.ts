import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { EncodedInput } from '#shared/domain/encoded-input'
import { MODELS, START } from '../../test/support/coordinator-harness'
import { signReceipt } from './receipts'
import type { Delivery, QueuedJob, StoredJobState, UnitRecord } from './store'
import {
  createdJob,
  nextDelivery,
  nextJob,
  unitRefusal,
  unitStateAt,
  UNIT_MEMORY_MILLISECONDS,
  type Impossible,
  type JobEvent,
  type DeliveryEvent,
  type SettlementEvent,
} from './transitions'

const rig = 'a'.repeat(64)
const other = 'b'.repeat(64)
const lease = {
  rig,
  expiresAt: START + 30_000,
  renewableUntil: START + 3_600_000,
  formula: MODELS.embed.macFormula,
  epoch: 7,
  factor: { prompt: 1500, generated: 0 },
}
const queued = createdJob({
  id: '0190a5c0-0000-7000-8000-000000000001',
  kind: 'embed',
  model: MODELS.embed.model,
  input: EncodedInput.of({ kind: 'embed', texts: ['A sentence.'] }),
  buyer: 'person',
  knownText: ['KNOWN'],
  createdAt: START,
})
const leased: QueuedJob = { ...queued, state: 'leased', attempts: 1, lease }
/** A result is being checked. */
const delivered: QueuedJob = { ...leased, state: 'delivered', delivery: 'ref' }
/** Its lease ended, and nobody took it since. */
const expired: QueuedJob = { ...leased, state: 'queued' }
const due: QueuedJob = { ...queued, deadline: START + 5000 }
const { knownText: _knownText, ...bare } = queued
const ended = (state: StoredJobState, changes: Partial<QueuedJob> = {}): QueuedJob => ({ ...bare, state, ...changes })

const receipt = signReceipt(
  {
    network: '0'.repeat(64),
    rig,
    epoch: 0,
    kind: 'job',
    ref: '0'.repeat(64),
    macs: 7n,
    factorMilli: 1000n,
    verification: 'unchecked',
    acceptedAt: START,
  },
  createSigner('11'.repeat(32)),
)
const settle: SettlementEvent = { type: 'settle', receipt, now: START + 9 }
const refuse = (retry: boolean, maximumAttempts = 3): SettlementEvent => ({
  type: 'refuse',
  code: 'wrong-result',
  message: 'No.',
  now: START + 9,
  job: { retry, maximumAttempts },
})
const done: SettlementEvent = {
  type: 'refuse',
  code: 'already-credited',
  message: 'Before.',
  now: START + 9,
  job: 'done',
}
const judge = (judgement: SettlementEvent, delivery = 'ref'): JobEvent => ({ type: 'judge', delivery, judgement })
const deliver = (by = rig): JobEvent => ({ type: 'deliver', rig: by, delivery: 'ref' })
const release = (retry: boolean, changes: object = {}): JobEvent => ({
  type: 'release',
  rig,
  retry,
  maximumAttempts: 3,
  wordsToGiveUp: 1,
  message: 'Given back.',
  ...changes,
})
const leaseEnded = (changes: object = {}): JobEvent => ({
  type: 'lease-ended',
  now: lease.expiresAt + 1,
  maximumAttempts: 3,
  message: 'Given up.',
  ...changes,
})
const renewed = { ...lease, expiresAt: START + 60_000 }
const refused = { delivery: 'ref', refusal: 'wrong-result', message: 'No.' } as const

describe('a job', () => {
  it('is created queued, or leased at its first attempt', () => {
    const input = EncodedInput.of({ kind: 'embed', texts: ['Another.'] })
    const given = { id: queued.id, kind: 'embed', model: queued.model, input, buyer: 'sample', createdAt: 1 } as const
    const { input: _input, ...rest } = given
    expect(createdJob(given)).toEqual({
      ...rest,
      inputHash: input.hash,
      workHash: input.hash,
      state: 'queued',
      attempts: 0,
    })
    expect(createdJob(given, lease)).toEqual({
      ...rest,
      inputHash: input.hash,
      workHash: input.hash,
      state: 'leased',
      attempts: 1,
      lease,
    })
  })

  it.each<[string, QueuedJob, JobEvent, QueuedJob]>([
    ['queued, leased', queued, { type: 'lease', lease }, leased],
    [
      'expired, leased to another',
      expired,
      { type: 'lease', lease: { ...lease, rig: other } },
      { ...leased, attempts: 2, lease: { ...lease, rig: other } },
    ],
    [
      'leased, renewed',
      leased,
      { type: 'renew', rig, now: START, expiresAt: START + 60_000 },
      { ...leased, lease: renewed },
    ],
    [
      'expired, renewed',
      expired,
      { type: 'renew', rig, now: START, expiresAt: START + 60_000 },
      { ...leased, lease: renewed },
    ],
    ['leased, lease ended', leased, leaseEnded(), expired],
    [
      'leased, last lease ended',
      leased,
      leaseEnded({ maximumAttempts: 1 }),
      ended('failed', { attempts: 1, lease, message: 'Given up.' }),
    ],
    [
      'queued, deadline passed',
      due,
      { type: 'deadline-passed', now: START + 5001, message: 'Late.' },
      ended('failed', { deadline: START + 5000, message: 'Late.' }),
    ],
    ['leased, released', leased, release(true), { ...queued, attempts: 1 }],
    ['expired, released', expired, release(true), { ...queued, attempts: 1 }],
    ['leased, released for good', leased, release(false), ended('failed', { attempts: 1, message: 'Given back.' })],
    [
      'leased, released at the last attempt',
      leased,
      release(true, { maximumAttempts: 1 }),
      ended('failed', { attempts: 1, message: 'Given back.' }),
    ],
    ['queued, cancelled', queued, { type: 'cancel' }, ended('cancelled')],
    ['leased, cancelled', leased, { type: 'cancel' }, ended('cancelled', { attempts: 1, lease })],
    ['leased, delivered', leased, deliver(), delivered],
    ['expired, delivered', expired, deliver(), delivered],
    ['delivered, settled', delivered, judge(settle), ended('done', { attempts: 1, lease, delivery: 'ref', receipt })],
    [
      'refused before, settled',
      { ...delivered, refusal: 'wrong-result', message: 'No.' },
      judge(settle),
      ended('done', { attempts: 1, lease, delivery: 'ref', receipt }),
    ],
    ['delivered, refused', delivered, judge(refuse(true)), { ...queued, attempts: 1, ...refused }],
    [
      'delivered, refused at the last attempt',
      delivered,
      judge(refuse(true, 1)),
      ended('failed', { attempts: 1, ...refused }),
    ],
    ['delivered, refused for good', delivered, judge(refuse(false)), ended('failed', { attempts: 1, ...refused })],
    [
      'delivered, work credited before',
      delivered,
      judge(done),
      ended('done', { attempts: 1, lease, delivery: 'ref', refusal: 'already-credited', message: 'Before.' }),
    ],
  ])('%s', (_, job, event, next) => {
    const before = structuredClone(job)
    expect(nextJob(job, event)).toEqual({ ok: true, next })
    expect(job).toEqual(before)
  })

  it.each<[string, QueuedJob, JobEvent, Impossible]>([
    ['leased, leased', leased, { type: 'lease', lease }, 'not-queued'],
    ['queued, renewed', queued, { type: 'renew', rig, now: START, expiresAt: START }, 'not-held'],
    ['leased, renewed by another', leased, { type: 'renew', rig: other, now: START, expiresAt: START }, 'not-held'],
    ['queued, lease ended', queued, leaseEnded(), 'not-due'],
    ['leased, lease ends now', leased, leaseEnded({ now: lease.expiresAt }), 'not-due'],
    ['queued without a deadline', queued, { type: 'deadline-passed', now: START + 1e9, message: '' }, 'not-due'],
    ['queued, deadline is now', due, { type: 'deadline-passed', now: START + 5000, message: '' }, 'not-due'],
    [
      'leased, deadline passed',
      { ...leased, deadline: START },
      { type: 'deadline-passed', now: START + 1, message: '' },
      'not-due',
    ],
    ['queued, released', queued, release(true), 'not-held'],
    ['leased, released by another', leased, release(true, { rig: other }), 'not-held'],
    ['queued, delivered', queued, deliver(), 'not-held'],
    ['leased, delivered by another', leased, deliver(other), 'not-held'],
    ['delivered, delivered again', delivered, deliver(), 'not-held'],
    ['delivered, leased', delivered, { type: 'lease', lease }, 'not-queued'],
    ['delivered, renewed', delivered, { type: 'renew', rig, now: START, expiresAt: START }, 'not-held'],
    ['delivered, lease ended', delivered, leaseEnded(), 'not-due'],
    [
      'delivered, deadline passed',
      { ...delivered, deadline: START },
      { type: 'deadline-passed', now: START + 1, message: '' },
      'not-due',
    ],
    ['delivered, released', delivered, release(true), 'not-held'],
    ['delivered, cancelled', delivered, { type: 'cancel' }, 'delivered'],
    ['leased, judged', leased, judge(settle), 'not-held'],
    ['delivered, judged for another result', delivered, judge(settle, 'other'), 'not-held'],
    ['leased, the refused result again', { ...leased, ...refused }, judge(settle), 'judged'],
    ['done, the same result again', ended('done', { lease, delivery: 'ref', receipt }), judge(settle), 'judged'],
  ])('cannot: %s', (_, job, event, reason) => {
    expect(nextJob(job, event)).toEqual({ ok: false, reason })
  })

  it('is renewed until its lease has lasted long enough', () => {
    const renew = (now: number): JobEvent => ({ type: 'renew', rig, now, expiresAt: now + 30_000 })
    for (const held of [leased, expired]) {
      expect(nextJob(held, renew(lease.renewableUntil)).ok).toBe(true)
      expect(nextJob(held, renew(lease.renewableUntil + 1))).toEqual({ ok: false, reason: 'worn-out' })
    }
  })

  it('ends as impossible once so many rigs said so, and is else queued for others while attempts are left', () => {
    const said = release(false, { wordsToGiveUp: 2 })
    const once = { ...queued, attempts: 1, declinedBy: [rig] }
    expect(nextJob(leased, said)).toEqual({ ok: true, next: once })
    const again = { ...leased, declinedBy: [rig] }
    expect(nextJob(again, said)).toEqual({ ok: true, next: once })
    const byOther = { ...again, lease: { ...lease, rig: other } }
    expect(nextJob(byOther, { ...said, rig: other } as JobEvent)).toEqual({
      ok: true,
      next: ended('failed', { attempts: 1, declinedBy: [rig], message: 'Given back.' }),
    })
    expect(nextJob(leased, release(false, { wordsToGiveUp: 2, maximumAttempts: 1 }))).toEqual({
      ok: true,
      next: ended('failed', { attempts: 1, declinedBy: [rig], message: 'Given back.' }),
    })
  })

  it.each(['done', 'failed', 'cancelled'] as const)('that is %s stays so', (state) => {
    const events: JobEvent[] = [
      { type: 'lease', lease },
      { type: 'renew', rig, now: START, expiresAt: START + 60_000 },
      leaseEnded(),
      { type: 'deadline-passed', now: START + 1e9, message: '' },
      release(true),
      { type: 'cancel' },
      judge(settle),
      judge(refuse(true)),
    ]
    for (const event of events)
      expect(nextJob(ended(state, { lease, deadline: START }), event)).toEqual({ ok: false, reason: 'ended' })
  })
})

describe('a delivery', () => {
  const delivery: Delivery = { state: 'delivered' }
  const check = (now: number): DeliveryEvent => ({ type: 'check', now })
  const next = (from: Delivery, event: DeliveryEvent): Delivery => {
    const transition = nextDelivery(from, event)
    if (!transition.ok) throw new Error(transition.reason)
    return transition.next
  }

  it('is judged once, whether or not it was checked before', () => {
    const settled = { state: 'settled', receipt, endedAt: START + 9 } as const
    const turnedDown = { state: 'refused', code: 'wrong-result', message: 'No.', endedAt: START + 9 } as const
    for (const open of [delivery, next(delivery, check(START))]) {
      expect(next(open, settle)).toEqual(settled)
      expect(next(open, refuse(true))).toEqual(turnedDown)
    }
    for (const judged of [settled, turnedDown])
      for (const event of [settle, refuse(false), done, check(START + 1e9)])
        expect(nextDelivery(judged, event)).toEqual({ ok: false, reason: 'judged' })
  })

  it('is checked by one at a time, after pauses that grow to a quarter of an hour', () => {
    let now = START
    let open = next(delivery, check(now))
    for (const [checks, seconds] of [30, 60, 120, 240, 480, 900, 900].entries()) {
      const nextCheckAt = now + seconds * 1000
      expect(open).toEqual({ state: 'checking', checks: checks + 1, nextCheckAt })
      expect(nextDelivery(open, check(nextCheckAt - 1))).toEqual({ ok: false, reason: 'not-due' })
      open = next(open, check((now = nextCheckAt)))
    }
  })
})

describe('a unit', () => {
  const unit: UnitRecord = { epoch: 0, unit: 7, rig, tier: 'itp1-small', difficulty: 1n, expiresAt: START }

  it.each([
    ['leased', 0],
    ['expired', 1],
    ['expired', UNIT_MEMORY_MILLISECONDS],
    ['closed', UNIT_MEMORY_MILLISECONDS + 1],
  ] as const)('is %s %i ms after its expiry', (state, milliseconds) => {
    expect(unitStateAt(unit, START + milliseconds)).toBe(state)
  })

  it.each([
    ['in time', unit, {}, undefined],
    ['of no unit', undefined, {}, 'foreign-unit'],
    ["of another rig's unit", unit, { rig: other }, 'foreign-unit'],
    ['too late', unit, { now: START + 1 }, 'expired-unit'],
    ['of another tier', unit, { tier: 'itp1-base' }, 'wrong-tier'],
    ['of another tier, too late', unit, { tier: 'itp1-base', now: START + 1 }, 'expired-unit'],
  ] as const)('takes or refuses a share %s', (_, held, changes, refusal) => {
    expect(unitRefusal(held, { rig, tier: 'itp1-small', now: START, ...changes })).toBe(refusal)
  })
})
