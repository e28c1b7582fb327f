/** What a coordinator asks about a result before it credits it: the sizes that decide the credit, derived and not taken from the rig. */
import type { EncodedInput } from '#shared/domain/encoded-input'
import type { JobSizes } from '#shared/domain/job'
import type { DeliveryContent } from './store'

export interface Appraised extends DeliveryContent {
  /** hash of the model that the job names */
  model: string
  input: EncodedInput
}

/**
 * `derived`: the sizes, from input, output and evidence alone. `wrong`: output and evidence do not belong to this input, or
 * to each other. `unappraisable`: the appraiser tried, and this very result took more than its limits allow, or ended its
 * process. `unavailable`: it could not be tried now; `message` says why, and names the model whose files are missing.
 */
export type Appraisal =
  | { state: 'derived'; sizes: JobSizes }
  | { state: 'wrong' | 'unappraisable' | 'unavailable'; message: string }

/** Decodes strangers' bytes, so whoever implements it does that in a process whose memory and time are limited. */
export interface Appraiser {
  /** Rejects with a Failure where it cannot be asked: the same as `unavailable`. */
  appraise(result: Appraised): Promise<Appraisal>
}
