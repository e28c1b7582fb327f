import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { v7 } from 'uuid'
import { z } from 'zod'
import { Failure } from '#shared/domain/errors'
import { foreignWords, message } from '#shared/domain/messages'
import { creditsAsCsv } from './export'
import { openLedger } from './open'
import type { JobResultRecord, Ledger } from './types'
import {
  fillShares,
  makeJob,
  makeReceipt,
  makeResult,
  makeShare,
  makeUnit,
  makeWorld,
  networkKeys,
  signatures,
  START,
  type TestWorld,
} from './ledger.test.support'

let world: TestWorld
let ledger: Ledger
const unit = makeUnit()

beforeEach(() => {
  world = makeWorld()
  ledger = openLedger(world.options)
  ledger.recordDevice({ id: 'cpu0', kind: 'cpu', name: 'Test processor' })
  ledger.recordUnit(unit, 'cpu0', 'practice')
})
afterEach(() => {
  ledger.close()
  world.remove()
})

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
  return 'no failure'
}
const report = () => ledger.verify({ signatures, networkKeys })

describe('shares and credit', () => {
  it('turns a submitted share into credit with its receipt, once', () => {
    const record = makeShare(unit, 1)
    const { workId, creditId } = ledger.recordShare(record)
    expect(ledger.recordShare(record)).toEqual({ workId, creditId })
    expect(ledger.creditTotals({ dayStart: START })).toEqual({ epoch: 0n, today: 0n, total: 0n, held: 0n, credits: 0 })
    const receipt = makeReceipt(record)
    expect(ledger.accept(receipt)).toEqual({ workId, creditId, repeated: false, disputed: null })
    expect(ledger.accept(receipt)).toEqual({ workId, creditId, repeated: true, disputed: null })
    const totals = { epoch: { network: 'practice', number: 7 }, dayStart: START - 43_200_000 }
    expect(ledger.creditTotals(totals)).toEqual({
      epoch: record.creditMacs,
      today: record.creditMacs,
      total: record.creditMacs,
      held: 0n,
      credits: 1,
    })
    expect(ledger.creditTotals({ dayStart: START + 86_400_000 }).today).toBe(0n)
    expect(ledger.creditRow(creditId)).toMatchObject({
      at: '2026-05-01T12:00:00.000Z',
      kind: 'share',
      ref: record.share.id,
      macs: String(record.macs),
      state: 'accepted',
      receipt: receipt.id,
      verification: 'recomputed',
      deviceName: 'Test processor',
    })
    expect(ledger.workDetail(workId)).toMatchObject({
      kind: 'proof',
      model: 'itp1-base',
      nonce: record.share.body.nonce,
      digest: record.share.body.digest,
      difficulty: '5',
      creditId,
      path: [{ state: 'submitted' }, { state: 'accepted' }],
    })
    expect(report()).toMatchObject({ ok: true, credits: 1, receipts: 1, creditMacs: String(record.creditMacs) })
  })

  it('takes the figures and the epoch from the receipt', () => {
    const record = makeShare(unit, 1)
    const { creditId } = ledger.recordShare(record)
    ledger.accept(
      makeReceipt(record, { factorMilli: '333', creditMacs: String((record.macs * 333n) / 1000n), epoch: 8 }),
    )
    expect(ledger.creditRow(creditId)).toMatchObject({
      factorMilli: '333',
      creditMacs: String((record.macs * 333n) / 1000n),
    })
    expect(ledger.creditTotals({ epoch: { network: 'practice', number: 8 }, dayStart: START }).epoch).toBe(
      (record.macs * 333n) / 1000n,
    )
    expect(report().problems).toEqual([])
  })

  it('keeps the code of a refusal and gives no credit for it', () => {
    const record = makeShare(unit, 1)
    const { creditId } = ledger.recordShare(record)
    ledger.refuse(record.share.id, 'stale-epoch')
    expect(ledger.creditRow(creditId)).toMatchObject({ state: 'refused', reason: 'stale-epoch', receipt: null })
    expect(ledger.creditTotals({ dayStart: START })).toMatchObject({ total: 0n, credits: 0 })
    expect(codeOf(() => ledger.accept(makeReceipt(record)))).toBe('conflict')
    expect(ledger.funnel('today', { from: START })).toMatchObject({
      estimated: { count: 1 },
      accepted: { creditMacs: '0', count: 0 },
      refused: { count: 1, reasons: [{ reason: 'stale-epoch', count: 1 }] },
    })
    expect(report().problems).toEqual([])
  })

  it('refuses a receipt for unknown work, for other work, a second one, and wrong or too large figures', () => {
    const record = makeShare(unit, 1)
    expect(codeOf(() => ledger.accept(makeReceipt(record)))).toBe('not-found')
    ledger.recordShare(record)
    expect(codeOf(() => ledger.accept(makeReceipt(record, { kind: 'job' })))).toBe('network-refused')
    expect(codeOf(() => ledger.accept(makeReceipt(record, { creditMacs: String(record.creditMacs + 1n) })))).toBe(
      'network-refused',
    )
    const huge = String(1n << 63n)
    expect(codeOf(() => ledger.accept(makeReceipt(record, { macs: huge, creditMacs: huge })))).toBe('network-refused')
    expect(ledger.creditTotals({ dayStart: START }).total).toBe(0n)
    ledger.accept(makeReceipt(record))
    expect(codeOf(() => ledger.accept(makeReceipt(record, { acceptedAt: START + 1 })))).toBe('conflict')
    expect(ledger.creditTotals({ dayStart: START }).credits).toBe(1)
  })

  it('adds up beyond 2^63 exactly', () => {
    const macs = (1n << 63n) - 1n
    for (let counter = 0; counter < 5; counter++) {
      const record = makeShare(unit, counter, macs)
      ledger.recordShare(record)
      ledger.accept(makeReceipt(record))
    }
    const expected = macs * 5n
    const totals = { epoch: { network: 'practice', number: 7 }, dayStart: START }
    expect(ledger.creditTotals(totals)).toMatchObject({ epoch: expected, today: expected, total: expected, credits: 5 })
    expect(ledger.summaryByKind({ from: START })).toMatchObject([
      { kind: 'proof', count: 5, macs: expected, creditMacs: expected },
    ])
    expect(report()).toMatchObject({ ok: true, creditMacs: String(expected) })
  })
})

describe('jobs', () => {
  it('follows a chat from the queue to its credit', () => {
    const id = v7()
    ledger.insertJob(makeJob(id))
    world.clock.time += 1000
    ledger.setJobState(id, 'running', { deviceId: 'cpu0' })
    world.clock.time += 1000
    const record = makeResult(id)
    const { creditId } = ledger.recordJobResult(id, record)
    expect(ledger.recordJobResult(id, record)).toEqual({ workId: id, creditId })
    world.clock.time += 1000
    ledger.accept(makeReceipt(record))
    const detail = ledger.workDetail(id)
    expect(detail).toMatchObject({
      state: 'accepted',
      tokens: { input: 12, output: 20 },
      output: 'It scatters blue light.',
      evidence: { finish: 'stop' },
      creditId,
      startedAt: START + 1000,
      endedAt: START + 2000,
      energy: { joules: 9, certainty: 'measured', source: 'RAPL package counter' },
      digest: null,
    })
    expect(detail?.path).toEqual([
      { state: 'queued', at: START },
      { state: 'running', at: START + 1000 },
      { state: 'submitted', at: START + 2000 },
      { state: 'accepted', at: START + 3000 },
    ])
    expect(ledger.acceptedSince(START)).toEqual({ creditMacs: record.creditMacs, shares: 0, jobs: 1 })
    expect(report().problems).toEqual([])
  })

  it('refuses changes that the state machine does not know', () => {
    const id = v7()
    ledger.insertJob(makeJob(id))
    expect(codeOf(() => ledger.setJobState(id, 'interrupted'))).toBe('conflict')
    expect(codeOf(() => ledger.recordJobResult(id, makeResult(id)))).toBe('conflict')
    ledger.setJobState(id, 'failed', { reason: foreignWords('The picture cannot be read.') })
    expect(codeOf(() => ledger.setJobState(id, 'running'))).toBe('conflict')
    expect(codeOf(() => ledger.setJobState(v7(), 'running'))).toBe('not-found')
    expect(ledger.workRow(id)).toMatchObject({
      state: 'failed',
      reason: foreignWords('The picture cannot be read.'),
    })
    expect(ledger.openJobs()).toEqual([])
  })

  it('returns what a start must send or retry', () => {
    const [running, queued, sent] = [v7(), v7(), v7()]
    for (const id of [running, queued, sent]) ledger.insertJob(makeJob(id, 'embed'))
    ledger.setJobState(running, 'running', { deviceId: 'cpu0' })
    ledger.setJobState(sent, 'running', { deviceId: 'cpu0' })
    const result = makeResult(sent, 'embed')
    const recorded = ledger.recordJobResult(sent, result)
    const share = makeShare(unit, 1)
    const { workId, creditId } = ledger.recordShare(share)
    ledger.close()
    ledger = openLedger(world.options)
    expect(ledger.recover()).toEqual({
      interruptedJobIds: [running],
      shares: [{ workId, creditId, deviceId: 'cpu0', share: share.share }],
      results: [
        {
          jobId: sent,
          creditId: recorded.creditId,
          deviceId: 'cpu0',
          delivery: { result: result.result, output: result.output, evidence: result.evidence },
        },
      ],
      held: [],
    })
    expect(ledger.openJobs().map(({ id, state, attempts }) => [id, state, attempts])).toEqual([
      [running, 'interrupted', 1],
      [queued, 'queued', 0],
    ])
    expect(ledger.jobInput(queued)).toEqual(makeJob(queued, 'embed').input)
    expect(ledger.jobInput(v7())).toBeNull()
    expect(report().problems).toEqual([])
  })
})

describe('credit that is held until it is checked', () => {
  const send = (): { id: string; creditId: string; record: JobResultRecord } => {
    const id = v7()
    ledger.insertJob(makeJob(id))
    ledger.setJobState(id, 'running', { deviceId: 'cpu0' })
    const record = makeResult(id)
    return { id, record, ...ledger.recordJobResult(id, record) }
  }
  const pathOf = (id: string) =>
    ledger
      .workDetail(id)
      ?.path.map(({ state }) => state)
      .slice(2)

  it('stands apart from every accepted sum, is found again at start, and is accepted once with its receipt', () => {
    const { id, creditId, record } = send()
    const { id: ref } = record.result
    expect(ledger.hold(ref)).toEqual({ workId: id, creditId })
    expect(ledger.hold(ref)).toEqual({ workId: id, creditId })
    expect(ledger.creditRow(creditId)).toMatchObject({ state: 'held', receipt: null, verification: null })
    expect(ledger.workPage({ state: 'held' }, 0, 10)).toMatchObject({ total: 1, rows: [{ id, reason: null }] })
    const totals = { epoch: { network: 'practice', number: 7 }, dayStart: START }
    const none = { epoch: 0n, today: 0n, total: 0n, credits: 0 }
    expect(ledger.creditTotals(totals)).toEqual({ ...none, held: record.creditMacs })
    expect(ledger.acceptedSince(START)).toEqual({ creditMacs: 0n, shares: 0, jobs: 0 })
    expect(ledger.summaryByKind({ from: START })).toEqual([])
    expect(ledger.modelTotal('ab'.repeat(32))).toBeNull()
    const shown = { creditMacs: String(record.creditMacs), count: 1 }
    expect(ledger.funnel('all', {})).toMatchObject({ estimated: shown, held: shown, accepted: { count: 0 } })
    expect(report()).toMatchObject({ creditMacs: '0', problems: [] })

    ledger.close()
    ledger = openLedger(world.options)
    expect(ledger.recover()).toEqual({ interruptedJobIds: [], shares: [], results: [], held: [ref] })
    expect(ledger.openJobs()).toEqual([])
    const receipt = makeReceipt(record)
    expect(ledger.accept(receipt)).toMatchObject({ repeated: false, disputed: null })
    expect(ledger.accept(receipt)).toMatchObject({ repeated: true })
    expect(ledger.creditTotals(totals)).toMatchObject({ total: record.creditMacs, held: 0n, credits: 1 })
    expect(ledger.modelTotal('ab'.repeat(32))).toMatchObject({ jobs: 1, creditMacs: record.creditMacs })
    expect(ledger.summaryByKind({ from: START })).toMatchObject([{ kind: 'chat', count: 1, energy: { joules: 9 } }])
    expect(pathOf(id)).toEqual(['submitted', 'held', 'accepted'])
    expect(ledger.recover().held).toEqual([])
    expect(codeOf(() => ledger.hold(ref))).toBe('conflict')
    expect(report().problems).toEqual([])
  })

  it('keeps what was announced for it: a receipt that counts otherwise is disputed', () => {
    const { creditId, record } = send()
    ledger.hold(record.result.id)
    ledger.accept(makeReceipt(record, { factorMilli: '1000', creditMacs: String(record.macs) }))
    expect(ledger.creditRow(creditId)?.disputed).toEqual({ factorMilli: '1500', creditMacs: String(record.creditMacs) })
    expect(report().problems).toEqual([])
  })

  it('is refused, or forfeited, with the reason, once', () => {
    const [wrong, lost, unheard] = [send(), send(), send()]
    for (const { record } of [wrong, lost]) ledger.hold(record.result.id)
    ledger.refuse(wrong.record.result.id, 'wrong-result')
    ledger.refuse(lost.record.result.id, 'forfeited')
    // The network held it, and the rig never heard of that.
    ledger.refuse(unheard.record.result.id, 'forfeited')
    ledger.refuse(unheard.record.result.id, 'forfeited')
    expect([wrong, lost, unheard].map(({ id }) => pathOf(id))).toEqual([
      ['submitted', 'held', 'refused'],
      ['submitted', 'held', 'forfeited'],
      ['submitted', 'held', 'forfeited'],
    ])
    expect(ledger.workRow(lost.id)).toMatchObject({ state: 'forfeited', reason: foreignWords('forfeited') })
    expect(ledger.creditRow(lost.creditId)).toMatchObject({ state: 'forfeited', reason: 'forfeited', receipt: null })
    expect(ledger.funnel('all', {})).toMatchObject({
      held: { count: 0 },
      refused: { count: 1, reasons: [{ reason: 'wrong-result', count: 1 }] },
      forfeited: { count: 2, reasons: [{ reason: 'forfeited', count: 2 }] },
    })
    expect(ledger.creditTotals({ dayStart: START })).toMatchObject({ total: 0n, held: 0n, credits: 0 })
    for (const { record } of [wrong, lost]) {
      expect(codeOf(() => ledger.accept(makeReceipt(record)))).toBe('conflict')
      expect(codeOf(() => ledger.hold(record.result.id))).toBe('conflict')
    }
    expect(codeOf(() => ledger.refuse(lost.record.result.id, 'wrong-result'))).toBe('conflict')
    const exported = [...ledger.exportCredits()].map(({ state, reason }) => `${state} ${reason}`)
    expect(exported).toEqual(['refused wrong-result', 'forfeited forfeited', 'forfeited forfeited'])
    expect(
      [...creditsAsCsv(ledger.exportCredits())].filter((line) => line.includes(',forfeited,forfeited,')),
    ).toHaveLength(2)
    expect(report().problems).toEqual([])
  })

  it('is never a share’s', () => {
    const record = makeShare(unit, 1)
    ledger.recordShare(record)
    expect(() => ledger.hold(record.share.id)).toThrow(/CHECK constraint/)
    ledger.accept(makeReceipt(record))
    expect(report().problems).toEqual([])
  })
})

describe('sums per day and kind', () => {
  it('puts each credit into its own local day, also where days do not begin at a whole hour', () => {
    const day = 86_400_000
    // Nepal: 18:15 UTC is midnight
    const midnight = Date.UTC(2026, 4, 1, 18, 15)
    for (const [counter, at] of [midnight - 1, midnight, midnight + day - 1, midnight + day].entries()) {
      world.clock.time = at
      const record = makeShare(unit, counter, BigInt(10 ** counter))
      ledger.recordShare(record)
      ledger.accept(makeReceipt(record))
    }
    const days = [-1, 0, 1, 2].map((index) => ({ from: midnight + index * day, to: midnight + (index + 1) * day }))
    expect(ledger.creditDays(days).map(({ creditMacs }) => creditMacs)).toEqual([1n, 110n, 1000n, 0n])
    expect(ledger.creditDays(days)[1]?.kinds.proof).toMatchObject({
      count: 2,
      macs: 110n,
      macsWithEnergy: 110,
      energy: { joules: 80, certainty: 'estimated' },
    })
    expect(ledger.funnel('7d', { from: midnight, to: midnight + day }).accepted).toEqual({
      creditMacs: '110',
      count: 2,
    })
    expect(ledger.firstCreditAt()).toBe(midnight - 1)
  })
})

describe('small records', () => {
  it('keeps settings, benchmarks, events and every address', () => {
    ledger.saveSetting('threads', { cpu0: 3 })
    ledger.saveSetting('threads', { cpu0: 2 })
    expect(ledger.setting('threads', z.record(z.string(), z.number()))).toEqual({ cpu0: 2 })
    expect(ledger.setting('threads', z.string())).toBeNull()
    expect(ledger.setting('absent', z.string())).toBeNull()
    expect(ledger.address()).toBeNull()
    const first = { address: 'cosmos1aaa', type: 'cosmos', effectiveAt: '2026-05-02T00:00:00.000Z' } as const
    const second = { address: '0xAbC', type: 'evm', effectiveAt: '2026-05-03T00:00:00.000Z' } as const
    ledger.setAddress(first)
    world.clock.time += 5000
    ledger.setAddress(second)
    expect(ledger.address()).toEqual(second)
    expect(ledger.addressHistory()).toEqual([
      { ...second, setAt: '2026-05-01T12:00:05.000Z', replacedAt: null },
      { ...first, setAt: '2026-05-01T12:00:00.000Z', replacedAt: '2026-05-01T12:00:05.000Z' },
    ])
    const measured = {
      deviceId: 'cpu0',
      backend: 'onnx-cpu',
      tier: 'itp1-base',
      mode: 'stress',
      noncesPerSecond: 2.5,
      macsPerSecond: 3e10,
      spread: 0.02,
      milliseconds: 60_000,
      watts: null,
      wattsCertainty: null,
      wattsSource: 'not known',
      macsPerJoule: null,
      temperatureCelsius: 71.5,
      clockHertz: 4.2e9,
      powerLimitWatts: 150,
      threads: 7,
      driver: 'a-driver 1.2',
      lodeVersion: '0.1.0',
      checksum: 'mismatch',
      checksumSha256: 'ab'.repeat(32),
      noncesChecked: 2400,
      ended: 'wrong-digest',
      wrongNonce: '18446744073709551615',
    } as const
    const evidence = {
      device: {
        id: 'cpu0',
        kind: 'cpu',
        name: 'A processor',
        vendor: 'A maker',
        memoryBytes: 8e9,
        instructionSets: ['AVX2'],
        driver: null,
      },
      samples: [2.4, 2.5, 2.6],
      checksumDigests: ['cd'.repeat(32)],
      digests: [{ nonce: '7', digest: 'ef'.repeat(32) }],
    }
    const row = ledger.recordBenchmark(measured, evidence)
    expect(row).toMatchObject({ ...measured, samples: 3 })
    expect(ledger.benchmarks('cpu0')).toEqual([row])
    expect(ledger.benchmarks(null)).toEqual([row])
    expect(ledger.benchmark(row.id)).toEqual({ row, evidence })
    expect(ledger.benchmark('none')).toBeNull()
    expect(ledger.benchmarks('cpu1')).toEqual([])
    const event = ledger.recordEvent({
      severity: 'warning',
      words: message('quarantined-because', { reason: message('device-hangs') }),
    })
    expect(ledger.events(1)).toEqual([event])
    expect(event.code).toBe('quarantined-because')
  })
})

describe('export', () => {
  it('gives every credit of the range once, oldest first, as lines and as CSV', () => {
    fillShares(ledger.file, 2300, { unitId: unit.id, millisecondsBetween: 0.5 })
    const all = [...ledger.exportCredits()]
    expect(new Set(all.map(({ id }) => id)).size).toBe(2300)
    expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted())
    const range = [...ledger.exportCredits({ from: START + 10, to: START + 20 })]
    expect(range.map(({ at }) => Date.parse(at) - START)).toEqual([
      10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19, 19,
    ])
    const [header, line] = creditsAsCsv([{ ...all[0]!, device: '=cmd|"x",y', reason: 'a\nb' }])
    expect(header).toBe(
      'id,at,network,rig,device,kind,ref,macs,factorMilli,creditMacs,state,reason,receipt,model,joules,joulesCertainty,milliseconds,tokensIn,tokensOut\r\n',
    )
    expect(line).toContain(`,"'=cmd|""x"",y",share,`)
    expect(line).toMatch(/,"a\nb",,itp1-\w+,.*\r\n$/)
  })
})
