/** The rates that jobs earned on this rig, by device and model. Every job updates them; they are kept across restarts. */
import { z } from 'zod'
import { hex64 } from '#shared/domain/bytes'
import type { Ledger } from '../ledger'

/** The name of the setting in the ledger. */
const KEY = 'job-rates'
/** Weight of the former jobs beside the newest one: the last dozen jobs decide the rate. */
const FORMER_WEIGHT = 0.85

/** Sums over past jobs; older jobs weigh less. */
const sums = z.object({
  jobs: z.number().nonnegative(),
  /** of the device: the time of jobs that ran together is shared among them */
  milliseconds: z.number().nonnegative(),
  creditMacs: z.number().nonnegative(),
  /** joules of the jobs whose energy is known */
  joules: z.number().nonnegative(),
  creditMacsWithJoules: z.number().nonnegative(),
})
type Sums = z.infer<typeof sums>
const stored = z.record(z.string(), z.record(hex64, sums))

export interface MeasuredRate {
  creditPerSecond: number
  /** null: the device's power is not known */
  creditPerJoule: number | null
  /** what a job took of the device's time */
  usualMilliseconds: number
}

export interface JobRates {
  /** The rate of a model on a device; null: not measured. */
  of(deviceId: string, modelHash: string): MeasuredRate | null
  /** Adds a job. `joules` null: not known. Throws Failure when the ledger cannot be written. */
  record(
    deviceId: string,
    modelHash: string,
    job: { milliseconds: number; creditMacs: number; joules: number | null },
  ): void
}

/** Reads the rates from the ledger. */
export function createJobRates(ledger: Pick<Ledger, 'setting' | 'saveSetting'>): JobRates {
  const rates = ledger.setting(KEY, stored) ?? {}
  return {
    of: (deviceId, modelHash) => {
      const known = rates[deviceId]?.[modelHash]
      if (known === undefined || known.milliseconds <= 0) return null
      return {
        creditPerSecond: (known.creditMacs * 1000) / known.milliseconds,
        creditPerJoule: known.joules > 0 ? known.creditMacsWithJoules / known.joules : null,
        usualMilliseconds: known.milliseconds / known.jobs,
      }
    },
    record: (deviceId, modelHash, { milliseconds, creditMacs, joules }) => {
      if (milliseconds <= 0) return
      const before = rates[deviceId]?.[modelHash]
      const add = (of: keyof Sums, newest: number): number => (before?.[of] ?? 0) * FORMER_WEIGHT + newest
      const after: Sums = {
        jobs: add('jobs', 1),
        milliseconds: add('milliseconds', milliseconds),
        creditMacs: add('creditMacs', creditMacs),
        joules: add('joules', joules ?? 0),
        creditMacsWithJoules: add('creditMacsWithJoules', joules === null ? 0 : creditMacs),
      }
      rates[deviceId] = { ...rates[deviceId], [modelHash]: after }
      ledger.saveSetting(KEY, rates)
    },
  }
}
