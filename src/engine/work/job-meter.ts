/**
 * What each of several jobs that run at once took of a device. A moment's joules and time are shared in equal parts by
 * the jobs that run in it: each step of a batch computes one token of each. So the parts add up to what the device spent.
 */
import type { WorkEnergy } from '../ledger'
import { energyBetween, workEnergy } from '../work-energy'

export interface MeteredJob {
  /** Ends its account. `energy` null: not known for all of its time. */
  end(): { energy: WorkEnergy | null; milliseconds: number }
}

export interface JobMeter {
  begin(): MeteredJob
}

interface Account {
  milliseconds: number
  joules: number
  measuredJoules: number
  known: boolean
}

/** `energyNow`: joules of the device since an arbitrary start. */
export function createJobMeter(parts: {
  clock: { monotonic(): number }
  energyNow: () => WorkEnergy | null
}): JobMeter {
  const open = new Set<Account>()
  let mark: { at: number; energy: WorkEnergy | null } = { at: 0, energy: null }
  const settle = (): WorkEnergy | null => {
    const now = { at: parts.clock.monotonic(), energy: parts.energyNow() }
    const spent = energyBetween(mark.energy, now.energy)
    for (const account of open) {
      account.milliseconds += (now.at - mark.at) / open.size
      account.joules += (spent?.joules ?? 0) / open.size
      account.measuredJoules += ((spent?.joules ?? 0) * (spent?.measuredShare ?? 0)) / open.size
      if (spent === null) account.known = false
    }
    mark = now
    return now.energy
  }
  return {
    begin: () => {
      settle()
      const account: Account = { milliseconds: 0, joules: 0, measuredJoules: 0, known: true }
      open.add(account)
      return {
        end: () => {
          const now = settle()
          open.delete(account)
          const { milliseconds, joules, measuredJoules, known } = account
          return { energy: known ? workEnergy(joules, measuredJoules, now?.source) : null, milliseconds }
        },
      }
    },
  }
}
