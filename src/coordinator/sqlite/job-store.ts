/** Jobs in network.db: read, compared and set. What they may become is said in ../transitions.ts. */
import {
  BUYER_PRIORITY,
  type Buyer,
  type CoordinatorStore,
  type JobSetOutcome,
  type QueuedJob,
  type StoredJobState,
} from '../store'
import { chooseQueued } from '../queue-order'
import { isEnded, isForgotten } from '../transitions'
import { macFormula } from '#shared/domain/manifest'
import { EncodedInput } from '#shared/domain/encoded-input'
import { jobKind } from '#shared/domain/job'
import { modelFactor } from '#shared/protocol/parameters'
import { refusalCode } from '#shared/protocol/refusal'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { guarded, transaction, type NetworkDatabase } from './database'
import { insertReceipt, parseReceipt } from './receipt-rows'

type JobStore = Pick<
  CoordinatorStore,
  'addJob' | 'heldJobs' | 'job' | 'jobInput' | 'nextQueuedJob' | 'dueJobs' | 'compareAndSetJob'
>

interface JobColumns {
  id: string
  kind: string
  model: string
  input_hash: string
  work_hash: string
  buyer: string
  known_text: string | null
  created_at: bigint
  deadline: bigint | null
  state: string
  attempts: bigint
  lease_rig: string | null
  lease_expires_at: bigint | null
  lease_formula: string | null
  lease_renewable_until: bigint | null
  lease_epoch: bigint | null
  lease_factor: string | null
  declined_by: string | null
  message: string | null
  delivery: string | null
  refusal: string | null
  signed: string | null
}

/** Single jobs, inside the caller's transaction. */
export interface JobRows {
  find(id: string): QueuedJob | undefined
  /** Sets a job with its receipt, as `compareAndSetJob` says. */
  compareAndSet(expected: QueuedJob, next: QueuedJob): Exclude<JobSetOutcome, 'holds-most'>
}

export function createJobRows(database: NetworkDatabase): JobRows {
  const statements = prepare(database)
  const find = (id: string): QueuedJob | undefined => {
    const row = statements.job.get(id) as JobColumns | undefined
    return row && recordOf(row)
  }
  return {
    find,
    compareAndSet: (expected, next) => {
      const { id, receipt } = next
      if (!isDeepStrictEqual(find(id), expected)) return 'changed'
      if (receipt && !expected.receipt) {
        const { changes } = statements.creditWork.run(receipt.body.epoch, next.model, next.workHash)
        if (changes === 0) return 'already-credited'
        insertReceipt(database, receipt)
      }
      statements.set.run({ id, ...progressOf(next), receipt: receipt?.id ?? null })
      if (isEnded(next.state)) statements.removeInput.run(id)
      if (isForgotten(next)) statements.remove.run(id)
      return 'set'
    },
  }
}

export function createJobStore(database: NetworkDatabase): JobStore {
  const statements = prepare(database)
  const inTransaction = async <T>(change: () => T): Promise<T> => transaction(database, change)
  const look = async <T>(find: () => T): Promise<T> => guarded(database, find)
  const rows = createJobRows(database)
  const { find } = rows
  const holds = (rig: string): number => Number(statements.held.get(rig))
  const holdsMost = (rig: string, most: number | undefined): boolean => most !== undefined && holds(rig) >= most

  return {
    addJob: (job, input, mostHeld) =>
      inTransaction(() => {
        if (job.lease && holdsMost(job.lease.rig, mostHeld)) return false
        const { id, kind, model, inputHash, workHash, buyer, createdAt, deadline = null } = job
        const priority = BUYER_PRIORITY[buyer]
        const given = { id, kind, model, inputHash, workHash, buyer, priority, createdAt, deadline }
        const { changes } = statements.add.run({ ...given, ...progressOf(job) })
        if (changes === 1) statements.addInput.run(id, input.text)
        return changes === 1
      }),
    heldJobs: (rig) => look(() => holds(rig)),
    job: (id) => look(() => find(id)),
    jobInput: (id) =>
      look(() => {
        const row = statements.input.get(id) as { kind: string; text: string; hash: string } | undefined
        return row && EncodedInput.stored({ ...row, kind: jobKind.parse(row.kind) })
      }),

    nextQueuedJob: ({ rig, offers, syntheticJobs, now }) =>
      look(() => {
        const lastPriority = syntheticJobs ? BUYER_PRIORITY.sample : BUYER_PRIORITY.gateway
        // Of each model the oldest job and the job with the next deadline: `chooseQueued` chooses no other.
        const candidates = offers.flatMap((offer, rank) => {
          const usualMilliseconds = offer.usualMilliseconds ?? 0
          const soonest = Math.ceil(now + usualMilliseconds)
          const rows = [statements.nextQueued, statements.nextDue].flatMap((next) => {
            const row = next.get(offer.model, offer.kind, lastPriority, soonest, rig) as QueuedRow | undefined
            return row ? [row] : []
          })
          return rows.map((row) => candidateOf(row, { rank, usualMilliseconds }))
        })
        const first = chooseQueued(candidates, now)
        return first && find(first.id)
      }),
    dueJobs: (now, limit) =>
      look(() => {
        const ids = [statements.late, statements.expired].flatMap((due) => due.all(now, limit) as string[])
        return ids.flatMap((id) => find(id) ?? [])
      }),
    compareAndSetJob: (expected, next, mostHeld) =>
      inTransaction(() => {
        const isFull = next.lease !== undefined && holdsMost(next.lease.rig, mostHeld)
        if (isFull) return isDeepStrictEqual(find(next.id), expected) ? 'holds-most' : 'changed'
        return rows.compareAndSet(expected, next)
      }),
  }
}

/** The columns that change on a job's way, without its receipt. */
function progressOf(job: QueuedJob) {
  const { state, attempts, knownText, lease, declinedBy, message, delivery, refusal } = job
  return {
    state,
    attempts,
    knownText: knownText ? JSON.stringify(knownText) : null,
    rig: lease?.rig ?? null,
    expiresAt: lease?.expiresAt ?? null,
    formula: lease ? JSON.stringify(lease.formula) : null,
    renewableUntil: lease?.renewableUntil ?? null,
    epoch: lease?.epoch ?? null,
    factor: lease ? JSON.stringify(lease.factor) : null,
    declinedBy: declinedBy ? JSON.stringify(declinedBy) : null,
    message: message ?? null,
    delivery: delivery ?? null,
    refusal: refusal ?? null,
  }
}

interface QueuedRow {
  id: string
  priority: bigint
  sequence: bigint
  created_at: bigint
  deadline: bigint | null
}

function candidateOf<T>({ id, priority, sequence, created_at, deadline }: QueuedRow, offer: T) {
  return {
    ...offer,
    id,
    priority: Number(priority),
    sequence: Number(sequence),
    createdAt: Number(created_at),
    deadline: deadline === null ? null : Number(deadline),
  }
}

const texts = z.array(z.string())

function recordOf(row: JobColumns): QueuedJob {
  const { id, model, message, signed } = row
  const record: QueuedJob = {
    id,
    model,
    kind: jobKind.parse(row.kind),
    inputHash: row.input_hash,
    workHash: row.work_hash,
    buyer: row.buyer as Buyer,
    createdAt: Number(row.created_at),
    state: row.state as StoredJobState,
    attempts: Number(row.attempts),
  }
  if (row.known_text !== null) record.knownText = texts.parse(JSON.parse(row.known_text))
  if (row.lease_rig !== null && row.lease_formula !== null && row.lease_factor !== null) {
    record.lease = {
      rig: row.lease_rig,
      expiresAt: Number(row.lease_expires_at),
      renewableUntil: Number(row.lease_renewable_until),
      formula: macFormula.parse(JSON.parse(row.lease_formula)),
      epoch: Number(row.lease_epoch),
      factor: modelFactor.parse(JSON.parse(row.lease_factor)),
    }
  }
  if (row.declined_by !== null) record.declinedBy = texts.parse(JSON.parse(row.declined_by))
  if (message !== null) record.message = message
  if (row.deadline !== null) record.deadline = Number(row.deadline)
  if (row.delivery !== null) record.delivery = row.delivery
  if (row.refusal !== null) record.refusal = refusalCode.parse(row.refusal)
  if (signed !== null) record.receipt = parseReceipt(signed)
  return record
}

/** The rig has not said that no rig can do it. */
const NOT_DECLINED = `(declined_by IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(declined_by) WHERE value = ?))`

function prepare(database: NetworkDatabase) {
  return {
    add: database.prepare(
      `INSERT INTO jobs (id, kind, model, input_hash, work_hash, buyer, priority, known_text, created_at, deadline, state, attempts,
         lease_rig, lease_expires_at, lease_formula, lease_renewable_until, lease_epoch, lease_factor, declined_by,
         message, delivery, refusal)
       VALUES (@id, @kind, @model, @inputHash, @workHash, @buyer, @priority, @knownText, @createdAt, @deadline, @state, @attempts,
         @rig, @expiresAt, @formula, @renewableUntil, @epoch, @factor, @declinedBy,
         @message, @delivery, @refusal) ON CONFLICT (id) DO NOTHING`,
    ),
    addInput: database.prepare('INSERT INTO job_inputs (job, input) VALUES (?, ?)'),
    input: database.prepare(
      `SELECT jobs.kind, job_inputs.input AS text, jobs.input_hash AS hash
       FROM job_inputs JOIN jobs ON jobs.id = job_inputs.job WHERE job_inputs.job = ?`,
    ),
    held: database.prepare("SELECT count(*) FROM jobs WHERE state = 'leased' AND lease_rig = ?").pluck(),
    remove: database.prepare('DELETE FROM jobs WHERE id = ?'),
    removeInput: database.prepare('DELETE FROM job_inputs WHERE job = ?'),
    job: database.prepare(
      'SELECT jobs.*, receipts.signed FROM jobs LEFT JOIN receipts ON receipts.id = jobs.receipt WHERE jobs.id = ?',
    ),
    nextQueued: database.prepare(
      `SELECT id, priority, sequence, created_at, deadline FROM jobs
       WHERE state = 'queued' AND model = ? AND kind = ? AND priority <= ? AND (deadline IS NULL OR deadline >= ?)
         AND ${NOT_DECLINED}
       ORDER BY priority, sequence LIMIT 1`,
    ),
    nextDue: database.prepare(
      `SELECT id, priority, sequence, created_at, deadline FROM jobs
       WHERE state = 'queued' AND model = ? AND kind = ? AND priority <= ? AND deadline >= ?
         AND ${NOT_DECLINED}
       ORDER BY priority, deadline, sequence LIMIT 1`,
    ),
    late: database.prepare(`SELECT id FROM jobs WHERE state = 'queued' AND deadline < ? LIMIT ?`).pluck(),
    expired: database.prepare(`SELECT id FROM jobs WHERE state = 'leased' AND lease_expires_at < ? LIMIT ?`).pluck(),
    set: database.prepare(
      `UPDATE jobs SET state = @state, attempts = @attempts, known_text = @knownText, lease_rig = @rig,
         lease_expires_at = @expiresAt, lease_formula = @formula, lease_renewable_until = @renewableUntil,
         lease_epoch = @epoch, lease_factor = @factor, declined_by = @declinedBy, message = @message,
         delivery = @delivery, refusal = @refusal, receipt = @receipt
       WHERE id = @id`,
    ),
    creditWork: database.prepare(
      'INSERT INTO credited_work (epoch, model, work_hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
  }
}
