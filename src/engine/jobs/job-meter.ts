/**
 * The joules and the time of a device that each of several jobs at once took. The worker reports the MACs of each job; the
 * joules and time since the last report are shared by these MACs, so that the shares add up to what the device spent.
 */
import { workEnergy, type WorkEnergy } from '#shared/domain/energy'
import { energyBetween } from '../power'

export interface MeteredJob {
  /** Ends the job's account. `energy` null: not known for all of the job's time. */
  end(): { energy: WorkEnergy | null; milliseconds: number }
}

export interface JobMeter {
  /** Opens the account of a job. */
  begin(jobId: string): MeteredJob
  /** Takes the MACs that were computed since the last call, or since several jobs run. Jobs that have not begun or have ended do not count. */
  computed(macs: readonly { jobId: string; macs: number }[]): void
}

interface Account {
  jobId: string
  milliseconds: number
  joules: number
  measuredJoules: number
  known: boolean
  /** the worker reports the job's MACs: the time since the last report is shared when the next one comes */
  isReported: boolean
}

/** `energyNow`: joules of the device since an arbitrary start. */
export function createJobMeter(clock: { monotonic(): number }, energyNow: () => WorkEnergy | null): JobMeter {
  const open = new Set<Account>()
  let mark: { at: number; energy: WorkEnergy | null } = { at: 0, energy: null }

  /** Shares what was spent since the mark by weight, and moves the mark. */
  const settle = (weightOf: (account: Account) => number): WorkEnergy | null => {
    const now = { at: clock.monotonic(), energy: energyNow() }
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
      // With several jobs, the run under way is shared when the worker reports it: the new job has no share of it.
      if (open.size <= 1 || ![...open].some(({ isReported }) => isReported)) settle(equally)
      const account: Account = { jobId, milliseconds: 0, joules: 0, measuredJoules: 0, known: true, isReported: false }
      open.add(account)
      return {
        end: () => {
          // The job's last run was reported before, so the rest is nearly nothing, or belongs to no run.
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
