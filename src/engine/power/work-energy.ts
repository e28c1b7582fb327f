/** Joules of a piece of work: the difference between two readings of a device's growing joules, with their measured part. */
import { workEnergy, type WorkEnergy } from '#shared/domain/energy'

/** Joules between two readings of the same device's joules; null where one of them is not known. */
export function energyBetween(before: WorkEnergy | null, after: WorkEnergy | null): WorkEnergy | null {
  if (before === null || after === null) return null
  const measured = after.joules * after.measuredShare - before.joules * before.measuredShare
  return workEnergy(Math.max(0, after.joules - before.joules), measured, after.source)
}

/**
 * Moves the start mark of a piece of work forward by the joules that other work spent from `before` to `after`, so that
 * neither counts the other's joules. If these joules are not known, the work counts from `after`.
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
