/**
 * Leads to version 6: 0006-held.sql, then the new word and a new seal for each refused credit. A row whose old seal does not
 * fit was damaged before: it keeps both, so that `lode ledger verify` goes on reporting it. All other rows keep seals of
 * version 1, which stay valid. Triggers move the sums with each row, so that a wrong sum stays wrong.
 */
import type Database from 'better-sqlite3'
import { isSealed, sealOf, type CreditRecord } from '../seal'
import tables from './0006-held.sql?raw'

const ROWS = 500

export function ledger0006(db: Database.Database): void {
  db.exec(tables)
  db.exec("INSERT INTO state_transitions (subject, from_state, to_state) VALUES ('credit', 'rejected', 'refused')")
  const page = db
    .prepare<[bigint], CreditRecord>(
      `SELECT * FROM credits WHERE state = 'rejected' AND seq > ? ORDER BY seq LIMIT ${ROWS}`,
    )
    .safeIntegers()
  const reword = db.prepare<[string, bigint]>(
    "UPDATE credits SET state = 'refused', seal = ?, seal_version = 2 WHERE seq = ?",
  )
  for (let last = -(2n ** 63n); ;) {
    const rows = page.all(last)
    for (const row of rows) {
      if (isSealed(row)) reword.run(sealOf({ ...row, state: 'refused', seal_version: 2n }), row.seq)
      last = row.seq
    }
    if (rows.length < ROWS) break
  }
  db.exec("DELETE FROM state_transitions WHERE subject = 'credit' AND from_state = 'rejected'")
  // What is left of the former word's sums and is not nothing belongs to damaged rows, or was wrong before.
  for (const [sums, figures] of [
    ['credit_quarters', ['count', 'macs_high', 'macs_low', 'credit_high', 'credit_low']],
    ['credit_epochs', ['count', 'credit_high', 'credit_low']],
    ['credit_sums', ['count', 'credit_high', 'credit_low']],
  ] as const) {
    db.exec(
      `DELETE FROM ${sums} WHERE state = 'rejected' AND ${figures.map((figure) => `${figure} = 0`).join(' AND ')}`,
    )
  }
}
