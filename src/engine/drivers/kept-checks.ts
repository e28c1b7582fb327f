/** Conformance checks of added drivers; the latest check of each driver is kept. */
import { z } from 'zod'
import { keptDriverCheck, type KeptDriverCheck } from '#shared/contract/drivers'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { RigContext } from '../base'
import { checkConformance } from './conformance'
import type { Drivers } from './drivers'
import { hashOf, readDrivers } from './store'

export interface KeptDriverChecks {
  /** the latest check of every driver whose library has not changed since */
  list(): KeptDriverCheck[]
  /** Throws Failure `not-found`, or `conflict` where it is being checked or its file is not the approved one. */
  run(name: string): Promise<KeptDriverCheck>
  /** Ends a check under way. */
  stop(): void
}

const SETTING = 'driver-checks'
const stored = z.record(z.string(), keptDriverCheck)

export function createKeptDriverChecks(
  { ledger, host, clock }: Pick<RigContext, 'ledger' | 'host'> & { clock: { now(): number } },
  options: {
    folder: string
    drivers: Pick<Drivers, 'list'>
    /** length of the determinism check; absent: the kit's own */
    seconds?: number
  },
): KeptDriverChecks {
  const { drivers } = options
  const kept = { ...ledger.setting(SETTING, stored) }
  const checking = new Set<string>()
  const stopping = new AbortController()
  return {
    // a driver that was replaced since has another hash: its check does not count
    list: () =>
      drivers.list().flatMap(({ name, sha256 }) => {
        const check = kept[name]
        return check?.sha256 === sha256 ? [check] : []
      }),
    run: async (name) => {
      const row = drivers.list().find((driver) => driver.name === name)
      const placed = readDrivers(options.folder).find(({ manifest }) => manifest.name === name)
      if (row === undefined || placed === undefined)
        throw new Failure('not-found', message('driver-not-found', { driver: name }))
      if (checking.has(name)) throw new Failure('conflict', message('driver-checked-already', { driver: name }))
      if (row.state === 'changed' || row.state === 'unsupported' || (await hashOf(placed.library)) !== row.sha256)
        throw new Failure(
          'conflict',
          message('driver-not-loaded', { driver: name, reason: row.reason ?? message('driver-file-changed') }),
        )
      checking.add(name)
      try {
        const report = await checkConformance({
          host,
          library: placed.library,
          signal: stopping.signal,
          ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
        })
        const check = { name, sha256: row.sha256, at: clock.now(), ...report }
        kept[name] = check
        ledger.saveSetting(SETTING, kept)
        return check
      } finally {
        checking.delete(name)
      }
    },
    stop: () => stopping.abort(),
  }
}
