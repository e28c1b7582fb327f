/** The joules of one device, which only grow: the energy of a piece of work is the difference between two moments. */
import { workEnergy, type Certainty, type WorkEnergy } from '#shared/domain/energy'
import type { Clock } from '#process/clock'
import { createEnergyMeter } from './energy-meter'

/** Power of one device now. `watts` null: nothing is known, and `source` gives the reason. */
export interface DevicePower {
  watts: number | null
  certainty: Certainty | null
  source: string
  /** joules since an arbitrary start, where the device counts them itself */
  counterJoules?: number | undefined
  temperatureCelsius: number | null
}

export interface EnergyAccount {
  /** Joules since the account was opened; null: not known. The figure never decreases. */
  now(): WorkEnergy | null
  /** Joules since the last call, and the milliseconds for which they are known. */
  take(): { joules: number; measuredJoules: number; knownMilliseconds: number }
}

/** If a counter does not move, joules are estimated for this time at most. The slowest counters are read every five seconds. */
const LONGEST_GUESS_MILLISECONDS = 6000

export function createEnergyAccount(clock: Clock, power: () => DevicePower): EnergyAccount {
  const meter = createEnergyMeter()
  let pending = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }
  let counter = { joules: Number.NaN, at: 0 }
  let reported = { joules: 0, measuredJoules: 0 }

  const sample = (): DevicePower => {
    const found = power()
    const at = clock.monotonic()
    const { watts, certainty, counterJoules } = found
    const step = meter.add({ at, watts: watts ?? undefined, certainty: certainty ?? undefined, counterJoules })
    pending = {
      joules: pending.joules + step.joules,
      measuredJoules: pending.measuredJoules + step.measuredJoules,
      knownMilliseconds: pending.knownMilliseconds + step.knownMilliseconds,
    }
    if (counterJoules !== counter.joules) counter = { joules: counterJoules ?? Number.NaN, at }
    return found
  }

  return {
    now: () => {
      const { watts, source, counterJoules } = sample()
      const { joules, measuredShare = 0 } = meter.total()
      if (joules === undefined && watts === null) return null
      // Counters are read once a second, some every five: the joules since the last reading are estimated from the power.
      const unmovedMilliseconds = Math.min(clock.monotonic() - counter.at, LONGEST_GUESS_MILLISECONDS)
      const guess = counterJoules === undefined ? 0 : ((watts ?? 0) * unmovedMilliseconds) / 1000
      const total = (joules ?? 0) + guess
      const measuredJoules = (joules ?? 0) * measuredShare + guess
      // If an earlier estimate was too high, the figure stays until the counter reaches it.
      if (total > reported.joules)
        reported = { joules: total, measuredJoules: Math.max(reported.measuredJoules, measuredJoules) }
      return workEnergy(reported.joules, reported.measuredJoules, source)
    },
    take: () => {
      sample()
      const taken = pending
      pending = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }
      return taken
    },
  }
}
