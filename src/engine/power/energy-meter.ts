/** Energy from a counter if the device has one, otherwise from samples of power, with the part that was measured. */
import {
  countedJoules,
  LARGEST_SAMPLE_GAP_MILLISECONDS,
  measuredPart,
  sampledJoules,
  workEnergy,
  type Certainty,
} from '#shared/domain/energy'

export interface EnergySample {
  /** milliseconds, any clock that does not go back */
  at: number
  /** absent: not known at that moment */
  watts?: number | undefined
  certainty?: Certainty | undefined
  /** joules since an arbitrary start, from the device itself; absent: it has no counter */
  counterJoules?: number | undefined
}

export interface EnergyTotal {
  /** absent: no two neighbouring samples had watts */
  joules?: number
  /** 0 to 1, of the joules */
  measuredShare?: number
  certainty?: Certainty
}

export interface EnergyStep {
  joules: number
  measuredJoules: number
  /** the part of the time since the former sample that the joules cover */
  knownMilliseconds: number
}

export interface EnergyMeter {
  /** Adds a sample. Returns the joules since the former one: 0 after a gap or if the power is not known. NaN and negative values are ignored. */
  add(sample: EnergySample): EnergyStep
  /** The energy of all samples. */
  total(): EnergyTotal
}

/**
 * Adds up what a counter counted between two samples. Where there is no counter, or it went back because it wrapped around
 * or was reset, by the trapezoidal rule: each sample's watts count for half the time to its neighbour, and that half is
 * measured if the sample was.
 */
export function createEnergyMeter(): EnergyMeter {
  let before: EnergySample | undefined
  let joules = 0
  let measuredJoules = 0
  let intervals = 0
  return {
    add: (sample) => {
      const previous = before
      before = sample
      const step = previous ? stepBetween(previous, sample) : NOTHING
      joules += step.joules
      measuredJoules += step.measuredJoules
      if (step.knownMilliseconds > 0) intervals++
      return step
    },
    total: () => (intervals === 0 ? {} : workEnergy(joules, measuredJoules)),
  }
}

const NOTHING: EnergyStep = { joules: 0, measuredJoules: 0, knownMilliseconds: 0 }

function stepBetween(previous: EnergySample, sample: EnergySample): EnergyStep {
  const milliseconds = sample.at - previous.at
  if (milliseconds > LARGEST_SAMPLE_GAP_MILLISECONDS) return NOTHING
  const counted = countedJoules(counterOf(previous), counterOf(sample))
  if (counted !== undefined) return { joules: counted, measuredJoules: counted, knownMilliseconds: milliseconds }
  const joules = sampledJoules(powerOf(previous), powerOf(sample))
  if (joules === undefined) return NOTHING
  const measuredJoules = sampledJoules(measuredPowerOf(previous), measuredPowerOf(sample)) ?? 0
  return { joules, measuredJoules, knownMilliseconds: milliseconds }
}

function counterOf({ at, counterJoules }: EnergySample): { at: number; joules: number | undefined } {
  return { at, joules: counterJoules }
}
function powerOf({ at, watts }: EnergySample): { at: number; watts: number | undefined } {
  return { at, watts }
}
function measuredPowerOf({ at, watts = 0, certainty = 'estimated' }: EnergySample): { at: number; watts: number } {
  return { at, watts: measuredPart(watts, certainty) }
}
