/** Jobs, leases and results in network.db. */
import {
  ALREADY_CREDITED_MESSAGE,
  BUYER_PRIORITY,
  isHeldBy,
  type Buyer,
  type CoordinatorStore,
  type QueuedJob,
  type StoredJobState,
} from '../store'
import { chooseQueued } from '../queue-order'
import { macFormula } from '#shared/domain/manifest'
import { EncodedInput } from '#shared/domain/encoded-input'
import { jobKind } from '#shared/domain/job'
import { refusalCode } from '#shared/protocol/refusal'
import { z } from 'zod'
import { guarded, transaction, type NetworkDatabase } from './database'
import { insertReceipt, parseReceipt } from './receipt-rows'

type JobStore = Pick<
  CoordinatorStore,
  | 'addJob'
  | 'job'
  | 'jobInput'
  | 'leaseNextJob'
  | 'expireLeases'
  | 'renewLease'
  | 'releaseJob'
  | 'cancelJob'
  | 'acceptResult'
  | 'refuseResult'
>

interface JobColumns {
  id: string
  kind: string
  model: string
  input_hash: string
  buyer: string
  known_text: string | null
  created_at: bigint
  deadline: bigint | null
  state: string
  attempts: bigint
  lease_rig: string | null
  lease_expires_at: bigint | null
  lease_formula: string | null
  message: string | null
  result_signature: string | null
  refusal: string | null
  signed: string | null
}

export function createJobStore(database: NetworkDatabase): JobStore {
  const statements = prepare(database)
  const inTransaction = async <T>(change: () => T): Promise<T> => transaction(database, change)
  const look = async <T>(find: () => T): Promise<T> => guarded(database, find)
  const find = (id: string): QueuedJob | undefined => {
    const row = statements.job.get(id) as JobColumns | undefined
    return row && recordOf(row)
  }
  const held = (id: string, rig: string): QueuedJob | undefined => {
    const job = find(id)
    return job && isHeldBy(job, rig) ? job : undefined
  }
  const end = (id: string, state: 'done' | 'failed' | 'cancelled', message: string | null): void => {
    statements.end.run(state, message, id)
    statements.removeInput.run(id)
  }
  const queueOrFail = (job: QueuedJob, retry: boolean, maximumAttempts: number, message: string): void => {
    if (retry && job.attempts < maximumAttempts) statements.queue.run(job.id)
    else end(job.id, 'failed', message)
  }

  return {
    addJob: (job, lease) =>
      inTransaction(() => {
        const { id, kind, model, input, buyer, knownText, createdAt, deadline } = job
        const { changes } = statements.add.run({
          id,
          kind,
          model,
          inputHash: input.hash,
          buyer,
          priority: BUYER_PRIORITY[buyer],
          knownText: knownText ? JSON.stringify(knownText) : null,
          createdAt,
          deadline: deadline ?? null,
          state: lease ? 'leased' : 'queued',
          attempts: lease ? 1 : 0,
          rig: lease?.rig ?? null,
          expiresAt: lease?.expiresAt ?? null,
          formula: lease ? JSON.stringify(lease.formula) : null,
        })
        if (changes === 1) statements.addInput.run(id, input.text)
        return changes === 1
      }),
    job: (id) => look(() => find(id)),
    jobInput: (id) =>
      look(() => {
        const row = statements.input.get(id) as { kind: string; text: string; hash: string } | undefined
        return row && EncodedInput.stored({ ...row, kind: jobKind.parse(row.kind) })
      }),

    leaseNextJob: ({ rig, offers, syntheticJobs, now, expiresAt }) =>
      inTransaction(() => {
        const lastPriority = syntheticJobs ? BUYER_PRIORITY.sample : BUYER_PRIORITY.gateway
        // Of each model the oldest job and the job with the next deadline: `chooseQueued` chooses no other.
        const candidates = offers.flatMap((offer, rank) => {
          const usualMilliseconds = offer.usualMilliseconds ?? 0
          const soonest = Math.ceil(now + usualMilliseconds)
          const rows = [statements.nextQueued, statements.nextDue].flatMap((next) => {
            const row = next.get(offer.model, offer.kind, lastPriority, soonest) as QueuedRow | undefined
            return row ? [row] : []
          })
          return rows.map((row) => candidateOf(row, { rank, usualMilliseconds, formula: offer.formula }))
        })
        const first = chooseQueued(candidates, now)
        if (!first) return undefined
        statements.lease.run(rig, expiresAt, JSON.stringify(first.formula), first.id)
        return find(first.id)
      }),
    expireLeases: async ({ now, maximumAttempts, message, late }) => {
      if (guarded(database, () => statements.late.get(now)) !== undefined) {
        transaction(database, () => {
          for (const id of statements.late.all(now) as string[]) end(id, 'failed', late)
        })
      }
      // This is called often and rarely has work: a write transaction only if a lease has expired.
      if (guarded(database, () => statements.expired.get(now)) === undefined) return
      transaction(database, () => {
        for (const id of statements.expired.all(now) as string[]) {
          const job = find(id)
          if (job) queueOrFail(job, true, maximumAttempts, message)
        }
      })
    },
    renewLease: ({ job: id, rig, expiresAt }) =>
      inTransaction(() => {
        if (!held(id, rig)) return false
        statements.renew.run(expiresAt, id)
        return true
      }),
    releaseJob: ({ job: id, rig, retry, maximumAttempts, message }) =>
      inTransaction(() => {
        const job = held(id, rig)
        if (!job) return false
        queueOrFail(job, retry, maximumAttempts, message)
        statements.clearLease.run(id)
        return true
      }),
    cancelJob: (id) =>
      inTransaction(() => {
        const state = find(id)?.state
        if (state !== 'queued' && state !== 'leased') return false
        end(id, 'cancelled', null)
        return true
      }),

    acceptResult: ({ job: id, rig, signature, receipt }) =>
      inTransaction(() => {
        const job = find(id)
        if (!job) return 'lease-lost'
        if (job.resultSignature === signature) return 'repeated'
        if (!isHeldBy(job, rig)) return 'lease-lost'
        if (statements.creditWork.run(receipt.body.epoch, job.model, job.inputHash).changes === 0) {
          end(id, 'done', ALREADY_CREDITED_MESSAGE)
          statements.judge.run(signature, 'already-credited', null, id)
          return 'already-credited'
        }
        insertReceipt(database, receipt)
        end(id, 'done', null)
        statements.judge.run(signature, null, receipt.id, id)
        return 'accepted'
      }),
    refuseResult: ({ job: id, rig, signature, code, retry, maximumAttempts, message }) =>
      inTransaction(() => {
        const job = held(id, rig)
        if (!job) return false
        queueOrFail(job, retry, maximumAttempts, message)
        statements.clearLease.run(id)
        statements.judge.run(signature, code, null, id)
        statements.explain.run(message, id)
        return true
      }),
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

const knownLines = z.array(z.string())

function recordOf(row: JobColumns): QueuedJob {
  const { id, model, message, signed } = row
  const record: QueuedJob = {
    id,
    model,
    kind: jobKind.parse(row.kind),
    inputHash: row.input_hash,
    buyer: row.buyer as Buyer,
    createdAt: Number(row.created_at),
    state: row.state as StoredJobState,
    attempts: Number(row.attempts),
  }
  if (row.known_text !== null) record.knownText = knownLines.parse(JSON.parse(row.known_text))
  if (row.lease_rig !== null && row.lease_formula !== null) {
    const formula = macFormula.parse(JSON.parse(row.lease_formula))
    record.lease = { rig: row.lease_rig, expiresAt: Number(row.lease_expires_at), formula }
  }
  if (message !== null) record.message = message
  if (row.deadline !== null) record.deadline = Number(row.deadline)
  if (row.result_signature !== null) record.resultSignature = row.result_signature
  if (row.refusal !== null) record.refusal = refusalCode.parse(row.refusal)
  if (signed !== null) record.receipt = parseReceipt(signed)
  return record
}

function prepare(database: NetworkDatabase) {
  return {
    add: database.prepare(
      `INSERT INTO jobs (id, kind, model, input_hash, buyer, priority, known_text, created_at, deadline, state, attempts,
         lease_rig, lease_expires_at, lease_formula)
       VALUES (@id, @kind, @model, @inputHash, @buyer, @priority, @knownText, @createdAt, @deadline, @state, @attempts,
         @rig, @expiresAt, @formula) ON CONFLICT (id) DO NOTHING`,
    ),
    addInput: database.prepare('INSERT INTO job_inputs (job, input) VALUES (?, ?)'),
    input: database.prepare(
      `SELECT jobs.kind, job_inputs.input AS text, jobs.input_hash AS hash
       FROM job_inputs JOIN jobs ON jobs.id = job_inputs.job WHERE job_inputs.job = ?`,
    ),
    removeInput: database.prepare('DELETE FROM job_inputs WHERE job = ?'),
    job: database.prepare(
      'SELECT jobs.*, receipts.signed FROM jobs LEFT JOIN receipts ON receipts.id = jobs.receipt WHERE jobs.id = ?',
    ),
    nextQueued: database.prepare(
      `SELECT id, priority, sequence, created_at, deadline FROM jobs
       WHERE state = 'queued' AND model = ? AND kind = ? AND priority <= ? AND (deadline IS NULL OR deadline >= ?)
       ORDER BY priority, sequence LIMIT 1`,
    ),
    nextDue: database.prepare(
      `SELECT id, priority, sequence, created_at, deadline FROM jobs
       WHERE state = 'queued' AND model = ? AND kind = ? AND priority <= ? AND deadline >= ?
       ORDER BY priority, deadline, sequence LIMIT 1`,
    ),
    late: database.prepare(`SELECT id FROM jobs WHERE state = 'queued' AND deadline < ? LIMIT 100`).pluck(),
    expired: database.prepare(`SELECT id FROM jobs WHERE state = 'leased' AND lease_expires_at < ? LIMIT 100`).pluck(),
    lease: database.prepare(
      `UPDATE jobs SET state = 'leased', attempts = attempts + 1, lease_rig = ?, lease_expires_at = ?, lease_formula = ?
       WHERE id = ?`,
    ),
    renew: database.prepare(`UPDATE jobs SET state = 'leased', lease_expires_at = ? WHERE id = ?`),
    queue: database.prepare(`UPDATE jobs SET state = 'queued' WHERE id = ?`),
    clearLease: database.prepare(
      'UPDATE jobs SET lease_rig = NULL, lease_expires_at = NULL, lease_formula = NULL WHERE id = ?',
    ),
    end: database.prepare('UPDATE jobs SET state = ?, message = ?, known_text = NULL WHERE id = ?'),
    judge: database.prepare('UPDATE jobs SET result_signature = ?, refusal = ?, receipt = ? WHERE id = ?'),
    explain: database.prepare('UPDATE jobs SET message = ? WHERE id = ?'),
    creditWork: database.prepare(
      'INSERT INTO credited_work (epoch, model, input_hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
  }
}
