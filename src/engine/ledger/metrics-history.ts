/** The data of the charts: points at even steps, the activity of each device, and pauses. */
import type { Period } from '#shared/contract/common'
import type { History, HistoryPoint, LaneSpan } from '#shared/contract/engine'
import type { Db } from './database'

const MINUTE = 60_000
const PERIODS: Readonly<Record<Period, { length: number; step: number; table: string }>> = {
  '1h': { length: 60 * MINUTE, step: 10_000, table: 'seconds' },
  '3h': { length: 180 * MINUTE, step: MINUTE, table: 'minutes' },
  '24h': { length: 1440 * MINUTE, step: 5 * MINUTE, table: 'minutes' },
  '7d': { length: 7 * 1440 * MINUTE, step: 30 * MINUTE, table: 'minutes' },
}

interface StepRow {
  at: bigint
  device: string
  credit_macs: number
  joules: number
  joules_measured: number
  power_ms: number
  covered_ms: number
  chat_ms: number
  embed_ms: number
  ocr_ms: number
  proof_ms: number
  paused_ms: number
}

export function readHistory(db: Db, period: Period, now: number): History {
  const { length, step, table } = PERIODS[period]
  const to = Math.ceil(now / step) * step
  const from = to - length
  const rows = db
    .prepare<[number, number, number, number], StepRow>(
      `SELECT cast((at / cast(? AS INTEGER)) * cast(? AS INTEGER) AS INTEGER) AS at, device, sum(credit_macs) AS credit_macs, sum(joules) AS joules,
         sum(joules_measured) AS joules_measured, sum(power_ms) AS power_ms,
         sum(chat_ms + embed_ms + ocr_ms + proof_ms + paused_ms + idle_ms) AS covered_ms,
         sum(chat_ms) AS chat_ms, sum(embed_ms) AS embed_ms, sum(ocr_ms) AS ocr_ms, sum(proof_ms) AS proof_ms, sum(paused_ms) AS paused_ms
       FROM ${table} WHERE at >= ? AND at < ? GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    .all(step, step, from, to)
  return {
    period,
    from,
    to,
    step,
    points: pointsOf(rows, from, to, step),
    lanes: lanesOf(rows, step, now),
    pauses: pausesOf(db, from, now),
  }
}

/** One point a step; steps without a sample are gaps. Rates are taken over the time that samples cover, so the running step is not too low. */
function pointsOf(rows: StepRow[], from: number, to: number, step: number): HistoryPoint[] {
  const byStep = new Map<number, StepRow[]>()
  for (const row of rows) byStep.set(Number(row.at), [...(byStep.get(Number(row.at)) ?? []), row])
  const points: HistoryPoint[] = []
  for (let at = from; at < to; at += step) {
    const devices = byStep.get(at) ?? []
    const covered = devices.reduce((longest, row) => Math.max(longest, row.covered_ms), 0) / 1000
    const powered = devices.filter((row) => row.power_ms > 0)
    const watts = powered.reduce((sum, row) => sum + row.joules / (row.power_ms / 1000), 0)
    const measured = powered.reduce((sum, row) => sum + row.joules_measured / (row.power_ms / 1000), 0)
    points.push({
      at,
      creditMacsPerSecond: covered === 0 ? null : devices.reduce((sum, row) => sum + row.credit_macs, 0) / covered,
      watts: powered.length === 0 ? null : watts,
      wattsMeasured: powered.length === 0 || measured === 0 ? null : measured,
    })
  }
  return points
}

/** Spans of the activity of each device: in each step in proportion to the time, jobs first. Equal neighbours are joined; idle time has no span. */
function lanesOf(rows: StepRow[], step: number, now: number): LaneSpan[] {
  const lanes: LaneSpan[] = []
  const open = new Map<string, LaneSpan>()
  for (const row of rows) {
    const end = Math.min(Number(row.at) + step, Math.max(now, Number(row.at) + 1))
    let from = Number(row.at)
    for (const [activity, share] of activityShares(row)) {
      const to = from + share * (end - Number(row.at))
      const last = open.get(row.device)
      if (last !== undefined && last.activity === activity && last.to === from) last.to = to
      else {
        const span: LaneSpan = { deviceId: row.device, activity, from, to }
        open.set(row.device, span)
        lanes.push(span)
      }
      from = to
    }
  }
  return lanes
}

/** Shares of the activities in the time that samples cover; activities without time are left out. */
function activityShares(row: StepRow): [LaneSpan['activity'], number][] {
  const times: [LaneSpan['activity'], number][] = [
    ['chat', row.chat_ms],
    ['embed', row.embed_ms],
    ['ocr', row.ocr_ms],
    ['proof', row.proof_ms],
    ['paused', row.paused_ms],
  ]
  return times.flatMap(([activity, milliseconds]) =>
    milliseconds > 0 ? [[activity, milliseconds / row.covered_ms]] : [],
  )
}

function pausesOf(db: Db, from: number, now: number): History['pauses'] {
  const rows = db
    .prepare<[number], { began_at: bigint; ended_at: bigint | null; cause: string }>(
      'SELECT began_at, ended_at, cause FROM pauses WHERE ended_at IS NULL OR ended_at > ? ORDER BY began_at',
    )
    .all(from)
  return rows.map(({ began_at, ended_at, cause }) => ({
    from: Math.max(from, Number(began_at)),
    to: ended_at === null ? now : Number(ended_at),
    cause,
  }))
}
