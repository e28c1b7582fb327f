/** The ledger: every unit, share, job, credit and receipt in ledger.db, and metrics apart in metrics.db. */
import type { CreditLine } from '#shared/contract/earnings'
import type { EngineLock, Ledger, LedgerReader, OpenLedgerOptions } from './types'
import type { Metrics, OpenMetricsOptions } from './metrics-types'

export type * from './types'
export type * from './metrics-types'

/** Takes the data folder for this process, or throws `already-running` with the other's process id when engine.json has it. */
export declare function acquireEngineLock(folder: string): EngineLock
/** Call with the lock held. Throws `ledger-damaged`, `ledger-newer` or `data-folder`. */
export declare function openLedger(options: OpenLedgerOptions): Ledger
/** For commands, with or without a running engine. Null: there is no ledger yet. Throws as `openLedger`. */
export declare function openLedgerReadOnly(folder: string): LedgerReader | null
/** A damaged metrics.db is set aside and begun anew; where even that fails, metrics live in memory. */
export declare function openMetrics(options: OpenMetricsOptions): Metrics
/** RFC 4180 with a header row; cells that a spreadsheet would run as a formula are quoted with an apostrophe. One line at a time, each with its CRLF. */
export declare function creditsAsCsv(lines: Iterable<CreditLine>): Iterable<string>
