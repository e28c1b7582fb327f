/** Useful jobs: what is given, what becomes of it, and why one ends without a result. */
import { foreign, name, number, reason, reasons } from './parameters'
import { says } from './definition'

export const jobMessages = {
  // What was given.
  'job-not-found': says('there is no job {job}', { job: name }),
  'job-needs-processor': says(
    'no device can do it: jobs run on the processor, which is off or cannot mine',
    'Switch it on, on the Devices screen.',
  ),
  'job-model-too-large': says(
    '{model} does not fit into the memory of a device here',
    { model: name },
    'Choose a smaller model.',
  ),
  'job-devices-stopped': says(
    'no device can do it now ({devices})',
    { devices: reasons },
    'Press Retry on the Devices screen, then give the work again.',
  ),
  'job-not-taken': says('the network did not take the job: {refusal}', { refusal: reason }),
  'job-text-with-zeros': says('this is not text: it has zero bytes in it', 'Give a plain text in UTF-8.'),
  'job-text-half-character': says('this is not text: half of a character is missing', 'Give a plain text in UTF-8.'),
  'job-question-empty': says('the question is empty', 'Type a question or a text.'),

  // What became of it.
  'job-cancelled': says('cancelled'),
  'job-lease-lost': says('the network took it back: {refusal}', { refusal: reason }),
  'job-mining-stopped': says('mining was stopped'),
  'job-stopped-before-done': says('mining was stopped before it was done'),
  'job-worker-keeps-stopping': says(
    'its worker stopped each of the {attempts} times that it was tried: it may need more memory than there is',
    { attempts: number },
  ),
  'job-network-gave-up': says('the network gave it up'),
  'job-network-says': says('the network gave it up: “{words}”', { words: foreign }),
  'job-rig-interrupted': says('the rig was interrupted'),
  'job-rig-stopped': says('the rig stopped'),
  'job-lode-stopped': says('Lode stopped while this job ran.'),
  'job-input-lost': says('its input cannot be read from the ledger'),
}
