import { JOB_TRANSITIONS, jobState } from '#shared/domain/states'
import type { Db } from './database'

const ROWS = 2000n

/** Checks that each job and share began in an allowed state and reached its state by allowed changes, in the order of time. */
export function* checkPaths(
  db: Db,
  report: (problem: string) => void,
  checked: number,
): Generator<{ checked: number; total: number }, void> {
  const last = BigInt(db.prepare('SELECT ifnull(max(seq), 0) FROM work').pluck().get() as bigint)
  const steps = db.prepare<
    [bigint, bigint],
    { seq: bigint; id: string; kind: string; now: string; ordinal: bigint | null; state: string | null }
  >(
    `SELECT work.seq, work.id, work.kind, work.state AS now, work_path.ordinal, work_path.state
     FROM work LEFT JOIN work_path ON work_path.work = work.seq
     WHERE work.seq > ? AND work.seq <= ? ORDER BY work.seq, work_path.ordinal`,
  )
  let previous: { seq: bigint; id: string; now: string; state: string | null; ordinal: bigint | null } | null = null
  const endOf = (path: typeof previous): void => {
    if (path !== null && path.state !== path.now)
      report(`work ${path.id}: it is ${path.now}, its path ends with ${path.state ?? 'nothing'}`)
  }
  for (let from = 0n; from < last; from += ROWS) {
    for (const step of steps.all(from, from + ROWS)) {
      if (previous?.seq === step.seq) {
        if (!mayFollow(previous.state, step.state) || step.ordinal !== (previous.ordinal ?? 0n) + 1n) {
          report(`work ${step.id}: ${step.state} cannot follow ${previous.state}`)
        }
      } else {
        endOf(previous)
        if (step.seq !== (previous?.seq ?? 0n) + 1n) report(`work ${step.id}: rows before it are missing`)
        const begin = step.kind === 'proof' ? 'submitted' : 'queued'
        if (step.state !== begin || step.ordinal !== 0n)
          report(`work ${step.id}: its path begins with ${step.state ?? 'nothing'}`)
      }
      previous = step
    }
    yield { checked, total: checked }
  }
  endOf(previous)
}

/** Work that was refused was called rejected before version 6, and such a ledger is read as it is. */
export function wordOfToday(state: string | null): string | null {
  return state === 'rejected' ? 'refused' : state
}

function mayFollow(from: string | null, to: string | null): boolean {
  const before = jobState.safeParse(wordOfToday(from))
  const after = jobState.safeParse(wordOfToday(to))
  return before.success && after.success && JOB_TRANSITIONS[before.data].includes(after.data)
}
