/** Devices, epochs, units, settings, addresses, benchmarks, events. */
import { type Db, write } from './database'
import type { Ledger } from './types'
import type { WriterContext } from './writer'

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
  const benchmark = db.prepare<
    [string, number, string, string, string, number, number, number | null, string, number | null, string]
  >(
    `INSERT INTO benchmarks (id, at, device, engine, tier, nonces_per_second, macs_per_second, watts, watts_source, macs_per_joule, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const event = db.prepare<[string, number, string, string, string]>(
    'INSERT INTO events (id, at, severity, code, message) VALUES (?, ?, ?, ?, ?)',
  )
  return {
    recordDevice({ id, kind, name }) {
      const now = clock.now()
      device.run(id, kind, name, now, now)
    },
    recordEpoch(signed) {
      const { network, number, startsAt, endsAt } = signed.body
      epoch.run(signed.id, network, number, startsAt, endsAt, JSON.stringify(signed))
    },
    recordUnit(signed, deviceId) {
      const { network, epoch: number, tier, difficulty, expiresAt } = signed.body
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
    recordBenchmark(row) {
      const saved = { ...row, id: ids.uuid(), at: clock.now() }
      const {
        id,
        at,
        deviceId,
        engine,
        tier,
        noncesPerSecond,
        macsPerSecond,
        watts,
        wattsSource,
        macsPerJoule,
        checksum,
      } = saved
      benchmark.run(
        id,
        at,
        deviceId,
        engine,
        tier,
        noncesPerSecond,
        macsPerSecond,
        watts,
        wattsSource,
        macsPerJoule,
        checksum,
      )
      return saved
    },
    recordEvent({ severity, code, message }) {
      const saved = { id: ids.uuid(), at: clock.now(), severity, code, message }
      event.run(saved.id, saved.at, severity, code, message)
      return saved
    },
  }
}
