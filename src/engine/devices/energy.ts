/** Energy from samples of power, with the part that was measured. */

export interface PowerSample {
  /** milliseconds, any clock that does not go back */
  at: number
  /** absent: not known at that moment */
  watts?: number | undefined
  certainty?: 'measured' | 'estimated' | undefined
}

export interface EnergyTotal {
  /** absent where no two neighbouring samples had watts */
  joules?: number
  /** 0 to 1, of the joules */
  measuredShare?: number
  certainty?: 'measured' | 'estimated' | 'mixed'
}

export interface EnergyMeter {
  /** Joules since the sample before: 0 after a gap or where the power is not known. */
  add(sample: PowerSample): { joules: number; measuredJoules: number }
  total(): EnergyTotal
}

/** A longer silence is a gap, in which nothing is known: it is left out, not filled. */
export const LARGEST_SAMPLE_GAP_MILLISECONDS = 10_000

/**
 * Adds up by the trapezoidal rule: each sample's watts count for half the time to its neighbour, and that half is
 * measured if the sample was.
 */
export function createEnergyMeter(largestGapMilliseconds: number = LARGEST_SAMPLE_GAP_MILLISECONDS): EnergyMeter {
  let before: PowerSample | undefined
  let joules = 0
  let measuredJoules = 0
  let intervals = 0
  return {
    add: (sample) => {
      const previous = before
      before = sample
      if (previous?.watts === undefined || sample.watts === undefined) return { joules: 0, measuredJoules: 0 }
      const milliseconds = sample.at - previous.at
      if (milliseconds <= 0 || milliseconds > largestGapMilliseconds) return { joules: 0, measuredJoules: 0 }
      const halfSeconds = milliseconds / 2000
      const step = (previous.watts + sample.watts) * halfSeconds
      const measured =
        (previous.certainty === 'measured' ? previous.watts * halfSeconds : 0) +
        (sample.certainty === 'measured' ? sample.watts * halfSeconds : 0)
      joules += step
      measuredJoules += measured
      intervals++
      return { joules: step, measuredJoules: measured }
    },
    total: () => (intervals === 0 ? {} : energyOf(joules, measuredJoules)),
  }
}

/** The whole of a list of samples in order of time. */
export function integrateEnergy(samples: Iterable<PowerSample>, largestGapMilliseconds?: number): EnergyTotal {
  const meter = createEnergyMeter(largestGapMilliseconds)
  for (const sample of samples) meter.add(sample)
  return meter.total()
}

/** Joules with their measured part in words. */
export function energyOf(joules: number, measuredJoules: number): EnergyTotal {
  const measuredShare = joules > 0 ? Math.min(1, measuredJoules / joules) : 0
  return {
    joules,
    measuredShare,
    certainty: measuredShare === 0 ? 'estimated' : measuredShare > 0.999999 ? 'measured' : 'mixed',
  }
}
