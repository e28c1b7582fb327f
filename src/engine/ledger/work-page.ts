/**
 * Pages of the Jobs table: useful jobs and proof shares, newest first, over millions of rows. Triggers keep how many
 * rows of each sort stand in each block of 4096, so a total is a sum over blocks and an offset skips whole blocks;
 * only the blocks that a page touches are read.
 */
import type { WorkFilter, WorkRow, WorkKind } from '#shared/contract/jobs'
import { electricityCostNanos, type ElectricityPrice } from '#shared/domain/electricity'
import type { Certainty } from '#shared/domain/energy'
import type { Verification } from '#shared/protocol/receipt'
import type { JobState } from '#shared/domain/states'
import { readStoredMessage } from '#shared/domain/messages'
import type { Db } from './database'
import type { LedgerReader } from './types'

const BLOCK_BITS = 12n
/** A shorter text is searched among model names only: as the beginning of an id it would match nearly every row. */
const SHORTEST_ID = 6
const MOST_MATCHES = 10_000

export interface WorkRecord {
  seq: bigint
  id: string
  at: bigint
  kind: WorkKind
  network: string
  epoch: bigint | null
  model: string
  device: string | null
  origin: WorkRow['origin']
  state: JobState
  state_at: bigint
  tokens_in: bigint | null
  tokens_out: bigint | null
  macs: bigint | null
  factor_milli: bigint | null
  credit_macs: bigint | null
  milliseconds: number | null
  joules: number | null
  joules_certainty: Certainty | null
  joules_measured_share: number | null
  joules_source: string | null
  verification: Verification | null
  reason: string | null
}

export function readWorkPages(
  db: Db,
  electricity?: () => ElectricityPrice,
): Pick<LedgerReader, 'workPage' | 'workRow'> {
  const one = db.prepare<[string], WorkRecord>('SELECT * FROM work WHERE id = ?')
  const models = db.prepare<[], { model: string }>('SELECT DISTINCT model FROM work_counts')
  const idMatches = db.prepare<[string, string, number], { seq: bigint }>(
    'SELECT seq FROM work WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?',
  )
  const digestMatches = db.prepare<[string, string, number], { seq: bigint }>(
    'SELECT work AS seq FROM shares WHERE digest >= ? AND digest < ? ORDER BY digest DESC LIMIT ?',
  )

  return {
    workPage(filter, offset, limit) {
      const search = filter.search?.trim().toLowerCase() ?? ''
      const matches = search.length >= SHORTEST_ID && /^[0-9a-f-]+$/.test(search) ? matching(search) : []
      if (matches.length > 0) return shown(pageOf(db, filter, matches, offset, limit))
      const wanted =
        search === ''
          ? null
          : models.all().flatMap(({ model }) => (model.toLowerCase().startsWith(search) ? [model] : []))
      return shown(pageByBlocks(db, conditionsOf(filter, wanted), offset, limit))
    },
    workRow(id) {
      const row = one.get(id)
      return row === undefined ? null : toWorkRow(row, electricity?.())
    },
  }

  function shown({ total, rows }: Page): { total: number; rows: WorkRow[] } {
    const price = electricity?.()
    return { total, rows: rows.map((row) => toWorkRow(row, price)) }
  }

  function matching(prefix: string): bigint[] {
    // '~' sorts after every hexadecimal digit and dash.
    const found = [
      ...idMatches.all(prefix, `${prefix}~`, MOST_MATCHES),
      ...digestMatches.all(prefix, `${prefix}~`, MOST_MATCHES),
    ]
    return [...new Set(found.map(({ seq }) => seq))]
  }
}

interface Page {
  total: number
  rows: WorkRecord[]
}

/** `price`: of electricity; absent: the row has no cost. */
export function toWorkRow(row: WorkRecord, price?: ElectricityPrice): WorkRow {
  return {
    id: row.id,
    at: Number(row.at),
    kind: row.kind,
    model: row.model,
    deviceId: row.device,
    origin: row.origin,
    state: row.state,
    tokens: row.tokens_in === null ? null : { input: Number(row.tokens_in), output: Number(row.tokens_out ?? 0n) },
    macs: row.macs === null ? null : String(row.macs),
    creditMacs: row.credit_macs === null ? null : String(row.credit_macs),
    joules: row.joules,
    joulesCertainty: row.joules_certainty,
    electricityCost:
      row.joules === null || price === undefined
        ? null
        : {
            nanos: electricityCostNanos(row.joules, price.micros).toString(),
            currency: price.currency,
            priceAssumed: price.assumed,
          },
    milliseconds: row.milliseconds,
    verification: row.verification,
    reason: row.reason === null ? null : readStoredMessage(row.reason),
  }
}

interface Conditions {
  /** SQL for `work` and for `work_counts`: both tables have these columns */
  sql: string
  values: string[]
}

function conditionsOf(filter: WorkFilter, models: string[] | null): Conditions {
  const given = [
    ['kind = ?', filter.kind],
    ['state = ?', filter.state],
    ['device = ?', filter.deviceId],
  ].filter((pair): pair is [string, string] => pair[1] !== undefined)
  const conditions = given.map(([sql]) => sql)
  const values = given.map(([, value]) => value)
  if (models !== null) {
    conditions.push('model IN (SELECT value FROM json_each(?))')
    values.push(JSON.stringify(models))
  }
  return { sql: conditions.map((condition) => ` AND ${condition}`).join(''), values }
}

function pageByBlocks(db: Db, { sql, values }: Conditions, offset: number, limit: number): Page {
  const blocks = db
    .prepare<string[], { block: bigint; count: bigint }>(
      `SELECT block, sum(count) AS count FROM work_counts WHERE true${sql} GROUP BY block HAVING sum(count) > 0 ORDER BY block DESC`,
    )
    .all(...values)
  const total = blocks.reduce((sum, { count }) => sum + Number(count), 0)
  const ofBlock = db.prepare<(bigint | string | number)[], WorkRecord>(
    `SELECT * FROM work WHERE seq >= ? AND seq < ?${sql} ORDER BY seq DESC LIMIT ? OFFSET ?`,
  )
  const rows: WorkRecord[] = []
  let skip = offset
  for (const { block, count } of blocks) {
    if (rows.length >= limit) break
    if (skip < Number(count)) {
      const begin = block << BLOCK_BITS
      const found = ofBlock.all(begin, begin + (1n << BLOCK_BITS), ...values, limit - rows.length, skip)
      rows.push(...found)
    }
    skip = Math.max(0, skip - Number(count))
  }
  return { total, rows }
}

/** A page of a few known rows, newest first. */
function pageOf(db: Db, filter: WorkFilter, seqs: bigint[], offset: number, limit: number): Page {
  const { sql, values } = conditionsOf(filter, null)
  const list = `[${seqs.join(',')}]`
  const where = `seq IN (SELECT value FROM json_each(?))${sql}`
  const total = db
    .prepare<string[], { count: bigint }>(`SELECT count(*) AS count FROM work WHERE ${where}`)
    .get(list, ...values)
  const rows = db
    .prepare<(string | number)[], WorkRecord>(`SELECT * FROM work WHERE ${where} ORDER BY seq DESC LIMIT ? OFFSET ?`)
    .all(list, ...values, limit, offset)
  return { total: Number(total?.count ?? 0n), rows }
}
