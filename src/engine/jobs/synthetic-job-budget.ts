/** The account of synthetic jobs: they take at most a fifth of the mining time. */

export interface SyntheticJobBudget {
  /** Whether another synthetic job of usual length stays within the fifth. */
  isDue(): boolean
  /** Counts a synthetic job that took this long. */
  spent(milliseconds: number): void
  /** The network had no synthetic job to give: the rig asks again a little later. */
  noneAvailable(): void
}

export const LARGEST_SYNTHETIC_SHARE = 0.2
/** The length that is assumed before the first synthetic job was measured. */
const EXPECTED_MILLISECONDS = 1000
const ASK_AGAIN_MILLISECONDS = 5000

/** `miningMilliseconds`: how long this run has mined, by a monotonic clock. */
export function createSyntheticJobBudget(miningMilliseconds: () => number): SyntheticJobBudget {
  let spentMilliseconds = 0
  let usual = EXPECTED_MILLISECONDS
  let notBefore = 0
  return {
    isDue: () => {
      const mined = miningMilliseconds()
      return mined >= notBefore && spentMilliseconds + usual <= LARGEST_SYNTHETIC_SHARE * mined
    },
    spent: (milliseconds) => {
      spentMilliseconds += milliseconds
      usual = usual / 2 + milliseconds / 2
    },
    noneAvailable: () => {
      notBefore = miningMilliseconds() + ASK_AGAIN_MILLISECONDS
    },
  }
}
