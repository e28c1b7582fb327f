/** The network's refusal codes in words. */
import type { MessageDescriptor } from '@lingui/core'
import { msg } from '@lingui/core/macro'
import type { RefusalCode } from '#shared/protocol/refusal'

const WORDS: Record<RefusalCode, MessageDescriptor> = {
  malformed: msg`not understood by the network`,
  'wrong-key': msg`signed with another key`,
  'foreign-unit': msg`from a unit of another rig`,
  'expired-unit': msg`unit expired`,
  'wrong-tier': msg`wrong tier`,
  'stale-epoch': msg`late`,
  'above-target': msg`above the target`,
  'wrong-digest': msg`recomputed to another digest`,
  'replayed-nonce': msg`nonce used before`,
  'unknown-job': msg`job not known`,
  'unlisted-model': msg`model not listed by the network`,
  'lease-lost': msg`lease lost`,
  'wrong-result': msg`wrong result`,
  unappraisable: msg`the network could not check it`,
  'already-credited': msg`same work was credited in this epoch`,
  'deadline-missed': msg`after the deadline`,
  forfeited: msg`a check of this rig’s work failed`,
  'no-work': msg`no work`,
  'too-many-leases': msg`too many leases at once`,
  'over-budget': msg`too much at once`,
  suspended: msg`suspended for wrong answers`,
  'unsupported-version': msg`version not supported`,
}

/** A code of the closed list in words; anything else as it is. */
export function refusalWords(reason: string, say: (descriptor: MessageDescriptor) => string): string {
  return Object.hasOwn(WORDS, reason) ? say(WORDS[reason as RefusalCode]) : reason
}
