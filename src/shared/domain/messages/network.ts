/** The network: what it answers, what it refuses, and what cannot be trusted of it. */
import { foreign, name, number, path, reason } from './parameters'
import { says } from './definition'

export const networkMessages = {
  'network-failed': says('the network could not answer ({kind})', { kind: name }),
  'network-not-understood': says(
    "the network's answer to {method} was not understood: {fault}",
    { method: name, fault: foreign },
    'Nothing is done with it. The network may be of another version.',
  ),
  'network-takes-less': says('this is more than the network takes at once', 'Give less at once.'),
  'network-key-recreated': says(
    'The practice network has a new key. Its key file was damaged. It is kept as {kept}. Receipts signed before stay valid under the old key.',
    { kept: path },
  ),
  'network-recreated': says(
    'The practice network was recreated. Its file was damaged. It is kept as {kept}. Credit that is in the ledger stays there.',
    { kept: path },
  ),
  'credit-disputed': says(
    'The network counted {counted} MACs (factor {factorMilli}/1000) where it announced {announced} (factor {announcedFactorMilli}/1000).',
    { counted: name, factorMilli: number, announced: name, announcedFactorMilli: number },
  ),
  'network-not-signed': says(
    'the network "{network}" sent {what} that its key did not sign',
    { network: name, what: name },
    'Nothing is mined for it. Check the network in Settings.',
  ),
  'network-other-key': says(
    'the network "{network}" answers with another key than before',
    { network: name },
    'Someone may pretend to be it. Nothing is mined for it.',
  ),
  'network-not-its-own': says(
    'the network "{network}" sent an epoch or parameters that are not its own',
    { network: name },
    'Nothing is mined for it. Check the network in Settings.',
  ),
  'network-no-epoch': says('the network "{network}" tells no epoch: {refusal}', { network: name, refusal: reason }),
  'network-not-answered': says('the network "{network}" has not answered yet', { network: name }),
  'network-refused-rig': says('the network "{network}" refused this rig: {refusal}', {
    network: name,
    refusal: reason,
  }),
  'network-wrong-answer': says(
    'the network "{network}" {fault}',
    { network: name, fault: reason },
    'Nothing is done with it.',
  ),
  // What was wrong with it.
  'network-unit-not-signed': says('leased a unit that its key did not sign'),
  'network-unit-of-other-network': says('leased a unit of another network'),
  'network-unit-of-other-rig': says('leased a unit of another rig'),
  'network-unit-for-other-tier': says('leased a unit for {tier}, not for {wanted}', { tier: name, wanted: name }),
  'network-unit-of-other-epoch': says('leased a unit of epoch {epoch} in epoch {now}', { epoch: name, now: name }),
  'network-unit-without-difficulty': says('leased a unit without a difficulty'),
  'network-unit-expired': says('leased a unit that has expired'),
  'network-job-for-other-model': says('leased a job for a model that this rig did not offer'),
  'network-job-of-other-kind': says('leased a job whose input is of another kind'),
  'network-job-lease-expired': says('leased a job whose lease has expired'),
  'network-receipt-not-genuine': says('sent a receipt that is not genuine'),
  'network-share-not-judged': says('did not judge a share'),
  'network-epoch-not-following': says(
    'the network "{network}" sent an epoch {fault}',
    { network: name, fault: reason },
    'Nothing is mined for it. Its operator chose the epoch afterwards, or lost its records.',
  ),
  // What was wrong with it.
  'network-epoch-seed-wrong': says('whose seed does not follow from its parts'),
  'network-epoch-number-used': says('whose number was used before'),
  'network-epoch-unbound': says('whose seed is bound to nothing, although another epoch came before it'),
  'network-epoch-other-secret': says('that reveals another secret than the epoch before it committed to'),
  'network-epoch-other-check-key': says('that publishes another key for checks than epoch {epoch} committed to', {
    epoch: name,
  }),
  'network-epoch-check-key-early': says('that publishes the key for checks of epoch {epoch} before that was over', {
    epoch: name,
  }),
  'network-no-job': says('the network gave no job: {refusal}', { refusal: reason }),
  'network-file-not-written': says(
    '{file} cannot be read or written ({code}).',
    { file: path, code: name },
    'Check that the data folder exists and may be written.',
  ),
  'rig-key-damaged': says(
    '{file} is damaged: it does not hold a key',
    { file: path },
    'Put it back from a backup, or move it away: Lode then works under a new key.',
  ),
  'network-no-unit': says('the network gave no unit: {refusal}', { refusal: reason }),
  'network-session-closed': says('the session with the network is closed'),
  'network-file-newer': says(
    '{file} was written by a newer version of Lode.',
    { file: path },
    'Use that version, or another data folder.',
  ),
  'network-file-damaged': says(
    '{file} is damaged.',
    { file: path },
    'Stop and start Lode: the file is moved aside as corrupt, never deleted.',
  ),
  'network-closed': says('The practice network is closed.', 'Start Lode again.'),
  'network-file-no-space': says(
    'There is no space left to write {file}.',
    { file: path },
    'Free some space on this disk.',
  ),
  'network-file-held': says('Another program holds {file}.', { file: path }, 'Try again when it has finished.'),
}
