/** The coordinator's store on SQLite: parameters, epochs, sessions, units, shares. Jobs are in job-store.ts, deliveries in delivery-store.ts. */
import { NO_RECORD } from '../record'
import type { CoordinatorStore } from '../store'
import { signedListing, signedParameters } from '#shared/protocol/parameters'
import { storedEpoch } from '#shared/protocol/stored'
import { tierName } from '#shared/domain/tiers'
import { isDeepStrictEqual } from 'node:util'
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
interface RecordRow {
  misses: bigint
  pauses: bigint
  paused_until: bigint
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
  const findRecord = (rig: string) => {
    const row = statements.record.get(rig) as RecordRow | undefined
    if (!row) return undefined
    return { misses: Number(row.misses), pauses: Number(row.pauses), pausedUntil: Number(row.paused_until) }
  }
  const holds = (rig: string, now: number): number => Number(statements.heldUnits.get(rig, now))

  return {
    putParameters: (parameters) =>
      inTransaction(() => void statements.putParameters.run(parameters.id, JSON.stringify(parameters))),
    parameters: (id) =>
      look(() => {
        const text = statements.parameters.get(id) as string | undefined
        return text === undefined ? undefined : signedParameters.safeParse(JSON.parse(text)).data
      }),
    putListing: (listing) =>
      inTransaction(() => {
        const { model, listedAt } = listing.body
        statements.putListing.run(model.hash, listedAt, JSON.stringify(listing))
      }),
    listing: (model) =>
      look(() => {
        const text = statements.listing.get(model) as string | undefined
        return text === undefined ? undefined : signedListing.parse(JSON.parse(text))
      }),
    listings: ({ since, limit }) =>
      look(() => {
        const texts = statements.listings.all(since, limit) as string[]
        return texts.map((text) => signedListing.parse(JSON.parse(text)))
      }),

    newestEpochs: (count) => look(() => (statements.newestEpochs.all(count) as string[]).map(parseEpoch)),
    epochsFrom: (number, limit) => look(() => (statements.epochsFrom.all(number, limit) as string[]).map(parseEpoch)),
    epoch: (number) =>
      look(() => {
        const text = statements.epoch.get(number) as string | undefined
        return text === undefined ? undefined : parseEpoch(text)
      }),
    addEpoch: (epoch, { nextSecret, checkKey, checkKeyDueAt }) =>
      inTransaction(() => {
        const { number, checkKeys } = epoch.body
        if (statements.addEpoch.run(number, JSON.stringify(epoch)).changes === 0) return false
        statements.addSecrets.run(number, nextSecret, checkKey, checkKeyDueAt)
        for (const published of checkKeys) statements.publishCheckKey.run(published.epoch)
        return true
      }),
    nextSecret: (number) => look(() => statements.nextSecret.get(number) as string | undefined),
    dueCheckKeys: (now, limit) =>
      look(() => {
        const rows = statements.dueCheckKeys.all(now, limit) as { epoch: bigint; key: string }[]
        return rows.map(({ epoch, key }) => ({ epoch: Number(epoch), key }))
      }),
    receiptIds: (epoch, after, limit) => look(() => statements.receiptIds.all(epoch, after, limit) as string[]),

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
    takeSyntheticTurn: (rig, epoch, most) =>
      inTransaction(() => {
        if (most < 1) return undefined
        const turn = statements.takeSyntheticTurn.get({ rig, epoch, most }) as bigint | undefined
        return turn === undefined ? undefined : Number(turn) - 1
      }),
    rigRecord: (rig) => look(() => findRecord(rig)),
    compareAndSetRecord: (rig, expected, next) =>
      inTransaction(() => {
        if (!isDeepStrictEqual(findRecord(rig) ?? NO_RECORD, expected)) return false
        statements.setRecord.run({ rig, ...next })
        return true
      }),

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

function parseEpoch(text: string) {
  return storedEpoch.parse(JSON.parse(text))
}

/** Sums are taken in two halves, so that they never overflow (protocol.md §5). */
const SUMS = `SELECT count(*) AS receipts, coalesce(sum(credit_macs / 1000000000), 0) AS high,
  coalesce(sum(credit_macs % 1000000000), 0) AS low FROM receipts`

function prepare(database: NetworkDatabase) {
  return {
    putParameters: database.prepare('INSERT OR REPLACE INTO parameters (id, signed) VALUES (?, ?)'),
    parameters: database.prepare('SELECT signed FROM parameters WHERE id = ?').pluck(),
    putListing: database.prepare('INSERT OR REPLACE INTO model_listings (model, listed_at, signed) VALUES (?, ?, ?)'),
    listing: database.prepare('SELECT signed FROM model_listings WHERE model = ?').pluck(),
    listings: database
      .prepare('SELECT signed FROM model_listings WHERE listed_at >= ? ORDER BY listed_at DESC LIMIT ?')
      .pluck(),
    newestEpochs: database.prepare('SELECT signed FROM epochs ORDER BY number DESC LIMIT ?').pluck(),
    epochsFrom: database.prepare('SELECT signed FROM epochs WHERE number >= ? ORDER BY number LIMIT ?').pluck(),
    epoch: database.prepare('SELECT signed FROM epochs WHERE number = ?').pluck(),
    addEpoch: database.prepare('INSERT INTO epochs (number, signed) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    addSecrets: database.prepare(
      'INSERT INTO epoch_secrets (epoch, next_secret, check_key, check_key_due_at) VALUES (?, ?, ?, ?)',
    ),
    publishCheckKey: database.prepare('UPDATE epoch_secrets SET is_published = 1 WHERE epoch = ?'),
    nextSecret: database.prepare('SELECT next_secret FROM epoch_secrets WHERE epoch = ?').pluck(),
    dueCheckKeys: database.prepare(
      `SELECT epoch, check_key AS key FROM epoch_secrets
       WHERE is_published = 0 AND check_key_due_at < ? ORDER BY epoch LIMIT ?`,
    ),
    receiptIds: database.prepare('SELECT id FROM receipts WHERE epoch = ? AND id > ? ORDER BY id LIMIT ?').pluck(),
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
        `INSERT INTO sample_turns (rig, turn, epoch, taken) VALUES (@rig, 1, @epoch, 1)
         ON CONFLICT (rig) DO UPDATE SET turn = turn + 1, epoch = excluded.epoch,
           taken = CASE WHEN epoch = excluded.epoch THEN taken + 1 ELSE 1 END
         WHERE epoch <> excluded.epoch OR taken < @most RETURNING turn`,
      )
      .pluck(),
    record: database.prepare('SELECT misses, pauses, paused_until FROM rig_records WHERE rig = ?'),
    setRecord: database.prepare(
      'INSERT OR REPLACE INTO rig_records (rig, misses, pauses, paused_until) VALUES (@rig, @misses, @pauses, @pausedUntil)',
    ),
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
