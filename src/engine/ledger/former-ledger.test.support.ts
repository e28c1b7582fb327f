/** Ledgers as earlier versions wrote them: rows of their own form under their triggers, sealed in version 1. */
import type Database from 'better-sqlite3'
import { v7 } from 'uuid'
import { canonicalText } from '#shared/domain/signed'
import { makeReceipt, makeResult, makeShare, makeUnit, rig, START } from './ledger.test.support'
import { sealOf, type CreditRecord } from './seal'
import type { JobResultRecord, ShareRecord } from './types'

type FormerState = 'submitted' | 'accepted' | 'rejected'

/** A database of version 1 to 5, opened for writing. */
export function writeFormerLedger(db: Database.Database) {
  const unit = makeUnit()
  db.prepare('INSERT INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    unit.id,
    unit.body.network,
    unit.body.unit,
    unit.body.epoch,
    unit.body.tier,
    unit.body.difficulty,
    'cpu0',
    unit.body.expiresAt,
    JSON.stringify(unit),
  )
  let seq = 0n

  const addCredit = (record: ShareRecord | JobResultRecord, workKind: CreditRecord['work_kind']): CreditRecord => {
    const isShare = 'share' in record
    const row: CreditRecord = {
      seq,
      id: v7(),
      at: BigInt(START),
      network: 'practice',
      rig: rig.publicKeyHex,
      epoch: 7n,
      device: 'cpu0',
      work: seq,
      kind: isShare ? 'share' : 'job',
      work_kind: workKind,
      ref: isShare ? record.share.id : record.result.id,
      macs: record.macs,
      factor_milli: record.factorMilli,
      credit_macs: record.creditMacs,
      state: 'submitted',
      reason: null,
      receipt: null,
      seal: '',
    }
    db.prepare(
      `INSERT INTO credits (seq, id, at, network, rig, epoch, device, work, kind, work_kind, ref, macs, factor_milli, credit_macs, state, reason, receipt, seal)
       VALUES (@seq, @id, @at, @network, @rig, @epoch, @device, @work, @kind, @work_kind, @ref, @macs, @factor_milli, @credit_macs, @state, @reason, @receipt, @seal)`,
    ).run({ ...row, seal: sealOf(row) })
    return row
  }
  const answer = (row: CreditRecord, record: ShareRecord | JobResultRecord, state: FormerState): void => {
    if (state === 'submitted') return
    const receipt = state === 'accepted' ? makeReceipt(record) : null
    const answered = { ...row, state, reason: receipt === null ? 'above-target' : null, receipt: receipt?.id ?? null }
    if (receipt !== null)
      db.prepare('INSERT INTO receipts (id, body, key, signature) VALUES (?, ?, ?, ?)').run(
        receipt.id,
        canonicalText(receipt.body),
        receipt.key,
        receipt.signature,
      )
    db.prepare('UPDATE work SET state = ?, reason = ?, verification = ? WHERE seq = ?').run(
      state,
      answered.reason,
      receipt?.body.verification ?? null,
      row.work,
    )
    db.prepare(
      'UPDATE credits SET state = @state, reason = @reason, receipt = @receipt, seal = @seal WHERE seq = @seq',
    ).run({
      ...answered,
      seal: sealOf(answered),
    })
  }

  return {
    /** Share number `counter` of one unit. */
    share(counter: number, state: FormerState): ShareRecord {
      const record = makeShare(unit, counter)
      seq++
      db.prepare(
        `INSERT INTO work (seq, id, at, kind, network, epoch, model, device, origin, state, state_at, macs, factor_milli, credit_macs, joules, joules_certainty)
         VALUES (?, ?, ?, 'proof', 'practice', 7, 'itp1-base', 'cpu0', 'network', 'submitted', ?, ?, ?, ?, 40, 'estimated')`,
      ).run(seq, v7(), START, START, record.macs, record.factorMilli, record.creditMacs)
      db.prepare('INSERT INTO shares VALUES (?, ?, ?, ?, ?, ?)').run(
        seq,
        unit.id,
        record.share.body.nonce,
        record.share.body.digest,
        '5',
        JSON.stringify(record.share),
      )
      answer(addCredit(record, 'proof'), record, state)
      return record
    },
    /** A chat of a person. */
    job(state: FormerState): JobResultRecord {
      const id = v7()
      const record = makeResult(id)
      seq++
      db.prepare(
        `INSERT INTO work (seq, id, at, kind, network, model, origin, state, state_at)
         VALUES (?, ?, ?, 'chat', 'practice', 'A chat model', 'person', 'queued', ?)`,
      ).run(seq, id, START, START)
      db.prepare("UPDATE work SET state = 'running', device = 'cpu0' WHERE seq = ?").run(seq)
      db.prepare(
        "UPDATE work SET state = 'submitted', epoch = 7, macs = ?, factor_milli = ?, credit_macs = ? WHERE seq = ?",
      ).run(record.macs, record.factorMilli, record.creditMacs, seq)
      db.prepare('INSERT INTO jobs (work, model_id, model_hash, sizes, signed) VALUES (?, ?, ?, ?, ?)').run(
        seq,
        'chat-model',
        'ab'.repeat(32),
        JSON.stringify(record.sizes),
        JSON.stringify(record.result),
      )
      db.prepare('INSERT INTO job_outputs VALUES (?, ?)').run(seq, JSON.stringify(record.output))
      db.prepare('INSERT INTO job_evidence VALUES (?, ?)').run(seq, JSON.stringify(record.evidence))
      answer(addCredit(record, 'chat'), record, state)
      return record
    },
  }
}
