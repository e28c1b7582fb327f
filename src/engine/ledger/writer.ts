/** The writing side of the ledger: all writers in one object. */
import type { Db } from './database'
import { writeCredits } from './credit-writer'
import { writeJobs } from './job-writer'
import { writeRecords } from './record-writer'
import type { Ledger, LedgerReader, WriterContext } from './types'

export function createWriter(db: Db, context: WriterContext): Omit<Ledger, keyof LedgerReader | 'backUpIfDue'> {
  return { ...writeRecords(db, context), ...writeJobs(db, context), ...writeCredits(db, context) }
}
