import type { Db } from './database'
import { joinSum } from './sums'

interface SumRow {
  name: string
  count: bigint
  high: bigint
  low: bigint
}

const HIGH_LOW = 'count(*) AS count, sum(credit_macs / 1000000000) AS high, sum(credit_macs % 1000000000) AS low'
const STORED = 'sum(count) AS count, sum(credit_high) AS high, sum(credit_low) AS low'
const MACS_HIGH_LOW = 'count(*) AS count, sum(macs / 1000000000) AS high, sum(macs % 1000000000) AS low'
const MACS_STORED = 'sum(count) AS count, sum(macs_high) AS high, sum(macs_low) AS low'

/** Every stored sum: its name, the query that recomputes it from its rows, and the query that reads it. */
const SUMS: readonly [string, string, string][] = [
  [
    'the total of credit',
    `SELECT state AS name, ${HIGH_LOW} FROM credits GROUP BY state`,
    `SELECT state AS name, ${STORED} FROM credit_sums GROUP BY state`,
  ],
  [
    'the credit of epoch',
    `SELECT network || ' ' || epoch || ' ' || state AS name, ${HIGH_LOW} FROM credits GROUP BY network, epoch, state`,
    `SELECT network || ' ' || epoch || ' ' || state AS name, ${STORED} FROM credit_epochs GROUP BY network, epoch, state`,
  ],
  [
    'the credit of quarter',
    `SELECT (at / 900000) || ' ' || work_kind || ' ' || state AS name, ${HIGH_LOW} FROM credits GROUP BY at / 900000, work_kind, state`,
    `SELECT quarter || ' ' || work_kind || ' ' || state AS name, ${STORED} FROM credit_quarters GROUP BY quarter, work_kind, state`,
  ],
  [
    'the work of quarter',
    `SELECT (at / 900000) || ' ' || work_kind || ' ' || state AS name, ${MACS_HIGH_LOW} FROM credits GROUP BY at / 900000, work_kind, state`,
    `SELECT quarter || ' ' || work_kind || ' ' || state AS name, ${MACS_STORED} FROM credit_quarters GROUP BY quarter, work_kind, state`,
  ],
  [
    'the count of jobs in block',
    `SELECT (seq >> 12) || ' ' || kind || ' ' || state || ' ' || ifnull(device, '') || ' ' || model AS name, count(*) AS count, 0 AS high, 0 AS low
     FROM work GROUP BY 1`,
    "SELECT block || ' ' || kind || ' ' || state || ' ' || device || ' ' || model AS name, count, 0 AS high, 0 AS low FROM work_counts",
  ],
]

/** Reports each sum that differs from its rows. */
export function checkSums(db: Db, report: (problem: string) => void): void {
  for (const [what, recomputed, stored] of SUMS) {
    const rows = new Map(
      db
        .prepare<[], SumRow>(recomputed)
        .all()
        .map((row) => [row.name, row]),
    )
    for (const sum of db.prepare<[], SumRow>(stored).all()) {
      if (!equal(rows.get(sum.name), sum)) report(`${what} ${sum.name} is not the sum of its rows`)
      rows.delete(sum.name)
    }
    for (const [name] of rows) report(`${what} ${name} is missing`)
  }
}

function equal(rows: SumRow | undefined, sum: SumRow): boolean {
  const none = { count: 0n, high: 0n, low: 0n }
  const expected = rows ?? none
  return expected.count === sum.count && joinSum(expected.high, expected.low) === joinSum(sum.high, sum.low)
}
