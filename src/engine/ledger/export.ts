/** The whole ledger of credits, a line each: JSON lines by the caller, CSV here. */
import type { CreditLine } from '#shared/contract/earnings'
import { CREDIT_WORK, toCreditLine, WORK_COLUMNS, type CreditWithWork } from './credit-queries'
import type { Db } from './database'
import type { CreditRange } from './types'

const PAGE_ROWS = 1000

/** Oldest first. Read in pages, each a statement of its own, so that the engine may write in between; what is added meanwhile is included. */
export function* exportCredits(db: Db, range: CreditRange): Iterable<CreditLine> {
  const page = db.prepare<[bigint, bigint, bigint, number], CreditWithWork>(
    `SELECT credits.*, ${WORK_COLUMNS} FROM credits ${CREDIT_WORK}
     WHERE (credits.at, credits.seq) > (?, ?) AND credits.at < ? ORDER BY credits.at, credits.seq LIMIT ?`,
  )
  let at = BigInt(range.from ?? 0)
  const end = BigInt(range.to ?? Number.MAX_SAFE_INTEGER)
  for (let seq = 0n; ;) {
    const rows = page.all(at, seq, end, PAGE_ROWS)
    for (const row of rows) yield toCreditLine(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    at = last.at
    seq = last.seq
  }
}

const COLUMNS = [
  'id',
  'at',
  'network',
  'rig',
  'device',
  'kind',
  'ref',
  'macs',
  'factorMilli',
  'creditMacs',
  'state',
  'reason',
  'receipt',
  'model',
  'joules',
  'joulesCertainty',
  'milliseconds',
  'tokensIn',
  'tokensOut',
] as const satisfies (keyof CreditLine)[]

/** RFC 4180 with a header row; cells that a spreadsheet would run as a formula begin with an apostrophe. One line at a time, each with its CRLF. */
export function* creditsAsCsv(lines: Iterable<CreditLine>): Iterable<string> {
  yield `${COLUMNS.join(',')}\r\n`
  for (const line of lines) yield `${COLUMNS.map((column) => csvCell(String(line[column] ?? ''))).join(',')}\r\n`
}

function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
