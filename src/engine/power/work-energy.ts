/** Joules of a piece of work: from a device's growing counter, with how much of it a sensor measured. */
import type { WorkEnergy } from '../ledger'

/** `measuredJoules` of the `joules` came from a sensor. `source`: the sensor or table row, in words. */
export function workEnergy(joules: number, measuredJoules: number, source?: string): WorkEnergy {
  const measuredShare = joules <= 0 ? 0 : Math.min(1, Math.max(0, measuredJoules / joules))
  return {
    joules,
    measuredShare,
    certainty: measuredShare >= 0.999 ? 'measured' : measuredShare <= 0.001 ? 'estimated' : 'mixed',
    ...(source === undefined ? {} : { source }),
  }
}

/** Between two readings of the same counter; null where one of them is not known. */
export function energyBetween(before: WorkEnergy | null, after: WorkEnergy | null): WorkEnergy | null {
  if (before === null || after === null) return null
  const measured = after.joules * after.measuredShare - before.joules * before.measuredShare
  return workEnergy(Math.max(0, after.joules - before.joules), measured, after.source)
}

/**
 * The mark that a piece of work counts from, moved on by what other work spent meanwhile, `before` to `after`: so that
 * neither counts the other's joules. Where that is not known the work counts from `after` alone.
 */
export function energyMarkPast(
  mark: WorkEnergy | null,
  before: WorkEnergy | null,
  after: WorkEnergy | null,
): WorkEnergy | null {
  const other = energyBetween(before, after)
  if (mark === null || other === null) return after
  const measured = mark.joules * mark.measuredShare + other.joules * other.measuredShare
  return workEnergy(mark.joules + other.joules, measured, mark.source)
}
