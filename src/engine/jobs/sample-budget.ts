/** Generated samples take at most a fifth of the mining time; this keeps the account. */

export interface SampleBudget {
  /** Whether another sample of usual length stays within the fifth. */
  isDue(): boolean
  /** A sample took this long. */
  spent(milliseconds: number): void
  /** The network had none: asked again a little later. */
  declined(): void
}

export const LARGEST_SAMPLE_SHARE = 0.2
/** Until one was measured. */
const EXPECTED_MILLISECONDS = 1000
const ASK_AGAIN_MILLISECONDS = 5000

/** `miningMilliseconds`: how long this run has mined, by a monotonic clock. */
export function createSampleBudget(miningMilliseconds: () => number): SampleBudget {
  let spentMilliseconds = 0
  let usual = EXPECTED_MILLISECONDS
  let notBefore = 0
  return {
    isDue: () => {
      const mined = miningMilliseconds()
      return mined >= notBefore && spentMilliseconds + usual <= LARGEST_SAMPLE_SHARE * mined
    },
    spent: (milliseconds) => {
      spentMilliseconds += milliseconds
      usual = usual / 2 + milliseconds / 2
    },
    declined: () => {
      notBefore = miningMilliseconds() + ASK_AGAIN_MILLISECONDS
    },
  }
}
