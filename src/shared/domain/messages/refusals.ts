/** Why a network refused something: one message a refusal code, by `refusalMessage`. The network's own sentence is not shown. */
import { says } from './definition'

export const refusalMessages = {
  'refusal-malformed': says('not understood by the network'),
  'refusal-wrong-key': says('signed with another key'),
  'refusal-foreign-unit': says('from a unit of another rig'),
  'refusal-expired-unit': says('unit expired'),
  'refusal-wrong-tier': says('wrong tier'),
  'refusal-stale-epoch': says('late'),
  'refusal-above-target': says('above the target'),
  'refusal-wrong-digest': says('recomputed to another digest'),
  'refusal-replayed-nonce': says('nonce used before'),
  'refusal-unknown-job': says('job not known'),
  'refusal-lease-lost': says('lease lost'),
  'refusal-wrong-result': says('wrong result'),
  'refusal-already-credited': says('same work was credited in this epoch'),
  'refusal-deadline-missed': says('after the deadline'),
  'refusal-no-work': says('no work'),
  'refusal-too-many-leases': says('too many leases at once'),
  'refusal-suspended': says('suspended for wrong answers'),
  'refusal-unsupported-version': says('version not supported'),
  'refusal-unappraisable': says('the network could not check it'),
  'refusal-forfeited': says('a check of this rig’s work failed'),
  'refusal-over-budget': says('too much at once'),
  'refusal-unlisted-model': says('model not listed by the network'),
}
