/** Deliveries in network.db: kept, compared and set. What they may become is said in ../transitions.ts. */
import { isDeepStrictEqual } from 'node:util'
import { jobEvidence, jobOutput } from '#shared/domain/job'
import { signedJobResult } from '#shared/protocol/job'
import { refusalCode } from '#shared/protocol/refusal'
import type { CoordinatorStore, Delivery, StoredDelivery } from '../store'
import { guarded, transaction, type NetworkDatabase } from './database'
import { createJobRows } from './job-store'
import { parseReceipt } from './receipt-rows'

type DeliveryStore = Pick<
  CoordinatorStore,
  'addDelivery' | 'delivery' | 'deliveryContent' | 'dueDeliveries' | 'compareAndSetDelivery' | 'removeDeliveryContents'
>

interface DeliveryColumns {
  ref: string
  job: string
  rig: string
  signed: string
  delivered_at: bigint
  state: string
  checks: bigint
  next_check_at: bigint | null
  code: string | null
  message: string | null
  ended_at: bigint | null
  signed_receipt: string | null
}

export function createDeliveryStore(database: NetworkDatabase): DeliveryStore {
  const statements = prepare(database)
  const jobs = createJobRows(database)
  const inTransaction = async <T>(change: () => T): Promise<T> => transaction(database, change)
  const look = async <T>(find: () => T): Promise<T> => guarded(database, find)
  const find = (ref: string): StoredDelivery | undefined => {
    const row = statements.delivery.get(ref) as DeliveryColumns | undefined
    return row && recordOf(row)
  }

  return {
    addDelivery: ({ ref, job, rig, result, deliveredAt, delivery }, { output, evidence }, change) =>
      inTransaction(() => {
        if (find(ref) || jobs.compareAndSet(change.expected, change.next) !== 'set') return 'changed'
        const given = { ref, job, rig, signed: JSON.stringify(result), deliveredAt }
        statements.add.run({ ...given, ...progressOf(delivery) })
        statements.addContent.run(ref, JSON.stringify(output), JSON.stringify(evidence))
        return 'set'
      }),
    delivery: (ref) => look(() => find(ref)),
    deliveryContent: (ref) =>
      look(() => {
        const row = statements.content.get(ref) as { output: string; evidence: string } | undefined
        if (!row) return undefined
        return {
          output: jobOutput.parse(JSON.parse(row.output)),
          evidence: jobEvidence.parse(JSON.parse(row.evidence)),
        }
      }),
    dueDeliveries: (now, limit) =>
      look(() => (statements.due.all(now, limit) as string[]).flatMap((ref) => find(ref) ?? [])),
    compareAndSetDelivery: (expected, next, job) =>
      inTransaction(() => {
        const { ref } = expected
        if (!isDeepStrictEqual(find(ref), expected)) return 'changed'
        const outcome = job ? jobs.compareAndSet(job.expected, job.next) : 'set'
        if (outcome === 'set') statements.set.run({ ref, ...progressOf(next) })
        return outcome
      }),
    removeDeliveryContents: (endedBefore, limit) =>
      inTransaction(() => {
        for (const ref of statements.old.all(endedBefore, limit)) {
          statements.removeContent.run(ref)
          statements.forgetContent.run(ref)
        }
      }),
  }
}

/** The columns that change on a delivery's way. */
function progressOf(delivery: Delivery) {
  const isOpen = delivery.state === 'delivered' || delivery.state === 'checking'
  return {
    state: delivery.state,
    checks: delivery.state === 'checking' ? delivery.checks : 0,
    nextCheckAt: isOpen ? (delivery.state === 'checking' ? delivery.nextCheckAt : 0) : null,
    code: delivery.state === 'refused' ? delivery.code : null,
    message: delivery.state === 'refused' ? delivery.message : null,
    receipt: delivery.state === 'settled' ? delivery.receipt.id : null,
    endedAt: isOpen ? null : delivery.endedAt,
  }
}

function recordOf(row: DeliveryColumns): StoredDelivery {
  return {
    ref: row.ref,
    job: row.job,
    rig: row.rig,
    result: signedJobResult.parse(JSON.parse(row.signed)),
    deliveredAt: Number(row.delivered_at),
    delivery: deliveryOf(row),
  }
}

function deliveryOf({
  state,
  checks,
  next_check_at,
  code,
  message,
  ended_at,
  signed_receipt,
}: DeliveryColumns): Delivery {
  const endedAt = Number(ended_at)
  if (state === 'settled' && signed_receipt !== null) return { state, receipt: parseReceipt(signed_receipt), endedAt }
  if (state === 'refused') return { state, code: refusalCode.parse(code), message: message ?? '', endedAt }
  if (state === 'checking') return { state, checks: Number(checks), nextCheckAt: Number(next_check_at) }
  return { state: 'delivered' }
}

function prepare(database: NetworkDatabase) {
  return {
    add: database.prepare(
      `INSERT INTO deliveries (ref, job, rig, signed, delivered_at, state, checks, next_check_at, code, message, receipt, ended_at)
       VALUES (@ref, @job, @rig, @signed, @deliveredAt, @state, @checks, @nextCheckAt, @code, @message, @receipt, @endedAt)`,
    ),
    addContent: database.prepare('INSERT INTO delivery_contents (delivery, output, evidence) VALUES (?, ?, ?)'),
    delivery: database.prepare(
      `SELECT deliveries.*, receipts.signed AS signed_receipt
       FROM deliveries LEFT JOIN receipts ON receipts.id = deliveries.receipt WHERE ref = ?`,
    ),
    content: database.prepare('SELECT output, evidence FROM delivery_contents WHERE delivery = ?'),
    due: database
      .prepare('SELECT ref FROM deliveries WHERE next_check_at <= ? ORDER BY next_check_at, delivered_at LIMIT ?')
      .pluck(),
    set: database.prepare(
      `UPDATE deliveries SET state = @state, checks = @checks, next_check_at = @nextCheckAt, code = @code,
         message = @message, receipt = @receipt, ended_at = @endedAt
       WHERE ref = @ref`,
    ),
    old: database.prepare('SELECT ref FROM deliveries WHERE has_content = 1 AND ended_at < ? LIMIT ?').pluck(),
    removeContent: database.prepare('DELETE FROM delivery_contents WHERE delivery = ?'),
    forgetContent: database.prepare('UPDATE deliveries SET has_content = 0 WHERE ref = ?'),
  }
}
