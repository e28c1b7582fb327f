/** The codes of a network's refusals, and the two forms of its answers. */
import { z } from 'zod'
import { sentence } from './bounds'
import { signedReceipt } from './receipt'

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
  'unlisted-model', // the network's parameters do not list the model
  'lease-lost',
  'wrong-result', // a known answer is wrong, or output, evidence, input or hashes do not belong together
  'unappraisable', // nobody could derive the result's sizes within the limits of time and memory
  'already-credited', // identical work was credited in this epoch
  'deadline-missed', // the result came after the job's deadline
  'forfeited', // a check of the rig's work failed, and credit that was held is lost
  'no-work',
  'too-many-leases', // the rig holds as many jobs or units as it may
  'over-budget', // too much in this minute: nothing was judged, and the same may be sent again later
  'suspended', // the rig claimed a wrong digest, and has not said hello since its pause; or it missed known answers in a row
  'unsupported-version',
])
export type RefusalCode = z.infer<typeof refusalCode>

export const refusal = z.object({ code: refusalCode, message: sentence })
export type Refusal = z.infer<typeof refusal>

const refused = z.object({ ok: z.literal(false), refusal })

/**
 * The answer to a share or a job: a receipt, or that the network keeps it and holds the credit until it has checked it, or
 * a refusal. `repeated`: it came before.
 */
export const acknowledgement = z.discriminatedUnion('ok', [
  z.discriminatedUnion('state', [
    z.object({ ok: z.literal(true), state: z.literal('accepted'), receipt: signedReceipt, repeated: z.boolean() }),
    z.object({ ok: z.literal(true), state: z.literal('held'), repeated: z.boolean() }),
  ]),
  refused,
])
export type Acknowledgement = z.infer<typeof acknowledgement>

/** The answer to anything else: what was asked for, or a refusal. */
export function answerOf<T extends z.ZodType>(value: T) {
  return z.discriminatedUnion('ok', [z.object({ ok: z.literal(true), value }), refused])
}
export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }
