/**
 * What each of several jobs that run at once took of a device. A moment's joules and time are shared by the MACs that
 * each job computed in it, moment for moment as the worker reports them, so that the parts add up to what the device spent.
 */
import { workEnergy, type WorkEnergy } from '#shared/domain/energy'
import { energyBetween } from '../power'

export interface MeteredJob {
  /** Ends its account. `energy` null: not known for all of its time. */
  end(): { energy: WorkEnergy | null; milliseconds: number }
}

export interface JobMeter {
  begin(jobId: string): MeteredJob
  /** What was computed since the last call, or since there are several jobs. Those that are not begun, or ended, do not count. */
  computed(macs: readonly { jobId: string; macs: number }[]): void
}

interface Account {
  jobId: string
  milliseconds: number
  joules: number
  measuredJoules: number
  known: boolean
  /** the worker reports its MACs: the time under way is shared when its next report comes */
  isReported: boolean
}

/** `energyNow`: joules of the device since an arbitrary start. */
export function createJobMeter(parts: {
  clock: { monotonic(): number }
  energyNow: () => WorkEnergy | null
}): JobMeter {
  const open = new Set<Account>()
  let mark: { at: number; energy: WorkEnergy | null } = { at: 0, energy: null }

  /** Shares what was spent since the mark by weight, and moves the mark. */
  const settle = (weightOf: (account: Account) => number): WorkEnergy | null => {
    const now = { at: parts.clock.monotonic(), energy: parts.energyNow() }
    const spent = energyBetween(mark.energy, now.energy)
    const accounts = [...open]
    const total = accounts.reduce((sum, account) => sum + weightOf(account), 0)
    for (const account of accounts) {
      const share = weightOf(account) / total
      account.milliseconds += (now.at - mark.at) * share
      account.joules += (spent?.joules ?? 0) * share
      account.measuredJoules += (spent?.joules ?? 0) * (spent?.measuredShare ?? 0) * share
      if (spent === null) account.known = false
    }
    mark = now
    return now.energy
  }
  const equally = (): number => 1

  return {
    begin: (jobId) => {
      // With several jobs, the run under way is shared when it is reported: the new job has no part in it.
      if (open.size <= 1 || ![...open].some(({ isReported }) => isReported)) settle(equally)
      const account: Account = { jobId, milliseconds: 0, joules: 0, measuredJoules: 0, known: true, isReported: false }
      open.add(account)
      return {
        end: () => {
          // A job's last run was reported before: what is left is next to nothing, or was spent on no run at all.
          const now = settle(equally)
          open.delete(account)
          const { milliseconds, joules, measuredJoules, known } = account
          return { energy: known ? workEnergy(joules, measuredJoules, now?.source) : null, milliseconds }
        },
      }
    },
    computed: (macs) => {
      const byJob = new Map(macs.map((entry) => [entry.jobId, entry.macs]))
      const weightOf = ({ jobId }: Account): number => byJob.get(jobId) ?? 0
      if (![...open].some((account) => weightOf(account) > 0)) return
      settle(weightOf)
      for (const account of open) if (weightOf(account) > 0) account.isReported = true
    },
  }
}
