/** The ledger: every unit, share, job, credit and receipt in ledger.db, and metrics apart in metrics.db. */
export { creditsAsCsv } from './export'
export { acquireEngineLock, ensureFolder } from './lock'
export type { ActivityShares, Metrics } from './metrics-types'
export { openMetrics } from './metrics'
export { openLedger, openLedgerReadOnly } from './open'
export type { Ledger, LedgerReader, ModelTotal, OpenJob, Recovery } from './types'
export type { WorkEnergy } from '#shared/domain/energy'
