/** Credits as the Earnings screen lists them. */
import type { CreditLine, CreditRow } from '#shared/contract/earnings'
import { receiptBody } from '#shared/domain/protocol'
import type { Db } from './database'
import type { CreditRecord } from './seal'
import type { LedgerReader } from './types'

type ListedCredit = CreditRecord & { device_name: string | null; body: string | null }

const SELECT = `SELECT credits.*, devices.name AS device_name, receipts.body
  FROM credits LEFT JOIN devices ON devices.id = credits.device LEFT JOIN receipts ON receipts.id = credits.receipt`

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

export function toCreditLine(row: CreditRecord): CreditLine {
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
    state: row.state,
    ...(row.reason === null ? {} : { reason: row.reason }),
    receipt: row.receipt,
  }
}

function toCreditRow(row: ListedCredit): CreditRow {
  const verification = row.body === null ? null : receiptBody.parse(JSON.parse(row.body)).verification
  return { ...toCreditLine(row), verification, deviceName: row.device_name ?? row.device }
}
