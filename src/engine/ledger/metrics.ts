/** metrics.db: rings of seconds (1 hour), minutes (8 days) and quarters of an hour (kept), written every ten seconds. */
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { workEnergy } from '#shared/domain/energy'
import { message } from '#shared/domain/messages'
import { applyMigration, type Db, isDamage, openDatabase, quickCheck, NewerVersion, NotOurs, write } from './database'
import { ensureFolder } from './lock'
import { readHistory } from './metrics-history'
import type { DeviceSample, Metrics, MetricsSample, OpenMetricsOptions } from './metrics-types'
import { metricsSchema } from './migrations'
import { QUARTER_MILLISECONDS } from './total-queries'

const FLUSH_MILLISECONDS = 10_000
const MINUTE = 60_000
const KEEP_SECONDS = 3_600_000
/** a day more than the longest chart, so that the chart's first point is complete */
const KEEP_MINUTES = 8 * 86_400_000
const RINGS = [
  { table: 'seconds', step: 1000 },
  { table: 'minutes', step: MINUTE },
  { table: 'quarters', step: QUARTER_MILLISECONDS },
] as const

/** A damaged or newer metrics.db is moved aside and recreated; where even that fails, metrics live in memory. */
export function openMetrics(options: OpenMetricsOptions): Metrics {
  const { folder, clock, onNotice } = options
  const file = join(folder, 'metrics.db')
  let db = openOrBeginAnew(file, options)
  let store = createStore(db)
  let pending: MetricsSample[] = []
  let isFailing = false

  /** Writes the samples in memory. After an error of the disk they are dropped, and the error is reported once: metrics must stop nothing. */
  const flush = (): void => {
    if (pending.length === 0) return
    const samples = pending
    pending = []
    attempt(() => write(db, () => store.add(samples)))
  }
  const attempt = (change: () => void): void => {
    try {
      change()
      isFailing = false
    } catch (error) {
      if (isDamage(error)) {
        db.close()
        db = openOrBeginAnew(file, options)
        store = createStore(db)
        return
      }
      if (!isFailing)
        onNotice({
          severity: 'warning',
          words: message('metrics-not-written', { words: messageOf(error) }),
        })
      isFailing = true
    }
  }

  return {
    file,
    append(sample) {
      pending.push(sample)
      const first = pending[0]
      if (first !== undefined && Math.abs(sample.at - first.at) >= FLUSH_MILLISECONDS) flush()
    },
    pauseBegan(cause, at) {
      attempt(() => write(db, () => store.beginPause(cause, at)))
    },
    pauseEnded(at) {
      attempt(() => store.endPause(at))
    },
    history(period) {
      flush()
      return readHistory(db, period, clock.now())
    },
    energy(from, to) {
      flush()
      return store.energy(from, to)
    },
    miningSeconds(from, to) {
      flush()
      return store.miningSeconds(from, to)
    },
    close() {
      flush()
      db.close()
    },
  }
}

interface Store {
  add(samples: readonly MetricsSample[]): void
  beginPause(cause: string, at: number): void
  endPause(at: number): void
  energy(from: number, to: number): ReturnType<Metrics['energy']>
  miningSeconds(from: number, to: number): number
}

function createStore(db: Db): Store {
  const columns = [
    'macs',
    'credit_macs',
    'joules',
    'joules_measured',
    'power_ms',
    'chat_ms',
    'embed_ms',
    'ocr_ms',
    'proof_ms',
    'paused_ms',
    'idle_ms',
  ]
  const upserts = RINGS.map(({ table, step }) => ({
    step,
    statement: db.prepare<[Record<string, unknown>]>(
      `INSERT INTO ${table} (at, device, ${columns.join(', ')}) VALUES (@at, @device, ${columns.map((column) => `@${column}`).join(', ')})
       ON CONFLICT DO UPDATE SET ${columns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
    ),
  }))
  const mining = [
    { table: 'mining_minutes', step: MINUTE },
    { table: 'mining_quarters', step: QUARTER_MILLISECONDS },
  ].map(({ table, step }) => ({
    step,
    statement: db.prepare<[number, number]>(
      `INSERT INTO ${table} (at, milliseconds) VALUES (?, ?) ON CONFLICT DO UPDATE SET milliseconds = milliseconds + excluded.milliseconds`,
    ),
  }))
  const forget = [
    { statement: db.prepare<[number]>('DELETE FROM seconds WHERE at < ?'), keep: KEEP_SECONDS },
    { statement: db.prepare<[number]>('DELETE FROM minutes WHERE at < ?'), keep: KEEP_MINUTES },
    { statement: db.prepare<[number]>('DELETE FROM mining_minutes WHERE at < ?'), keep: KEEP_MINUTES },
  ]
  const endPause = db.prepare<[number]>('UPDATE pauses SET ended_at = max(began_at, ?) WHERE ended_at IS NULL')
  const beginPause = db.prepare<[number, string]>(
    'INSERT INTO pauses (began_at, cause) VALUES (?, ?) ON CONFLICT DO UPDATE SET cause = excluded.cause, ended_at = NULL',
  )
  const oldestMinute = db.prepare<[], { at: bigint | null }>('SELECT min(at) AS at FROM minutes')
  const oldestMining = db.prepare<[], { at: bigint | null }>('SELECT min(at) AS at FROM mining_minutes')
  const energyOf = (table: string) =>
    db.prepare<[number, number], { known: number | null; joules: number | null; measured: number | null }>(
      `SELECT sum(power_ms) AS known, sum(joules) AS joules, sum(joules_measured) AS measured FROM ${table} WHERE at >= ? AND at < ?`,
    )
  const energies = { fine: energyOf('minutes'), coarse: energyOf('quarters') }
  const miningOf = (table: string) =>
    db.prepare<[number, number], { milliseconds: number | null }>(
      `SELECT sum(milliseconds) AS milliseconds FROM ${table} WHERE at >= ? AND at < ?`,
    )
  const minings = { fine: miningOf('mining_minutes'), coarse: miningOf('mining_quarters') }
  // A pause that was open when Lode was killed ends with the last sample: nothing ran after it.
  db.exec(
    'UPDATE pauses SET ended_at = max(began_at, ifnull((SELECT max(at) + 1000 FROM seconds), 0)) WHERE ended_at IS NULL',
  )
  /** Whether minutes are still stored since `from`; before them, quarters of an hour are read. */
  const isFine = (oldest: { at: bigint | null } | undefined, from: number): boolean =>
    oldest?.at !== null && oldest?.at !== undefined && Number(oldest.at) <= from

  return {
    add(samples) {
      for (const sample of samples) {
        for (const device of sample.devices) {
          const row = rowOf(device, sample.milliseconds)
          // A sample belongs to the step in which it began.
          for (const { step, statement } of upserts)
            statement.run({ ...row, at: stepOf(sample.at - sample.milliseconds, step) })
        }
        if (sample.devices.some(({ activity }) => activity !== 'idle' && activity !== 'paused')) {
          for (const { step, statement } of mining)
            statement.run(stepOf(sample.at - sample.milliseconds, step), sample.milliseconds)
        }
      }
      const newest = samples.at(-1)?.at
      if (newest !== undefined) for (const { statement, keep } of forget) statement.run(newest - keep)
    },
    beginPause(cause, at) {
      endPause.run(at)
      beginPause.run(at, cause)
    },
    endPause(at) {
      endPause.run(at)
    },
    energy(from, to) {
      const statement = isFine(oldestMinute.get(), from) ? energies.fine : energies.coarse
      const row = statement.get(from, to)
      if (row === undefined || row.known === null || row.known === 0) return null
      return workEnergy(row.joules ?? 0, row.measured ?? 0)
    },
    miningSeconds(from, to) {
      const statement = isFine(oldestMining.get(), from) ? minings.fine : minings.coarse
      return (statement.get(from, to)?.milliseconds ?? 0) / 1000
    },
  }
}

function rowOf(device: DeviceSample, milliseconds: number): Record<string, unknown> {
  const shares = device.shares ?? { [device.activity]: 1 }
  const spent = (activity: DeviceSample['activity']): number => (shares[activity] ?? 0) * milliseconds
  return {
    device: device.deviceId,
    macs: device.macs,
    credit_macs: device.creditMacs,
    joules: device.joules ?? 0,
    joules_measured: device.measuredJoules,
    power_ms: device.joules === null ? 0 : milliseconds,
    chat_ms: spent('chat'),
    embed_ms: spent('embed'),
    ocr_ms: spent('ocr'),
    proof_ms: spent('proof'),
    paused_ms: spent('paused'),
    idle_ms: spent('idle'),
  }
}

function stepOf(at: number, step: number): number {
  return Math.floor(at / step) * step
}

function openOrBeginAnew(file: string, { folder, clock, onNotice }: OpenMetricsOptions): Db {
  const open = (): Db =>
    openDatabase({
      file,
      schema: metricsSchema,
      synchronous: 'NORMAL',
      check(db, version) {
        const problems = version === 0 ? [] : quickCheck(db)
        if (problems.length > 0) throw new NotOurs(problems[0])
      },
    })
  try {
    ensureFolder(folder)
    return open()
  } catch (error) {
    if (!isDamage(error) && !(error instanceof NewerVersion)) return inMemory(error)
  }
  try {
    const stamp = new Date(clock.now()).toISOString().slice(0, 23).replaceAll(':', '-')
    const keptAs = `metrics.damaged-${stamp}.db`
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, join(folder, keptAs + suffix))
    }
    onNotice({
      severity: 'warning',
      words: message('metrics-begun-anew', { kept: keptAs }),
    })
    return open()
  } catch (error) {
    return inMemory(error)
  }

  function inMemory(error: unknown): Db {
    onNotice({
      severity: 'warning',
      words: message('metrics-in-memory', { words: messageOf(error) }),
    })
    const db = new Database(':memory:')
    for (const migration of metricsSchema.migrations) applyMigration(db, migration)
    db.defaultSafeIntegers(true)
    return db
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
