/** The codes of a network's refusals, and the two forms of its answers. */
import { z } from 'zod'
import type { signedReceipt } from './receipt'

/** Why a network refuses. A share's or result's credit row keeps the code as its reason. */
export const refusalCode = z.enum([
  'malformed',
  'wrong-key', // signature or rig key does not belong to the sender
  'foreign-unit', // no live unit of this rig has that nonce
  'expired-unit',
  'wrong-tier',
  'stale-epoch',
  'above-target',
  'wrong-digest', // recomputing gave another digest
  'replayed-nonce',
  'unknown-job',
  'lease-lost',
  'wrong-result', // a known answer is wrong, or sizes or hashes do not fit
  'already-credited', // identical work was credited in this epoch
  'deadline-missed', // the result came after the job's deadline
  'no-work',
  'too-many-leases', // the rig holds as many jobs or units as it may
  'suspended', // the rig claimed a wrong digest, and has not said hello since its pause
  'unsupported-version',
])
export type RefusalCode = z.infer<typeof refusalCode>

export const refusal = z.object({ code: refusalCode, message: z.string() })
export type Refusal = z.infer<typeof refusal>

/** The answer to a share or a job: a receipt (`repeated` when it was given before), or a refusal. */
export type Acknowledgement =
  | { ok: true; receipt: z.infer<typeof signedReceipt>; repeated: boolean }
  | { ok: false; refusal: Refusal }

export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }
