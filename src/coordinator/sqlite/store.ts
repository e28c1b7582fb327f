/** The coordinator's store on SQLite: parameters, epochs, sessions, units, shares. Jobs are in job-store.ts, deliveries in delivery-store.ts. */
import type { CoordinatorStore } from '../store'
import { signedEpoch } from '#shared/protocol/epoch'
import { signedParameters } from '#shared/protocol/parameters'
import { tierName } from '#shared/domain/tiers'
import { guarded, transaction, type NetworkDatabase } from './database'
import { createDeliveryStore } from './delivery-store'
import { createJobStore } from './job-store'
import { insertReceipt, parseReceipt } from './receipt-rows'

interface ShareRow {
  signature: string
  signed: string
}
interface TotalsRow {
  receipts: bigint
  high: bigint
  low: bigint
}
interface UnitRow {
  rig: string
  tier: string
  difficulty: bigint
  expires_at: bigint
}

/** `database` opened by `openNetworkDatabase`. Methods reject with Failure when the disk fails. */
export function createSqliteStore(database: NetworkDatabase): CoordinatorStore {
  const statements = prepare(database)
  const inTransaction = async <T>(change: () => T): Promise<T> => transaction(database, change)
  const look = async <T>(find: () => T): Promise<T> => guarded(database, find)
  const findShare = (epoch: number, rig: string, nonce: bigint) => {
    const row = statements.share.get(epoch, rig, BigInt.asIntN(64, nonce)) as ShareRow | undefined
    return row && { signature: row.signature, receipt: parseReceipt(row.signed) }
  }
  const holds = (rig: string, now: number): number => Number(statements.heldUnits.get(rig, now))

  return {
    putParameters: (parameters) =>
      inTransaction(() => void statements.putParameters.run(parameters.id, JSON.stringify(parameters))),
    parameters: (id) =>
      look(() => {
        const text = statements.parameters.get(id) as string | undefined
        return text === undefined ? undefined : signedParameters.parse(JSON.parse(text))
      }),

    newestEpochs: (count) =>
      look(() => (statements.newestEpochs.all(count) as string[]).map((text) => signedEpoch.parse(JSON.parse(text)))),
    epoch: (number) =>
      look(() => {
        const text = statements.epoch.get(number) as string | undefined
        return text === undefined ? undefined : signedEpoch.parse(JSON.parse(text))
      }),
    addEpoch: (epoch) =>
      inTransaction(() => statements.addEpoch.run(epoch.body.number, JSON.stringify(epoch)).changes === 1),

    beginSession: ({ rig, at, devices }) =>
      inTransaction(() => {
        statements.putRig.run(rig, at, JSON.stringify(devices))
        statements.resetRamps.run(rig)
        statements.liftSuspension.run(rig)
      }),
    suspendRig: (rig, until) => inTransaction(() => void statements.suspend.run(rig, until)),
    suspendedUntil: (rig) =>
      look(() => {
        const until = statements.suspendedUntil.get(rig) as bigint | undefined
        return until === undefined ? undefined : Number(until)
      }),
    climbRamp: (rig, device) => inTransaction(() => Number(statements.climbRamp.get(rig, device)) - 1),
    takeSyntheticTurn: (rig) => inTransaction(() => Number(statements.takeSyntheticTurn.get(rig)) - 1),

    addUnit: ({ epoch, unit, rig, tier, difficulty, expiresAt }, held) =>
      inTransaction(() => {
        if (held && holds(rig, held.now) >= held.most) return false
        return statements.addUnit.run(epoch, unit, rig, tier, difficulty, expiresAt).changes === 1
      }),
    heldUnits: (rig, now) => look(() => holds(rig, now)),
    unit: (epoch, unit) =>
      look(() => {
        const row = statements.unit.get(epoch, unit) as UnitRow | undefined
        if (!row) return undefined
        const { rig, difficulty } = row
        return { epoch, unit, rig, tier: tierName.parse(row.tier), difficulty, expiresAt: Number(row.expires_at) }
      }),
    removeUnits: (expiredBefore) => inTransaction(() => void statements.removeUnits.run(expiredBefore)),

    share: ({ epoch, rig, nonce }) => look(() => findShare(epoch, rig, nonce)),
    acceptShare: ({ epoch, rig, nonce }, share) =>
      inTransaction(() => {
        const earlier = findShare(epoch, rig, nonce)
        if (earlier) return { accepted: false, share: earlier }
        insertReceipt(database, share.receipt)
        statements.addShare.run(epoch, rig, BigInt.asIntN(64, nonce), share.signature, share.receipt.id)
        return { accepted: true, share }
      }),

    ...createJobStore(database),
    ...createDeliveryStore(database),

    totals: (epoch) =>
      look(() => {
        const row = (epoch === undefined ? statements.totals.get() : statements.epochTotals.get(epoch)) as TotalsRow
        return { receipts: Number(row.receipts), creditMacs: row.high * 1_000_000_000n + row.low }
      }),
  }
}

/** Sums are taken in two halves, so that they never overflow (protocol.md §5). */
const SUMS = `SELECT count(*) AS receipts, coalesce(sum(credit_macs / 1000000000), 0) AS high,
  coalesce(sum(credit_macs % 1000000000), 0) AS low FROM receipts`

function prepare(database: NetworkDatabase) {
  return {
    putParameters: database.prepare('INSERT OR REPLACE INTO parameters (id, signed) VALUES (?, ?)'),
    parameters: database.prepare('SELECT signed FROM parameters WHERE id = ?').pluck(),
    newestEpochs: database.prepare('SELECT signed FROM epochs ORDER BY number DESC LIMIT ?').pluck(),
    epoch: database.prepare('SELECT signed FROM epochs WHERE number = ?').pluck(),
    addEpoch: database.prepare('INSERT INTO epochs (number, signed) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    putRig: database.prepare(
      `INSERT INTO rigs (rig, hello_at, devices) VALUES (?, ?, ?)
       ON CONFLICT (rig) DO UPDATE SET hello_at = excluded.hello_at, devices = excluded.devices`,
    ),
    resetRamps: database.prepare('DELETE FROM ramps WHERE rig = ?'),
    suspend: database.prepare('INSERT OR REPLACE INTO suspensions (rig, until) VALUES (?, ?)'),
    suspendedUntil: database.prepare('SELECT until FROM suspensions WHERE rig = ?').pluck(),
    liftSuspension: database.prepare('DELETE FROM suspensions WHERE rig = ?'),
    climbRamp: database
      .prepare(
        `INSERT INTO ramps (rig, device, step) VALUES (?, ?, 1)
         ON CONFLICT (rig, device) DO UPDATE SET step = step + 1 RETURNING step`,
      )
      .pluck(),
    takeSyntheticTurn: database
      .prepare(
        'INSERT INTO sample_turns (rig, turn) VALUES (?, 1) ON CONFLICT (rig) DO UPDATE SET turn = turn + 1 RETURNING turn',
      )
      .pluck(),
    addUnit: database.prepare(
      'INSERT INTO units (epoch, unit, rig, tier, difficulty, expires_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    unit: database.prepare('SELECT rig, tier, difficulty, expires_at FROM units WHERE epoch = ? AND unit = ?'),
    heldUnits: database.prepare('SELECT count(*) FROM units WHERE rig = ? AND expires_at >= ?').pluck(),
    removeUnits: database.prepare('DELETE FROM units WHERE expires_at < ?'),
    share: database.prepare(
      `SELECT shares.signature, receipts.signed FROM shares JOIN receipts ON receipts.id = shares.receipt
       WHERE shares.epoch = ? AND shares.rig = ? AND shares.nonce = ?`,
    ),
    addShare: database.prepare('INSERT INTO shares (epoch, rig, nonce, signature, receipt) VALUES (?, ?, ?, ?, ?)'),
    totals: database.prepare(SUMS),
    epochTotals: database.prepare(`${SUMS} WHERE epoch = ?`),
  }
}
