/** A graphics processor's own energy counter, believed as far as it agrees with its power sensor. */

export interface GpuCounter {
  /**
   * Takes a look at the counter. `at`: monotonic milliseconds; `rawJoules`: as the device counts; `sensorWatts`: of its
   * power sensor, where it has one.
   */
  take(at: number, rawJoules: number | undefined, sensorWatts: number | undefined): CountedEnergy
}

export interface CountedEnergy {
  /** since the first look; absent: there is no counter, it began anew, or it does not agree with the sensor */
  energyJoules?: number
  /** the mean since the look before, where there is no power sensor */
  meanWatts?: number
}

/** Of counter and sensor, before the counter is believed, and of each comparison after that. */
const COMPARED_MILLISECONDS = 10_000
/** The counter of an Instinct MI100 says less than a thousandth of what it takes. */
const MOST_DISAGREEMENT = 2
/** An average of power over less than this says little. */
const SHORTEST_AVERAGE_MILLISECONDS = 200
/** A longer silence: the computer slept, or the driver was away. */
const LONGEST_AVERAGE_MILLISECONDS = 30_000

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

  /** By the trapezoidal rule, as what the sensor says is added up elsewhere. */
  const compare = (from: Look, to: Look, counted: number): void => {
    if (from.sensorWatts === undefined || to.sensorWatts === undefined) return
    const milliseconds = to.at - from.at
    compared = {
      milliseconds: compared.milliseconds + milliseconds,
      counterJoules: compared.counterJoules + counted,
      sensorJoules: compared.sensorJoules + ((from.sensorWatts + to.sensorWatts) * milliseconds) / 2000,
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
      const counted = rawJoules - from.rawJoules
      const milliseconds = at - from.at
      // wrapped around at a width that nobody knows, or begun anew: the sensor's watts stand for this time
      if (counted < 0 || milliseconds <= 0) return {}
      totalJoules += counted
      compare(from, before, counted)
      if (sensorWatts !== undefined) return agrees ? { energyJoules: totalJoules } : {}
      const isMean = milliseconds >= SHORTEST_AVERAGE_MILLISECONDS && milliseconds <= LONGEST_AVERAGE_MILLISECONDS
      return {
        energyJoules: totalJoules,
        ...(isMean ? { meanWatts: (counted * 1000) / milliseconds } : {}),
      }
    },
  }
}
