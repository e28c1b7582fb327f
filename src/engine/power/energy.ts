/** Energy from a growing counter where there is one, else from samples of power, with the part that was measured. */

export interface PowerSample {
  /** milliseconds, any clock that does not go back */
  at: number
  /** absent: not known at that moment */
  watts?: number | undefined
  certainty?: 'measured' | 'estimated' | 'mixed' | undefined
  /** joules since an arbitrary start, from the device itself; absent: it has no counter */
  counterJoules?: number | undefined
}

export interface EnergyTotal {
  /** absent where no two neighbouring samples had watts */
  joules?: number
  /** 0 to 1, of the joules */
  measuredShare?: number
  certainty?: 'measured' | 'estimated' | 'mixed'
}

export interface EnergyStep {
  joules: number
  measuredJoules: number
  /** of the time since the sample before, how much is in the joules */
  knownMilliseconds: number
}

export interface EnergyMeter {
  /** Joules since the sample before: 0 after a gap or where the power is not known. */
  add(sample: PowerSample): EnergyStep
  total(): EnergyTotal
}

/** A longer silence is a gap, in which nothing is known: it is left out, not filled. */
export const LARGEST_SAMPLE_GAP_MILLISECONDS = 10_000
/** No device draws this; a counter that says so was begun anew or is broken. */
const MOST_WATTS = 100_000
const MEASURED_PART = { measured: 1, mixed: 0.5, estimated: 0 } as const

/**
 * Adds up what a counter counted between two samples. Where there is no counter, or it went back because it wrapped around
 * or was begun anew, by the trapezoidal rule: each sample's watts count for half the time to its neighbour, and that half
 * is measured if the sample was.
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
      const step = previous ? stepBetween(previous, sample, largestGapMilliseconds) : NOTHING
      joules += step.joules
      measuredJoules += step.measuredJoules
      if (step.knownMilliseconds > 0) intervals++
      return step
    },
    total: () => (intervals === 0 ? {} : energyOf(joules, measuredJoules)),
  }
}

const NOTHING: EnergyStep = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }

function stepBetween(previous: PowerSample, sample: PowerSample, largestGapMilliseconds: number): EnergyStep {
  const milliseconds = sample.at - previous.at
  if (milliseconds <= 0 || milliseconds > largestGapMilliseconds) return NOTHING
  const counted = (sample.counterJoules ?? Number.NaN) - (previous.counterJoules ?? Number.NaN)
  if (counted >= 0 && counted <= (MOST_WATTS * milliseconds) / 1000)
    return { joules: counted, measuredJoules: counted, knownMilliseconds: milliseconds }
  if (previous.watts === undefined || sample.watts === undefined) return NOTHING
  const halfSeconds = milliseconds / 2000
  const measured = ({ watts = 0, certainty = 'estimated' }: PowerSample): number =>
    watts * halfSeconds * MEASURED_PART[certainty]
  return {
    joules: (previous.watts + sample.watts) * halfSeconds,
    measuredJoules: measured(previous) + measured(sample),
    knownMilliseconds: milliseconds,
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
