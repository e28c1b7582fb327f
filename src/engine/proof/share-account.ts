/** What a device's proofs cost between two shares: milliseconds of work, and joules without those of jobs in between. */
import type { WorkEnergy } from '../ledger'
import { energyBetween, energyMarkPast } from '../power'

export interface ShareAccount {
  /** Mining begins: what came before is nobody's. */
  begin(): void
  /** The device's sensors may be known only once its worker runs: where the beginning had no figure, it has one now. */
  beginWherePossible(): void
  worked(milliseconds: number): void
  /** Other work took the device's joules since `before`: they are not the next share's. */
  otherWorkSince(before: WorkEnergy | null): void
  /** Since the last share or the beginning; the next counts from now. */
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
