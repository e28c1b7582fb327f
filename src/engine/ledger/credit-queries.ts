/** Credits as the Earnings screen lists them. */
import type { CreditLine, CreditRow } from '#shared/contract/earnings'
import { receiptBody } from '#shared/protocol/receipt'
import type { Db } from './database'
import { creditStateOf, type CreditRecord } from './seal'
import type { LedgerReader } from './types'
import type { WorkRecord } from './work-page'

/** A credit with the energy and sizes of its work. */
export type CreditWithWork = CreditRecord &
  Pick<WorkRecord, 'model' | 'joules' | 'joules_certainty' | 'milliseconds' | 'tokens_in' | 'tokens_out'>
type ListedCredit = CreditWithWork & {
  device_name: string | null
  body: string | null
  announced_factor: bigint | null
  announced_credit: bigint | null
}

/** The columns of `CreditWithWork` beside `credits.*`, joined by CREDIT_WORK. */
export const WORK_COLUMNS =
  'work.model, work.joules, work.joules_certainty, work.milliseconds, work.tokens_in, work.tokens_out'
export const CREDIT_WORK = 'JOIN work ON work.seq = credits.work'

const SELECT = `SELECT credits.*, ${WORK_COLUMNS}, devices.name AS device_name, receipts.body,
    disputes.factor_milli AS announced_factor, disputes.credit_macs AS announced_credit
  FROM credits ${CREDIT_WORK} LEFT JOIN devices ON devices.id = credits.device LEFT JOIN receipts ON receipts.id = credits.receipt
    LEFT JOIN disputes ON disputes.credit = credits.seq`

export function readCredits(db: Db): Pick<LedgerReader, 'creditPage' | 'creditRow'> {
  const last = db.prepare<[], { last: bigint | null }>('SELECT max(seq) AS last FROM credits')
  const page = db.prepare<[bigint, number], ListedCredit>(
    `${SELECT} WHERE credits.seq <= ? ORDER BY credits.seq DESC LIMIT ?`,
  )
  const one = db.prepare<[string], ListedCredit>(`${SELECT} WHERE credits.id = ?`)
  return {
    creditPage(offset, limit) {
      // Rows are counted without gaps and never deleted: the offset is a subtraction.
      const total = last.get()?.last ?? 0n
      return { total: Number(total), rows: page.all(total - BigInt(offset), limit).map(toCreditRow) }
    },
    creditRow(creditId) {
      const row = one.get(creditId)
      return row === undefined ? null : toCreditRow(row)
    },
  }
}

export function toCreditLine(row: CreditWithWork): CreditLine {
  return {
    id: row.id,
    at: new Date(Number(row.at)).toISOString(),
    network: row.network,
    rig: row.rig,
    device: row.device,
    kind: row.kind,
    ref: row.ref,
    macs: String(row.macs),
    factorMilli: String(row.factor_milli),
    creditMacs: String(row.credit_macs),
    state: creditStateOf(row),
    ...(row.reason === null ? {} : { reason: row.reason }),
    receipt: row.receipt,
    model: row.model,
    joules: row.joules,
    joulesCertainty: row.joules_certainty,
    milliseconds: row.milliseconds,
    tokensIn: row.tokens_in === null ? null : Number(row.tokens_in),
    tokensOut: row.tokens_out === null ? null : Number(row.tokens_out),
  }
}

function toCreditRow(row: ListedCredit): CreditRow {
  const verification = row.body === null ? null : receiptBody.parse(JSON.parse(row.body)).verification
  const { announced_factor: factor, announced_credit: credit } = row
  const disputed =
    factor === null || credit === null ? null : { factorMilli: String(factor), creditMacs: String(credit) }
  return { ...toCreditLine(row), verification, deviceName: row.device_name ?? row.device, disputed }
}
