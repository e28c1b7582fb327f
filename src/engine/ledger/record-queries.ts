/** Queries of the small tables: settings, addresses, benchmarks, events, epochs. */
import type { BenchmarkRow } from '#shared/contract/devices'
import { addressType } from '#shared/contract/settings'
import { signedEpoch } from '#shared/protocol/epoch'
import { storedEpoch } from '#shared/protocol/stored'
import { benchmarkEvidence } from '#shared/domain/benchmark-report'
import { tierName } from '#shared/domain/tiers'
import type { z } from 'zod'
import { readStoredMessage } from '#shared/domain/messages'
import type { Db } from './database'
import type { LedgerEvent, LedgerReader } from './types'

type Records = Pick<
  LedgerReader,
  'setting' | 'address' | 'addressHistory' | 'benchmarks' | 'benchmark' | 'events' | 'latestEpoch' | 'epochUnder'
>

interface AddressRecord {
  address: string
  type: string
  set_at: bigint
  effective_at: bigint
  replaced_at: bigint | null
}
interface BenchmarkRecord {
  id: string
  at: bigint
  device: string
  engine: string
  tier: string
  nonces_per_second: number
  macs_per_second: number
  watts: number | null
  watts_source: string
  macs_per_joule: number | null
  checksum: 'ok' | 'mismatch'
  mode: BenchmarkRow['mode']
  ended: BenchmarkRow['ended']
  milliseconds: number | null
  spread: number | null
  threads: bigint | null
  watts_certainty: BenchmarkRow['wattsCertainty']
  temperature_celsius: number | null
  clock_hertz: number | null
  power_limit_watts: number | null
  driver: string | null
  lode_version: string | null
  checksum_sha256: string | null
  nonces_checked: bigint
  wrong_nonce: string | null
  evidence: string | null
}

export function readRecords(db: Db): Records {
  const setting = db.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?')
  const addresses = db.prepare<[], AddressRecord>('SELECT * FROM addresses ORDER BY seq DESC')
  const current = db.prepare<[], AddressRecord>('SELECT * FROM addresses WHERE replaced_at IS NULL')
  const benchmarks = db.prepare<[string, number], BenchmarkRecord>(
    'SELECT * FROM benchmarks WHERE device = ? ORDER BY seq DESC LIMIT ?',
  )
  const allBenchmarks = db.prepare<[number], BenchmarkRecord>('SELECT * FROM benchmarks ORDER BY seq DESC LIMIT ?')
  const benchmark = db.prepare<[string], BenchmarkRecord>('SELECT * FROM benchmarks WHERE id = ?')
  const events = db.prepare<[number], Omit<LedgerEvent, 'at' | 'words'> & { at: bigint; message: string }>(
    'SELECT id, at, severity, code, message FROM events ORDER BY seq DESC LIMIT ?',
  )
  const epoch = db.prepare<[string], { signed: string }>(
    'SELECT signed FROM epochs WHERE network = ? ORDER BY number DESC LIMIT 1',
  )
  const epochUnder = db.prepare<[string, string, number, number], { signed: string }>(
    `SELECT signed FROM epochs WHERE network = ? AND json_extract(signed, '$.body.network') = ? AND number BETWEEN ? AND ?
     ORDER BY number DESC LIMIT 1`,
  )
  return {
    setting<T>(key: string, schema: z.ZodType<T>): T | null {
      const row = setting.get(key)
      if (row === undefined) return null
      // A value of an earlier form that no longer fits counts as not set.
      const parsed = schema.safeParse(JSON.parse(row.value))
      return parsed.success ? parsed.data : null
    },
    address() {
      const row = current.get()
      return row === undefined ? null : toAddress(row)
    },
    addressHistory() {
      return addresses.all().map((row) => ({
        ...toAddress(row),
        setAt: iso(row.set_at),
        replacedAt: row.replaced_at === null ? null : iso(row.replaced_at),
      }))
    },
    benchmarks(deviceId, limit = 100) {
      const rows = deviceId === null ? allBenchmarks.all(limit) : benchmarks.all(deviceId, limit)
      return rows.map(toBenchmark)
    },
    benchmark(id) {
      const row = benchmark.get(id)
      if (row === undefined) return null
      const evidence = row.evidence === null ? null : benchmarkEvidence.parse(JSON.parse(row.evidence))
      return { row: toBenchmark(row), evidence }
    },
    events(limit = 200) {
      return events
        .all(limit)
        .map(({ message, ...row }) => ({ ...row, at: Number(row.at), words: readStoredMessage(message) }))
    },
    latestEpoch(network) {
      const row = epoch.get(network)
      return row === undefined ? null : storedEpoch.parse(JSON.parse(row.signed))
    },
    epochUnder(network, key, number) {
      const row = epochUnder.get(network, key, number ?? 0, number ?? Number.MAX_SAFE_INTEGER)
      return row === undefined ? null : (signedEpoch.safeParse(JSON.parse(row.signed)).data ?? null)
    },
  }
}

function toAddress(row: AddressRecord): ReturnType<Records['address']> & object {
  return { address: row.address, type: addressType.parse(row.type), effectiveAt: iso(row.effective_at) }
}

function toBenchmark(row: BenchmarkRecord): BenchmarkRow {
  return {
    id: row.id,
    at: Number(row.at),
    deviceId: row.device,
    backend: row.engine,
    tier: tierName.parse(row.tier),
    noncesPerSecond: row.nonces_per_second,
    macsPerSecond: row.macs_per_second,
    watts: row.watts,
    wattsSource: row.watts_source,
    macsPerJoule: row.macs_per_joule,
    checksum: row.checksum,
    mode: row.mode,
    ended: row.ended,
    milliseconds: row.milliseconds,
    spread: row.spread,
    samples: row.evidence === null ? 0 : benchmarkEvidence.parse(JSON.parse(row.evidence)).samples.length,
    threads: row.threads === null ? null : Number(row.threads),
    wattsCertainty: row.watts_certainty,
    temperatureCelsius: row.temperature_celsius,
    clockHertz: row.clock_hertz,
    powerLimitWatts: row.power_limit_watts,
    driver: row.driver,
    lodeVersion: row.lode_version,
    checksumSha256: row.checksum_sha256,
    noncesChecked: Number(row.nonces_checked),
    wrongNonce: row.wrong_nonce,
  }
}

function iso(at: bigint): string {
  return new Date(Number(at)).toISOString()
}
