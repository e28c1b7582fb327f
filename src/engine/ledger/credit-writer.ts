/** Shares, results, receipts and the credit they bring: work and credit change together, or not at all. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { canonicalText } from '#shared/domain/signed'
import { nextCreditState, type CreditEvent, type CreditState } from '#shared/domain/states'
import { type Db, write } from './database'
import { creditStateOf, isSealed, SEAL_VERSION, sealOf, type CreditRecord } from './seal'
import { checkAmount } from './sums'
import { amountColumns, energyParameters, tokenParameters } from './work-columns'
import type { AcceptedWork, Ledger, RecordedWork, WorkAmount, WriterContext } from './types'

type Credits = Pick<Ledger, 'recordShare' | 'recordJobResult' | 'accept' | 'hold' | 'refuse'>
/** `network_of_work`: as the signed work names it, by key */
type StoredCredit = CreditRecord & { work_id: string; network_of_work: string }

export function writeCredits(db: Db, { clock, ids }: WriterContext): Credits {
  const byRef = db.prepare<[string], StoredCredit>(
    `SELECT credits.*, work.id AS work_id, json_extract(ifnull(shares.signed, jobs.signed), '$.body.network') AS network_of_work
     FROM credits JOIN work ON work.seq = credits.work
       LEFT JOIN shares ON shares.work = credits.work LEFT JOIN jobs ON jobs.work = credits.work WHERE ref = ?`,
  )
  const nextCredit = db.prepare<[], { next: bigint }>('SELECT ifnull(max(seq), 0) + 1 AS next FROM credits')
  const insertCredit = db.prepare<[CreditRecord]>(
    `INSERT INTO credits (seq, id, at, network, rig, epoch, device, work, kind, work_kind, ref, macs, factor_milli, credit_macs, state, reason, receipt, seal, seal_version)
     VALUES (@seq, @id, @at, @network, @rig, @epoch, @device, @work, @kind, @work_kind, @ref, @macs, @factor_milli, @credit_macs, @state, @reason, @receipt, @seal, @seal_version)`,
  )
  const settleCredit = db.prepare<[CreditRecord]>(
    `UPDATE credits SET epoch = @epoch, macs = @macs, factor_milli = @factor_milli, credit_macs = @credit_macs, state = @state,
       reason = @reason, receipt = @receipt, seal = @seal, seal_version = @seal_version WHERE seq = @seq`,
  )
  const insertReceipt = db.prepare<[string, string, string, string]>(
    'INSERT INTO receipts (id, body, key, signature) VALUES (?, ?, ?, ?)',
  )
  const insertProof = db.prepare<[Record<string, unknown>]>(
    `INSERT INTO work (id, at, kind, network, epoch, model, device, origin, state, state_at, macs, factor_milli, credit_macs, milliseconds,
       joules, joules_certainty, joules_measured_share, joules_source)
     VALUES (@id, @now, 'proof', @network, @epoch, @tier, @device, 'network', 'submitted', @now, @macs, @factorMilli, @creditMacs, @milliseconds,
       @joules, @certainty, @measuredShare, @source)`,
  )
  const insertShare = db.prepare<[bigint, string, string, string, string, string]>(
    'INSERT INTO shares (work, unit, nonce, digest, difficulty, signed) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const job = db.prepare<[string], { seq: bigint; kind: CreditRecord['work_kind']; state: string; network: string }>(
    "SELECT seq, kind, state, network FROM work WHERE id = ? AND kind <> 'proof'",
  )
  const submitJob = db.prepare<[Record<string, unknown>]>(
    `UPDATE work SET state = 'submitted', state_at = @now, epoch = @epoch, device = @device, tokens_in = @tokensIn, tokens_out = @tokensOut,
       macs = @macs, factor_milli = @factorMilli, credit_macs = @creditMacs, milliseconds = @milliseconds, reason = NULL,
       joules = @joules, joules_certainty = @certainty, joules_measured_share = @measuredShare, joules_source = @source WHERE seq = @seq`,
  )
  const endJob = db.prepare<[number, string, string, bigint]>(
    'UPDATE jobs SET ended_at = ?, sizes = ?, signed = ? WHERE work = ?',
  )
  const insertOutput = db.prepare<[bigint, string]>(
    'INSERT INTO job_outputs (work, output) VALUES (?, ?) ON CONFLICT DO UPDATE SET output = excluded.output',
  )
  const insertEvidence = db.prepare<[bigint, string]>('INSERT INTO job_evidence (work, evidence) VALUES (?, ?)')
  const acceptWork = db.prepare<[Record<string, unknown>]>(
    `UPDATE work SET state = 'accepted', state_at = @now, epoch = @epoch, macs = @macs, factor_milli = @factorMilli,
       credit_macs = @creditMacs, verification = @verification WHERE seq = @seq`,
  )
  const insertDispute = db.prepare<[bigint, number, bigint, bigint, bigint]>(
    'INSERT INTO disputes (credit, at, macs, factor_milli, credit_macs) VALUES (?, ?, ?, ?, ?)',
  )
  const moveWork = db.prepare<[CreditState, number, string | null, bigint]>(
    'UPDATE work SET state = ?, state_at = ?, reason = ? WHERE seq = ?',
  )

  function addCredit(
    credit: Omit<CreditRecord, 'seq' | 'id' | 'at' | 'state' | 'reason' | 'receipt' | 'seal' | 'seal_version'>,
    now: number,
  ): string {
    const record = {
      ...credit,
      seq: nextCredit.get()?.next ?? 1n,
      id: ids.uuid(),
      at: BigInt(now),
      state: 'submitted' as const,
      reason: null,
      receipt: null,
      seal_version: SEAL_VERSION,
    }
    insertCredit.run({ ...record, seal: sealOf(record) })
    return record.id
  }

  /** A row that its former seal does not fit keeps that seal: a new one would hide the damage. */
  function settle({ work_id, network_of_work, ...credit }: StoredCredit, change: Partial<CreditRecord>): StoredCredit {
    const settled = { ...credit, ...change }
    if (isSealed(credit)) {
      settled.seal_version = SEAL_VERSION
      settled.seal = sealOf(settled)
    }
    settleCredit.run(settled)
    return { ...settled, work_id, network_of_work }
  }

  /** Moves work and credit together, to a state without a receipt. `reason`: of an end. */
  function move(credit: StoredCredit, event: 'hold' | 'refuse' | 'forfeit', reason: string | null): StoredCredit {
    const state = stateAfter(credit, event)
    moveWork.run(state, clock.now(), reason, credit.work)
    return settle(credit, { state, reason })
  }

  return {
    recordShare(record): RecordedWork {
      checkAmount(record, 'share')
      return write(db, () => {
        const { body, id: ref } = record.share
        const known = byRef.get(ref)
        if (known !== undefined) return idsOf(known)
        const now = clock.now()
        const workId = ids.uuid()
        const inserted = insertProof.run({
          id: workId,
          now,
          network: record.network,
          epoch: body.epoch,
          tier: body.tier,
          device: record.deviceId,
          milliseconds: record.milliseconds ?? null,
          ...amountOf(record),
          ...energyParameters(record.energy),
        })
        const work = BigInt(inserted.lastInsertRowid)
        insertShare.run(
          work,
          record.unitId,
          body.nonce,
          body.digest,
          String(record.difficulty),
          JSON.stringify(record.share),
        )
        const columns = {
          network: record.network,
          rig: body.rig,
          epoch: BigInt(body.epoch),
          device: record.deviceId,
          work,
          ref,
          ...amountColumns(record),
        }
        return { workId, creditId: addCredit({ ...columns, kind: 'share', work_kind: 'proof' }, now) }
      })
    },

    recordJobResult(id, record): RecordedWork {
      checkAmount(record, 'result')
      return write(db, () => {
        const { body, id: ref } = record.result
        const known = byRef.get(ref)
        if (known !== undefined) return idsOf(known)
        const found = job.get(id)
        if (found === undefined) throw new Failure('not-found', message('ledger-no-job', { job: id }))
        if (found.state !== 'running') {
          throw new Failure('conflict', message('ledger-job-not-running', { job: id, state: found.state }))
        }
        const now = clock.now()
        submitJob.run({
          seq: found.seq,
          now,
          epoch: record.epoch,
          device: record.deviceId,
          milliseconds: record.milliseconds,
          ...tokenParameters(record.sizes),
          ...amountOf(record),
          ...energyParameters(record.energy),
        })
        endJob.run(now, JSON.stringify(record.sizes), JSON.stringify(record.result), found.seq)
        insertOutput.run(found.seq, JSON.stringify(record.output))
        insertEvidence.run(found.seq, JSON.stringify(record.evidence))
        const columns = {
          network: found.network,
          rig: body.rig,
          epoch: BigInt(record.epoch),
          device: record.deviceId,
          work: found.seq,
          ref,
          ...amountColumns(record),
        }
        return { workId: id, creditId: addCredit({ ...columns, kind: 'job', work_kind: found.kind }, now) }
      })
    },

    accept(receipt): AcceptedWork {
      const { body } = receipt
      const amount = {
        macs: BigInt(body.macs),
        factorMilli: BigInt(body.factorMilli),
        creditMacs: BigInt(body.creditMacs),
      }
      checkAmount(amount, 'receipt')
      return write(db, () => {
        const credit = stored(body.ref)
        if (credit.receipt === receipt.id) return { ...idsOf(credit), repeated: true, disputed: null }
        const state = stateAfter(credit, 'accept')
        if (credit.network_of_work !== body.network || credit.rig !== body.rig || credit.kind !== body.kind) {
          throw new Failure('network-refused', message('ledger-receipt-of-other-work'))
        }
        insertReceipt.run(receipt.id, canonicalText(body), receipt.key, receipt.signature)
        const now = clock.now()
        acceptWork.run({
          seq: credit.work,
          now,
          epoch: body.epoch,
          verification: body.verification,
          ...amountOf(amount),
        })
        settle(credit, { ...amountColumns(amount), epoch: BigInt(body.epoch), state, receipt: receipt.id })
        const announced = announcedFor(credit, BigInt(body.epoch), amount)
        if (announced !== null)
          insertDispute.run(credit.seq, now, announced.macs, announced.factorMilli, announced.creditMacs)
        return { ...idsOf(credit), repeated: false, disputed: announced }
      })
    },

    hold(ref): RecordedWork {
      return write(db, () => {
        const credit = stored(ref)
        if (credit.state !== 'held') move(credit, 'hold', null)
        return idsOf(credit)
      })
    },

    refuse(ref, code): RecordedWork {
      return write(db, () => {
        const credit = stored(ref)
        if (isLost(creditStateOf(credit)) && credit.reason === code) return idsOf(credit)
        if (code !== 'forfeited') move(credit, 'refuse', code)
        // The answer that said that it is held was lost.
        else move(credit.state === 'submitted' ? move(credit, 'hold', null) : credit, 'forfeit', code)
        return idsOf(credit)
      })
    },
  }

  function stored(ref: string): StoredCredit {
    const credit = byRef.get(ref)
    if (credit === undefined) throw new Failure('not-found', message('ledger-no-work', { work: ref }))
    return credit
  }
}

/** The figures that the network's parameters gave when the work was sent; null where the receipt's are the same, or of another epoch. */
function announcedFor(credit: StoredCredit, epoch: bigint, receipt: WorkAmount): WorkAmount | null {
  const announced = { macs: credit.macs, factorMilli: credit.factor_milli, creditMacs: credit.credit_macs }
  if (epoch !== credit.epoch) return null
  const isSame = announced.macs === receipt.macs && announced.factorMilli === receipt.factorMilli
  return isSame ? null : announced
}
/** The state of a credit after the event. Throws Failure `conflict` where another answer came before. */
function stateAfter(credit: StoredCredit, event: CreditEvent): CreditState {
  const next = nextCreditState(creditStateOf(credit), event)
  if (next !== undefined) return next
  throw new Failure('conflict', message('ledger-credit-answered', { credit: credit.id, state: credit.state }))
}
function isLost(state: CreditState): boolean {
  return state === 'refused' || state === 'forfeited'
}
function idsOf(credit: StoredCredit): RecordedWork {
  return { workId: credit.work_id, creditId: credit.id }
}
function amountOf({ macs, factorMilli, creditMacs }: WorkAmount): WorkAmount {
  return { macs, factorMilli, creditMacs }
}
