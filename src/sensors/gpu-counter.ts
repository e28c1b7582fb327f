/** A graphics processor's own energy counter, believed as far as it agrees with its power sensor. */
import { countedJoules, meanWatts, sampledJoules } from '#shared/domain/energy'

export interface GpuCounter {
  /**
   * Takes one look at the counter. `at`: monotonic milliseconds; `rawJoules`: since a start that the device chooses;
   * `sensorWatts`: from the device's power sensor, where it has one.
   */
  take(at: number, rawJoules: number | undefined, sensorWatts: number | undefined): CountedEnergy
}

export interface CountedEnergy {
  /** since the first look; absent: there is no counter, it was reset, or it does not agree with the sensor */
  energyJoules?: number
  /** the mean since the look before, where there is no power sensor */
  meanWatts?: number
}

/** Counter and sensor are compared over this time, before the counter is believed and again and again after that. */
const COMPARED_MILLISECONDS = 10_000
/** The counter of an Instinct MI100 counts less than a thousandth of what the card takes. */
const MOST_DISAGREEMENT = 2

interface Look {
  at: number
  rawJoules: number
  sensorWatts: number | undefined
}

export function createGpuCounter(): GpuCounter {
  let before: Look | undefined
  let totalJoules = 0
  let compared = { milliseconds: 0, counterJoules: 0, sensorJoules: 0 }
  let agrees = false

  const compare = (from: Look, to: Look, counted: number): void => {
    const sensed = sampledJoules({ at: from.at, watts: from.sensorWatts }, { at: to.at, watts: to.sensorWatts })
    if (sensed === undefined) return
    compared = {
      milliseconds: compared.milliseconds + to.at - from.at,
      counterJoules: compared.counterJoules + counted,
      sensorJoules: compared.sensorJoules + sensed,
    }
    if (compared.milliseconds < COMPARED_MILLISECONDS) return
    const ratio = compared.counterJoules / compared.sensorJoules
    agrees = ratio >= 1 / MOST_DISAGREEMENT && ratio <= MOST_DISAGREEMENT
    compared = { milliseconds: 0, counterJoules: 0, sensorJoules: 0 }
  }

  return {
    take: (at, rawJoules, sensorWatts) => {
      const from = before
      before = rawJoules === undefined ? undefined : { at, rawJoules, sensorWatts }
      if (rawJoules === undefined || before === undefined) return {}
      if (from === undefined) return sensorWatts === undefined ? { energyJoules: totalJoules } : {}
      const earlier = { at: from.at, joules: from.rawJoules }
      const later = { at, joules: rawJoules }
      const counted = countedJoules(earlier, later)
      // It wrapped around at a width that nobody knows, or was reset: the sensor's watts stand for this time.
      if (counted === undefined) return {}
      totalJoules += counted
      compare(from, before, counted)
      if (sensorWatts !== undefined) return agrees ? { energyJoules: totalJoules } : {}
      const mean = meanWatts(earlier, later)
      return { energyJoules: totalJoules, ...(mean === undefined ? {} : { meanWatts: mean }) }
    },
  }
}
