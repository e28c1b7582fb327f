/** Receipts in network.db: written with the share or job they acknowledge. */
import type { Receipt } from '#shared/protocol/receipt'
import { storedReceipt } from '#shared/protocol/stored'
import type { Signed } from '#shared/domain/signed'
import type { NetworkDatabase } from './database'

/** Within the caller's transaction. */
export function insertReceipt(database: NetworkDatabase, receipt: Signed<Receipt>): void {
  const { epoch, creditMacs } = receipt.body
  database
    .prepare('INSERT INTO receipts (id, epoch, credit_macs, signed) VALUES (?, ?, ?, ?)')
    .run(receipt.id, epoch, BigInt(creditMacs), JSON.stringify(receipt))
}

export function parseReceipt(text: string): Signed<Receipt> {
  return storedReceipt.parse(JSON.parse(text))
}
