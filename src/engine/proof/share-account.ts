/** What a device's proofs cost between two shares: milliseconds of proving, and joules without those of other work. */
import type { WorkEnergy } from '../ledger'
import { energyBetween, energyMarkPast } from '../power'

export interface ShareAccount {
  /** Mining begins: earlier time and joules count for no share. */
  begin(): void
  /** Sets the start of the joules if `begin` could not: some sensors can be read only once the worker runs. */
  beginWherePossible(): void
  /** Adds the milliseconds of a slice. */
  worked(milliseconds: number): void
  /** Other work took the device's joules since `before`: they are not the next share's. */
  otherWorkSince(before: WorkEnergy | null): void
  /** Joules and milliseconds since the last share or the beginning; the next share counts from now. `energy` null: not known. */
  take(): { energy: WorkEnergy | null; milliseconds: number }
}

/** `energyNow`: joules of the device since an arbitrary start. */
export function createShareAccount(energyNow: () => WorkEnergy | null): ShareAccount {
  let mark: WorkEnergy | null = null
  let milliseconds = 0
  return {
    begin: () => {
      mark = energyNow()
      milliseconds = 0
    },
    beginWherePossible: () => {
      mark ??= energyNow()
    },
    worked: (more) => {
      milliseconds += more
    },
    otherWorkSince: (before) => {
      mark = energyMarkPast(mark, before, energyNow())
    },
    take: () => {
      const now = energyNow()
      const taken = { energy: energyBetween(mark, now), milliseconds }
      mark = now
      milliseconds = 0
      return taken
    },
  }
}
