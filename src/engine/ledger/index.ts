/** The ledger: every unit, share, job, credit and receipt in ledger.db, and metrics apart in metrics.db. */
export type * from './types'
export type * from './metrics-types'
export { creditsAsCsv } from './export'
export { acquireEngineLock, ensureFolder } from './lock'
export { openLedger, openLedgerReadOnly } from './open'
export { openMetrics } from './metrics'
