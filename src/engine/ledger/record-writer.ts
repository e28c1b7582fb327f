/** Devices, epochs, units, settings, addresses, benchmarks, events. */
import { storedMessage } from '#shared/domain/messages'
import { type Db, write } from './database'
import type { Ledger, WriterContext } from './types'

type Records = Pick<
  Ledger,
  'recordDevice' | 'recordEpoch' | 'recordUnit' | 'saveSetting' | 'setAddress' | 'recordBenchmark' | 'recordEvent'
>

export function writeRecords(db: Db, { clock, ids }: WriterContext): Records {
  const device = db.prepare<[string, string, string, number, number]>(
    `INSERT INTO devices (id, kind, name, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET kind = excluded.kind, name = excluded.name, last_seen_at = excluded.last_seen_at`,
  )
  const epoch = db.prepare<[string, string, number, number, number, string]>(
    'INSERT INTO epochs (id, network, number, starts_at, ends_at, signed) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  )
  const unit = db.prepare<[string, string, number, number, string, string, string, number, string]>(
    `INSERT INTO units (id, network, unit, epoch, tier, difficulty, device, expires_at, signed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
  )
  const setting = db.prepare<[string, string, number]>(
    'INSERT INTO settings (key, value, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at',
  )
  const replaceAddress = db.prepare<[number]>('UPDATE addresses SET replaced_at = ? WHERE replaced_at IS NULL')
  const address = db.prepare<[string, string, string, number, number]>(
    'INSERT INTO addresses (id, address, type, set_at, effective_at) VALUES (?, ?, ?, ?, ?)',
  )
  const benchmark = db.prepare<[Record<string, string | number | null>]>(
    `INSERT INTO benchmarks (id, at, device, engine, tier, nonces_per_second, macs_per_second, watts, watts_source,
       macs_per_joule, checksum, mode, ended, milliseconds, spread, threads, watts_certainty, temperature_celsius,
       clock_hertz, power_limit_watts, driver, lode_version, checksum_sha256, nonces_checked, wrong_nonce, evidence)
     VALUES (@id, @at, @deviceId, @backend, @tier, @noncesPerSecond, @macsPerSecond, @watts, @wattsSource,
       @macsPerJoule, @checksum, @mode, @ended, @milliseconds, @spread, @threads, @wattsCertainty, @temperatureCelsius,
       @clockHertz, @powerLimitWatts, @driver, @lodeVersion, @checksumSha256, @noncesChecked, @wrongNonce, @evidence)`,
  )
  const event = db.prepare<[string, number, string, string, string]>(
    'INSERT INTO events (id, at, severity, code, message) VALUES (?, ?, ?, ?, ?)',
  )
  return {
    recordDevice({ id, kind, name }) {
      const now = clock.now()
      device.run(id, kind, name, now, now)
    },
    recordEpoch(signed, network) {
      const { number, startsAt, endsAt } = signed.body
      epoch.run(signed.id, network, number, startsAt, endsAt, JSON.stringify(signed))
    },
    recordUnit(signed, deviceId, network) {
      const { epoch: number, tier, difficulty, expiresAt } = signed.body
      unit.run(
        signed.id,
        network,
        signed.body.unit,
        number,
        tier,
        difficulty,
        deviceId,
        expiresAt,
        JSON.stringify(signed),
      )
    },
    saveSetting(key, value) {
      setting.run(key, JSON.stringify(value), clock.now())
    },
    setAddress({ address: text, type, effectiveAt }) {
      write(db, () => {
        const now = clock.now()
        replaceAddress.run(now)
        address.run(ids.uuid(), text, type, now, Date.parse(effectiveAt))
      })
    },
    recordBenchmark(row, evidence) {
      const saved = { ...row, id: ids.uuid(), at: clock.now() }
      benchmark.run({ ...saved, evidence: JSON.stringify(evidence) })
      return { ...saved, samples: evidence.samples.length }
    },
    recordEvent({ severity, words }) {
      const saved = { id: ids.uuid(), at: clock.now(), severity, code: words.code, words }
      event.run(saved.id, saved.at, severity, words.code, storedMessage(words))
      return saved
    },
  }
}
