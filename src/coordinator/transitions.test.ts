import { describe, expect, it } from 'vitest'
import { createSigner } from '#engine/network/index'
import { EncodedInput } from '#shared/domain/encoded-input'
import { MODELS, START } from '../../test/support/coordinator-harness'
import { signReceipt } from './receipts'
import type { QueuedJob, StoredJobState, UnitRecord } from './store'
import {
  createdJob,
  deliveryOf,
  nextDelivery,
  nextJob,
  unitRefusal,
  unitStateAt,
  UNIT_MEMORY_MILLISECONDS,
  type Impossible,
  type JobEvent,
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
const settle: SettlementEvent = { type: 'settle', receipt }
const refuse = (retry: boolean, maximumAttempts = 3): SettlementEvent => ({
  type: 'refuse',
  code: 'wrong-result',
  message: 'No.',
  job: { retry, maximumAttempts },
})
const done: SettlementEvent = { type: 'refuse', code: 'already-credited', message: 'Before.', job: 'done' }
const judge = (judgement: SettlementEvent, by = rig): JobEvent => ({
  type: 'judge',
  rig: by,
  signature: 'signed',
  judgement,
})
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
const refused = { resultSignature: 'signed', refusal: 'wrong-result', message: 'No.' } as const

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
    [
      'leased, result settled',
      leased,
      judge(settle),
      ended('done', { attempts: 1, lease, resultSignature: 'signed', receipt }),
    ],
    [
      'expired, result settled',
      expired,
      judge(settle),
      ended('done', { attempts: 1, lease, resultSignature: 'signed', receipt }),
    ],
    [
      'refused before, result settled',
      { ...leased, ...refused, resultSignature: 'earlier' },
      judge(settle),
      ended('done', { attempts: 1, lease, resultSignature: 'signed', receipt }),
    ],
    ['leased, result refused', leased, judge(refuse(true)), { ...queued, attempts: 1, ...refused }],
    [
      'leased, result refused at the last attempt',
      leased,
      judge(refuse(true, 1)),
      ended('failed', { attempts: 1, ...refused }),
    ],
    ['leased, result refused for good', leased, judge(refuse(false)), ended('failed', { attempts: 1, ...refused })],
    [
      'leased, work credited before',
      leased,
      judge(done),
      ended('done', { attempts: 1, lease, resultSignature: 'signed', refusal: 'already-credited', message: 'Before.' }),
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
    ['queued, judged', queued, judge(settle), 'not-held'],
    ['leased, judged for another', leased, judge(settle, other), 'not-held'],
    ['leased, the refused result again', { ...leased, ...refused }, judge(settle), 'judged'],
    [
      'done, the same result again',
      ended('done', { lease, resultSignature: 'signed', receipt }),
      judge(settle),
      'judged',
    ],
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
  it('is judged once', () => {
    const settled = { state: 'settled', receipt } as const
    const turnedDown = { state: 'refused', code: 'wrong-result', message: 'No.' } as const
    expect(nextDelivery({ state: 'delivered' }, settle)).toEqual({ ok: true, next: settled })
    expect(nextDelivery({ state: 'delivered' }, refuse(true))).toEqual({ ok: true, next: turnedDown })
    for (const judged of [settled, turnedDown])
      for (const event of [settle, refuse(false), done])
        expect(nextDelivery(judged, event)).toEqual({ ok: false, reason: 'judged' })
  })

  it('has the state that its job keeps, and none where its rig does not hold the job', () => {
    expect(deliveryOf(leased, rig, 'signed')).toEqual({ state: 'delivered' })
    expect(deliveryOf(expired, rig, 'signed')).toEqual({ state: 'delivered' })
    expect(deliveryOf(leased, other, 'signed')).toBeUndefined()
    expect(deliveryOf(ended('done', { lease, resultSignature: 'earlier', receipt }), rig, 'signed')).toBeUndefined()
    const settled = ended('done', { lease, resultSignature: 'signed', receipt })
    expect(deliveryOf(settled, rig, 'signed')).toEqual({ state: 'settled', receipt })
    const turnedDown = { ...queued, ...refused }
    expect(deliveryOf(turnedDown, rig, 'signed')).toEqual({ state: 'refused', code: 'wrong-result', message: 'No.' })
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
