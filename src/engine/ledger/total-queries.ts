/** Sums that screens show, from the tables of totals that triggers maintain. */
import type { Funnel } from '#shared/contract/earnings'
import type { WorkKind } from '#shared/contract/jobs'
import { workEnergy } from '#shared/domain/energy'
import type { Db } from './database'
import { creditStateOf, type StoredCreditState } from './seal'
import { joinSum } from './sums'
import type { DayTotal, KindTotal, LedgerReader } from './types'

export const QUARTER_MILLISECONDS = 900_000
/** A credit counts as accepted also in the states after that. */
const ACCEPTED = "('accepted', 'confirmed', 'paid')"
const END = BigInt(Number.MAX_SAFE_INTEGER)

type Totals = Pick<
  LedgerReader,
  'creditTotals' | 'acceptedSince' | 'summaryByKind' | 'funnel' | 'creditDays' | 'firstCreditAt' | 'modelTotal'
>

interface Sum {
  count: bigint | null
  high: bigint | null
  low: bigint | null
}
interface QuarterRow {
  quarter: bigint
  work_kind: WorkKind
  count: bigint
  macs_high: bigint
  macs_low: bigint
  credit_high: bigint
  credit_low: bigint
}
interface EnergyRow {
  quarter: bigint
  work_kind: WorkKind
  joules: number
  joules_measured: number
  macs: number
}

export function readTotals(db: Db): Totals {
  const total = db.prepare<[], Sum>(
    `SELECT sum(count) AS count, sum(credit_high) AS high, sum(credit_low) AS low FROM credit_sums WHERE state IN ${ACCEPTED}`,
  )
  const held = db.prepare<[], Sum>(
    "SELECT count, credit_high AS high, credit_low AS low FROM credit_sums WHERE state = 'held'",
  )
  const ofEpoch = db.prepare<[string, number], Sum>(
    `SELECT sum(count) AS count, sum(credit_high) AS high, sum(credit_low) AS low FROM credit_epochs WHERE network = ? AND epoch = ? AND state IN ${ACCEPTED}`,
  )
  const quarters = db.prepare<[bigint, bigint], QuarterRow>(
    `SELECT quarter, work_kind, sum(count) AS count, sum(macs_high) AS macs_high, sum(macs_low) AS macs_low,
       sum(credit_high) AS credit_high, sum(credit_low) AS credit_low
     FROM credit_quarters WHERE quarter >= ? AND quarter < ? AND state IN ${ACCEPTED} GROUP BY quarter, work_kind ORDER BY quarter`,
  )
  const energies = db.prepare<[bigint, bigint], EnergyRow>(
    'SELECT quarter, work_kind, joules, joules_measured, macs FROM energy_quarters WHERE quarter >= ? AND quarter < ? ORDER BY quarter',
  )
  const stages = db.prepare<[bigint, bigint], Sum & { state: StoredCreditState }>(
    `SELECT state, sum(count) AS count, sum(credit_high) AS high, sum(credit_low) AS low
     FROM credit_quarters WHERE quarter >= ? AND quarter < ? GROUP BY state`,
  )
  const reasons = db.prepare<[bigint, bigint], { state: StoredCreditState; reason: string; count: bigint }>(
    `SELECT state, reason, count(*) AS count FROM credits
     WHERE reason IS NOT NULL AND at >= ? AND at < ? GROUP BY state, reason ORDER BY count DESC, reason`,
  )
  const first = db.prepare<[], { at: bigint | null }>('SELECT min(at) AS at FROM credits')
  const ofModel = db.prepare<[string], Sum & { jobs: bigint; last_at: bigint }>(
    'SELECT jobs, credit_high AS high, credit_low AS low, last_at FROM model_totals WHERE model_hash = ?',
  )

  const sumOf = (row: Sum | undefined): bigint => joinSum(row?.high ?? null, row?.low ?? null)
  /** Kinds with accepted credit or energy in [from, to), in quarters. */
  const byKind = (from: bigint, to: bigint): Map<WorkKind, KindTotal> => {
    const kinds = new Map<WorkKind, KindTotal>()
    for (const row of quarters.all(from, to)) addCredit(kindOf(kinds, row.work_kind), row)
    for (const row of energies.all(from, to)) addEnergy(kindOf(kinds, row.work_kind), row)
    return kinds
  }

  return {
    creditTotals({ epoch, dayStart }) {
      const all = total.get()
      let today = 0n
      for (const row of quarters.all(quarterOf(dayStart), END)) today += joinSum(row.credit_high, row.credit_low)
      return {
        epoch: epoch === undefined ? 0n : sumOf(ofEpoch.get(epoch.network, epoch.number)),
        today,
        total: sumOf(all),
        held: sumOf(held.get()),
        credits: Number(all?.count ?? 0n),
      }
    },
    acceptedSince(from) {
      const since = { creditMacs: 0n, shares: 0, jobs: 0 }
      for (const [kind, sum] of byKind(quarterOf(from), END)) {
        since.creditMacs += sum.creditMacs
        since[kind === 'proof' ? 'shares' : 'jobs'] += sum.count
      }
      return since
    },
    summaryByKind({ from = 0, to }) {
      return [...byKind(quarterOf(from), to === undefined ? END : quarterOf(to))].map(([kind, sum]) => ({
        kind,
        ...sum,
      }))
    },
    funnel(period, { from = 0, to }) {
      const start = quarterOf(from)
      const end = to === undefined ? END : quarterOf(to)
      const stage = {
        estimated: { sum: 0n, count: 0 },
        submitted: { sum: 0n, count: 0 },
        held: { sum: 0n, count: 0 },
        accepted: { sum: 0n, count: 0 },
        refused: { sum: 0n, count: 0 },
        forfeited: { sum: 0n, count: 0 },
      }
      for (const row of stages.all(start, end)) {
        const count = Number(row.count ?? 0n)
        const add = (to: { sum: bigint; count: number }): void => {
          to.sum += sumOf(row)
          to.count += count
        }
        add(stage.estimated)
        const state = creditStateOf(row)
        add(stage[state === 'confirmed' || state === 'paid' ? 'accepted' : state])
      }
      const quarter = BigInt(QUARTER_MILLISECONDS)
      const why = reasons.all(start * quarter, end === END ? END : end * quarter)
      const lost = (ended: 'refused' | 'forfeited'): Funnel['refused'] => ({
        count: stage[ended].count,
        reasons: why
          .filter((row) => creditStateOf(row) === ended)
          .map(({ reason, count }) => ({ reason, count: Number(count) })),
      })
      const shown = ({ sum, count }: { sum: bigint; count: number }): Funnel['accepted'] => ({
        creditMacs: String(sum),
        count,
      })
      return {
        period,
        estimated: shown(stage.estimated),
        submitted: shown(stage.submitted),
        held: shown(stage.held),
        accepted: shown(stage.accepted),
        refused: lost('refused'),
        forfeited: lost('forfeited'),
      }
    },
    creditDays(days) {
      const totals: DayTotal[] = days.map(({ from, to }) => ({ from, to, creditMacs: 0n, kinds: emptyKinds() }))
      const begin = totals[0]?.from
      const end = totals.at(-1)?.to
      if (begin === undefined || end === undefined) return totals
      const range = [quarterOf(begin), quarterOf(end)] as const
      eachByDay(totals, quarters.all(...range), (day, row) => {
        addCredit(day.kinds[row.work_kind], row)
        day.creditMacs += joinSum(row.credit_high, row.credit_low)
      })
      eachByDay(totals, energies.all(...range), (day, row) => addEnergy(day.kinds[row.work_kind], row))
      return totals
    },
    firstCreditAt() {
      const at = first.get()?.at ?? null
      return at === null ? null : Number(at)
    },
    modelTotal(modelHash) {
      const row = ofModel.get(modelHash)
      return row === undefined ? null : { jobs: Number(row.jobs), creditMacs: sumOf(row), lastAt: Number(row.last_at) }
    },
  }
}

/** The number of the quarter of an hour that contains `at` (UTC ms). */
export function quarterOf(at: number): bigint {
  return BigInt(Math.floor(at / QUARTER_MILLISECONDS))
}

/** Both lists ascend, so one walk serves all days. */
function eachByDay<R extends { quarter: bigint }>(
  days: DayTotal[],
  rows: R[],
  add: (day: DayTotal, row: R) => void,
): void {
  let index = 0
  for (const row of rows) {
    const at = Number(row.quarter) * QUARTER_MILLISECONDS
    let day = days[index]
    while (day !== undefined && day.to <= at) day = days[++index]
    if (day === undefined) return
    if (day.from <= at) add(day, row)
  }
}

function emptyKind(): KindTotal {
  return { count: 0, macs: 0n, creditMacs: 0n, energy: null, macsWithEnergy: 0 }
}
function emptyKinds(): Record<WorkKind, KindTotal> {
  return { chat: emptyKind(), embed: emptyKind(), ocr: emptyKind(), proof: emptyKind() }
}
function kindOf(kinds: Map<WorkKind, KindTotal>, kind: WorkKind): KindTotal {
  const known = kinds.get(kind) ?? emptyKind()
  kinds.set(kind, known)
  return known
}
function addCredit(sum: KindTotal, row: QuarterRow): void {
  sum.count += Number(row.count)
  sum.macs += joinSum(row.macs_high, row.macs_low)
  sum.creditMacs += joinSum(row.credit_high, row.credit_low)
}
function addEnergy(sum: KindTotal, row: EnergyRow): void {
  const measured = sum.energy === null ? 0 : sum.energy.joules * sum.energy.measuredShare
  sum.energy = workEnergy((sum.energy?.joules ?? 0) + row.joules, measured + row.joules_measured)
  sum.macsWithEnergy += row.macs
}
