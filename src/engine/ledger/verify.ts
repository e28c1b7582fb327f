/**
 * Checks the whole ledger: the file itself, each credit's seal, amount and receipt, each signature, each state and the steps
 * to it, and every sum. It reads row by row, so that memory stays small.
 */
import { z } from 'zod'
import type { VerifyReport } from '#shared/contract/earnings'
import { creditMacs } from '#shared/domain/credit'
import { keptJobResult } from '#shared/protocol/job'
import { signedReceipt } from '#shared/protocol/receipt'
import { signedShare } from '#shared/protocol/share'
import { canonicalText, isGenuine } from '#shared/domain/signed'
import { isDamage, type Db } from './database'
import { type CreditRecord, sealOf } from './seal'
import type { VerifyOptions } from './types'
import { checkPaths } from './verify-paths'
import { checkSums } from './verify-sums'

const PAGE_ROWS = 250
const MOST_PROBLEMS = 100

type CheckedCredit = CreditRecord & {
  receipt_body: string | null
  receipt_key: string | null
  receipt_signature: string | null
  work_state: string | null
  work_kind_of_row: string | null
  work_macs: bigint | null
  work_credit: bigint | null
  work_factor: bigint | null
  signed: string | null
}

const CREDITS = `SELECT credits.*, receipts.body AS receipt_body, receipts.key AS receipt_key, receipts.signature AS receipt_signature,
    work.state AS work_state, work.kind AS work_kind_of_row, work.macs AS work_macs, work.factor_milli AS work_factor,
    work.credit_macs AS work_credit, ifnull(shares.signed, jobs.signed) AS signed
  FROM credits LEFT JOIN receipts ON receipts.id = credits.receipt LEFT JOIN work ON work.seq = credits.work
    LEFT JOIN shares ON shares.work = credits.work LEFT JOIN jobs ON jobs.work = credits.work
  WHERE credits.seq > ? ORDER BY credits.seq LIMIT ${PAGE_ROWS}`

export function* verifyInSteps(
  db: Db,
  options: VerifyOptions,
): Generator<{ checked: number; total: number }, VerifyReport> {
  const problems: string[] = []
  const report = (problem: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(problem)
    else if (problems.length === MOST_PROBLEMS) problems.push('There are more problems than are listed here.')
  }
  let credits = 0
  let receipts = 0
  let sum = 0n
  try {
    const total = Number(db.prepare('SELECT ifnull(max(seq), 0) FROM credits').pluck().get())
    yield* checkFile(db, report, total)
    const page = db.prepare<[bigint], CheckedCredit>(CREDITS)
    for (let last = 0n; ;) {
      const rows = page.all(last)
      for (const row of rows) {
        for (const problem of problemsOf(row, last, options)) report(`credit ${row.id}: ${problem}`)
        if (row.receipt !== null) sum += row.credit_macs
        last = row.seq
        credits += 1
      }
      if (rows.length < PAGE_ROWS) break
      yield { checked: credits, total: Math.max(total, credits) }
    }
    receipts = Number(db.prepare('SELECT count(*) FROM receipts').pluck().get())
    const lastReceipt = Number(db.prepare('SELECT ifnull(max(seq), 0) FROM receipts').pluck().get())
    if (lastReceipt !== receipts) report('receipts are missing between the first and the last')
    const lone = db.prepare<[], { id: string }>(
      'SELECT id FROM receipts WHERE NOT EXISTS (SELECT 1 FROM credits WHERE credits.receipt = receipts.id) LIMIT 100',
    )
    for (const { id } of lone.all()) report(`receipt ${id}: no credit has it`)
    yield* checkPaths(db, report, credits)
    checkSums(db, report)
  } catch (error) {
    // A row that cannot be read is a finding of the check, not a failure of it.
    if (!isDamage(error) && !(error instanceof z.ZodError) && !(error instanceof SyntaxError)) throw error
    report(`the ledger cannot be read to its end: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { ok: problems.length === 0, credits, receipts, creditMacs: String(sum), problems }
}

/** Runs SQLite's own check of pages, rows, constraints and indexes, a table at a time. */
function* checkFile(
  db: Db,
  report: (problem: string) => void,
  total: number,
): Generator<{ checked: number; total: number }, void> {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[]
  for (const table of tables) {
    const rows = db.prepare(`PRAGMA integrity_check(${table})`).pluck().all() as string[]
    for (const row of rows) if (row !== 'ok') report(`file: ${row}`)
    yield { checked: 0, total }
  }
  const orphans = db.pragma('foreign_key_check') as { table: string; rowid: bigint | null; parent: string }[]
  for (const { table, rowid, parent } of orphans) report(`${table} ${rowid}: its row in ${parent} is missing`)
}

function* problemsOf(row: CheckedCredit, last: bigint, options: VerifyOptions): Generator<string> {
  if (row.seq !== last + 1n) yield `${row.seq - last - 1n} rows before it are missing`
  if (sealOf(row) !== row.seal) yield 'the row was changed after it was written'
  if (creditMacs(row.macs, row.factor_milli) !== row.credit_macs) yield 'credit is not work × factor'
  if (row.kind !== (row.work_kind === 'proof' ? 'share' : 'job') || row.work_kind !== row.work_kind_of_row)
    yield 'kind does not fit its work'
  if ((row.state === 'confirmed' || row.state === 'paid' ? 'accepted' : row.state) !== row.work_state) {
    yield `it is ${row.state}, its work is ${row.work_state}`
  }
  if (row.macs !== row.work_macs || row.credit_macs !== row.work_credit || row.factor_milli !== row.work_factor) {
    yield 'figures differ from those of its work'
  }
  yield* signedWorkProblems(row, options)
  yield* receiptProblems(row, options)
}

function* signedWorkProblems(row: CheckedCredit, { signatures }: VerifyOptions): Generator<string> {
  const type = row.kind === 'share' ? 'share' : 'job-result'
  const schema = row.kind === 'share' ? signedShare : keptJobResult
  const signed = schema.safeParse(parseJson(row.signed))
  if (!signed.success) {
    yield `its signed ${type} is missing or malformed`
    return
  }
  if (signed.data.id !== row.ref) yield `it names another ${type} than is stored`
  if (signed.data.body.rig !== row.rig || signed.data.body.network !== row.network)
    yield `rig or network differ from its signed ${type}`
  if (!isGenuine(type, signed.data, signatures, row.rig)) yield `the signature of its ${type} is wrong`
}

function* receiptProblems(row: CheckedCredit, { signatures, networkKeys }: VerifyOptions): Generator<string> {
  const isAccepted = row.state === 'accepted' || row.state === 'confirmed' || row.state === 'paid'
  if (isAccepted !== (row.receipt !== null))
    yield `it is ${row.state} ${row.receipt === null ? 'without a' : 'with a'} receipt`
  if (row.receipt === null) return
  const parsed = signedReceipt.safeParse({
    body: parseJson(row.receipt_body),
    id: row.receipt,
    key: row.receipt_key,
    signature: row.receipt_signature,
  })
  if (!parsed.success) {
    yield 'its receipt is missing or malformed'
    return
  }
  const signed = parsed.data
  const { body } = signed
  if (canonicalText(body) !== row.receipt_body) yield 'its receipt is not stored as it was signed'
  if (!isGenuine('receipt', signed, signatures) || !(networkKeys?.[body.network]?.includes(signed.key) ?? true))
    yield 'the signature of its receipt is wrong'
  const same =
    body.network === row.network &&
    body.rig === row.rig &&
    BigInt(body.epoch) === row.epoch &&
    body.kind === row.kind &&
    body.ref === row.ref &&
    BigInt(body.macs) === row.macs &&
    BigInt(body.factorMilli) === row.factor_milli &&
    BigInt(body.creditMacs) === row.credit_macs
  if (!same) yield 'it differs from its receipt'
}

function parseJson(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
