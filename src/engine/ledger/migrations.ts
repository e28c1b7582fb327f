/** Numbered migrations: append only. A file's number is the schema version it leads to. */
import type Database from 'better-sqlite3'
import ledger0001 from './migrations/0001-ledger.sql?raw'
import ledger0002 from './migrations/0002-model-totals.sql?raw'
import ledger0003 from './migrations/0003-benchmarks.sql?raw'
import ledger0004 from './migrations/0004-disputes.sql?raw'
import ledger0005 from './migrations/0005-kinds.sql?raw'
import { ledger0006 } from './migrations/0006-held'
import metrics0001 from './migrations/metrics-0001.sql?raw'

export interface Schema {
  /** written into the file's header, so that another program's database is not taken for Lode's */
  readonly applicationId: number
  /** SQL, or what SQL cannot do, that leads from version i to i + 1; called in a transaction */
  readonly migrations: readonly (string | ((db: Database.Database) => void))[]
  /** the oldest version that is read as it is: no later migration changed what a reader sees */
  readonly readableFrom: number
}

/** "Lode", as four bytes. */
export const ledgerSchema: Schema = {
  applicationId: 0x4c6f6465,
  migrations: [ledger0001, ledger0002, ledger0003, ledger0004, ledger0005, ledger0006],
  readableFrom: 4,
}
/** "LodM" */
export const metricsSchema: Schema = { applicationId: 0x4c6f644d, migrations: [metrics0001], readableFrom: 1 }
