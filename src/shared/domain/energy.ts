/** Power and energy: watts from a growing counter, joules from samples of power, and how certain a figure is. */

/** Where a figure of power or energy comes from. `mixed`: partly measured. */
export const certainties = ['measured', 'estimated', 'mixed'] as const
export type Certainty = (typeof certainties)[number]

/** A longer time between two samples is a gap. Its energy is not known: it is left out, not estimated. */
export const LARGEST_SAMPLE_GAP_MILLISECONDS = 10_000
/** A mean over a shorter time is too inexact: the counter's own step is too large a part of it. */
export const SHORTEST_MEAN_MILLISECONDS = 200
/** No device draws more: a counter with a higher figure was reset or is broken. */
export const LARGEST_PLAUSIBLE_WATTS = 100_000

/** One reading of a counter. `at`: milliseconds of any clock that does not go back. */
export interface CounterSample {
  at: number
  /** since an arbitrary start; absent: the counter could not be read */
  joules: number | undefined
}

/** One value of a power sensor or of an estimate. `at`: milliseconds of any clock that does not go back. */
export interface PowerSample {
  at: number
  /** absent: not known at that moment */
  watts: number | undefined
}

/** Whether a meter takes `value` as joules or watts: a finite number that is not negative. */
export function isAmount(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value) && value >= 0
}

/** Joules that a counter counted between two readings. Undefined: the counter was not read, was reset, or counted more than any device draws. */
export function countedJoules(before: CounterSample, after: CounterSample): number | undefined {
  const milliseconds = after.at - before.at
  if (!(milliseconds > 0) || !isAmount(before.joules) || !isAmount(after.joules)) return undefined
  const joules = after.joules - before.joules
  return joules >= 0 && joules <= (LARGEST_PLAUSIBLE_WATTS * milliseconds) / 1000 ? joules : undefined
}

/** Mean watts between two readings of a counter. Undefined if no joules are known, or over too short a time or a gap. */
export function meanWatts(before: CounterSample, after: CounterSample): number | undefined {
  const milliseconds = after.at - before.at
  if (milliseconds < SHORTEST_MEAN_MILLISECONDS || milliseconds > LARGEST_SAMPLE_GAP_MILLISECONDS) return undefined
  const joules = countedJoules(before, after)
  return joules === undefined ? undefined : (joules * 1000) / milliseconds
}

/** Joules between two samples of power, by the trapezoidal rule. Undefined where one of them is not known, and over a gap. */
export function sampledJoules(before: PowerSample, after: PowerSample): number | undefined {
  const milliseconds = after.at - before.at
  if (!(milliseconds > 0) || milliseconds > LARGEST_SAMPLE_GAP_MILLISECONDS) return undefined
  if (!isAmount(before.watts) || !isAmount(after.watts)) return undefined
  return ((before.watts + after.watts) * milliseconds) / 2000
}

/** The measured share by certainty. Of a `mixed` figure without a share, half counts as measured. */
const MEASURED_SHARE: Readonly<Record<Certainty, number>> = { measured: 1, mixed: 0.5, estimated: 0 }
/** A measured or an estimated part smaller than this does not make a figure `mixed`. */
const NEGLIGIBLE_SHARE = 0.001

/** The part of `amount` (joules or watts) that counts as measured. */
export function measuredPart(amount: number, certainty: Certainty): number {
  return amount * MEASURED_SHARE[certainty]
}

/** The share of `total` that was measured, 0 to 1. 0 if `total` is 0. */
export function measuredShareOf(measured: number, total: number): number {
  return total > 0 ? Math.min(1, Math.max(0, measured / total)) : 0
}

/** The certainty of a figure of which `measuredShare` (0 to 1) came from a sensor. All certainties follow this rule. */
export function certaintyOf(measuredShare: number): Certainty {
  if (measuredShare >= 1 - NEGLIGIBLE_SHARE) return 'measured'
  return measuredShare <= NEGLIGIBLE_SHARE ? 'estimated' : 'mixed'
}

/**
 * How certain the sum of several figures is. `measuredShare` (0 to 1) is used if a figure has it. Null: there are no
 * figures.
 */
export function certaintyOfSum(
  figures: readonly { amount: number; certainty: Certainty; measuredShare?: number | undefined }[],
): Certainty | null {
  const [first] = figures
  if (first === undefined) return null
  // Also for figures of zero: 0 W from a sensor is a measurement.
  if (figures.every(({ certainty }) => certainty === first.certainty)) return first.certainty
  const total = figures.reduce((sum, { amount }) => sum + amount, 0)
  const measured = figures.reduce(
    (sum, { amount, certainty, measuredShare }) =>
      sum + (measuredShare === undefined ? measuredPart(amount, certainty) : amount * measuredShare),
    0,
  )
  return certaintyOf(measuredShareOf(measured, total))
}

/** Joules that a piece of work took, and where the figure comes from. */
export interface WorkEnergy {
  joules: number
  certainty: Certainty
  /** 0 to 1, of the joules */
  measuredShare: number
  /** the sensor or table row, in words; absent for sums */
  source?: string
}

/** `measuredJoules` of the `joules` came from a sensor. `source`: the sensor or table row, in words. */
export function workEnergy(joules: number, measuredJoules: number, source?: string): WorkEnergy {
  const measuredShare = measuredShareOf(measuredJoules, joules)
  return { joules, measuredShare, certainty: certaintyOf(measuredShare), ...(source === undefined ? {} : { source }) }
}
