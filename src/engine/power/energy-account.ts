/** The joules of one device as they grow: what work costs is the difference between two moments. */
import { workEnergy, type Certainty, type WorkEnergy } from '#shared/domain/energy'
import type { Clock } from '#process/supervisor'
import { createEnergyMeter } from './energy-meter'

/** Power of one device now. `watts` null: nothing is known, and `source` says why. */
export interface DevicePower {
  watts: number | null
  certainty: Certainty | null
  source: string
  /** joules since an arbitrary start, where the device counts them itself */
  counterJoules?: number | undefined
  temperatureCelsius: number | null
}

export interface EnergyAccount {
  /** Since the account was opened; null where nothing is known. Never goes back. */
  now(): WorkEnergy | null
  /** What was added since the last call. */
  take(): { joules: number; measuredJoules: number; knownMilliseconds: number }
}

/** A counter that has not moved for longer than this is not guessed on. The slowest are asked every five seconds. */
const LONGEST_GUESS_MILLISECONDS = 6000

export function createEnergyAccount(clock: Clock, power: () => DevicePower): EnergyAccount {
  const meter = createEnergyMeter()
  let pending = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }
  let counter = { joules: Number.NaN, at: 0 }
  let said = { joules: 0, measuredJoules: 0 }

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
      // Counters are read once a second, some every five; what the device took since then is guessed from its power.
      const silence = Math.min(clock.monotonic() - counter.at, LONGEST_GUESS_MILLISECONDS)
      const guess = counterJoules === undefined ? 0 : ((watts ?? 0) * silence) / 1000
      const total = (joules ?? 0) + guess
      const measuredJoules = (joules ?? 0) * measuredShare + guess
      // The guess may have been too high: the difference is taken off what follows.
      if (total > said.joules) said = { joules: total, measuredJoules: Math.max(said.measuredJoules, measuredJoules) }
      return workEnergy(said.joules, said.measuredJoules, source)
    },
    take: () => {
      sample()
      const taken = pending
      pending = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }
      return taken
    },
  }
}
