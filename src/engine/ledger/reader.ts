/** The reading side of the ledger: all queries in one object. */
import type { ElectricityPrice } from '#shared/domain/electricity'
import { readCredits } from './credit-queries'
import { exportCredits } from './export'
import type { Db } from './database'
import { readJobs } from './job-queries'
import { readRecords } from './record-queries'
import { readTotals } from './total-queries'
import type { LedgerReader } from './types'
import { verifyInSteps } from './verify'
import { readWorkPages } from './work-page'

/** `electricity`: its present price; absent: rows have no cost. */
export function createReader(db: Db, file: string, electricity?: () => ElectricityPrice): LedgerReader {
  return {
    file,
    ...readTotals(db),
    ...readCredits(db),
    ...readWorkPages(db, electricity),
    ...readJobs(db, electricity),
    ...readRecords(db),
    exportCredits: (range = {}) => exportCredits(db, range),
    verifyInSteps: (options) => verifyInSteps(db, options),
    verify(options) {
      const steps = verifyInSteps(db, options)
      for (;;) {
        const step = steps.next()
        if (step.done === true) return step.value
      }
    },
    close() {
      db.close()
    },
  }
}
