/** Mining: what devices do, why they rest, and what became of a run. */
import { count, name, names, number, oneOf, reason, reasons } from './parameters'
import { says } from './definition'

export const miningMessages = {
  // What a device does.
  'activity-starting': says('Starting'),
  'activity-restarting': says('Its worker stopped: {reason}. Starts again by itself.', { reason }),
  'activity-waiting-for-network': says('Waits for the network'),
  'activity-preparing-weights': says('Preparing the weights of {tier}', { tier: name }),
  'activity-proving': says('Proving capacity on {tier}', { tier: name }),
  'activity-checking-digests': says('Checking known digests of {tier}', { tier: name }),
  'activity-warming-up': says('Warming up on {tier}', { tier: name }),
  'activity-stress-test': says('Stress test on {tier}', { tier: name }),
  'activity-measuring': says('Measuring {tier}', { tier: name }),
  'activity-trying-model': says('Measuring what {model} earns here', { model: name }),
  'activity-chat': says(
    '{jobs, plural, one {Answering a question with {model}} other {Answering # questions at once with {model}}}',
    { jobs: count, model: name },
  ),
  'activity-embed': says(
    '{jobs, plural, one {Computing embeddings with {model}} other {Computing # sets of embeddings at once with {model}}}',
    { jobs: count, model: name },
  ),
  'activity-ocr': says(
    '{jobs, plural, one {Reading a picture with {model}} other {Reading # pictures at once with {model}}}',
    { jobs: count, model: name },
  ),
  'activity-proving-off': says('Rests: proving is switched off for now'),
  'device-too-hot': says('Too hot: {celsius} °C. Goes on below {resumeCelsius} °C.', {
    celsius: number,
    resumeCelsius: number,
  }),

  // Notices.
  'notice-device-stopped': says('{device} stopped.', { device: name }),
  'notice-device-rests': says('{device} rests.', { device: name }),
  'notice-device-quarantined': says('{device} does not mine until it is tried again.', { device: name }),
  'notice-network-silent': says('The network does not answer.'),
  'notice-practice-hour': says('Practice stopped after an hour.'),
  'notice-practice-hour-why': says('It pays nothing and uses electricity, so it goes on only when you say so.'),

  // Events.
  'mining-started': says('Mining started.'),
  'mining-stopped': says('Mining stopped.'),

  // Why mining does not start.
  'no-device-can-mine': says(
    'no device can mine ({devices})',
    { devices: reasons },
    'Switch one on, on the Devices screen.',
  ),
  'backend-not-there': says(
    '{device} has no backend "{backend}"',
    { device: name, backend: name, has: names },
    'It has: {has}.',
  ),
  'threads-not-there': says(
    '{device} has {maximum} threads, not {wanted}',
    { device: name, maximum: number, wanted: number },
    'Choose 1 to {maximum}.',
  ),

  // Benchmarks.
  'benchmark-cancelled': says('the benchmark was cancelled'),
  'benchmark-ended-by-mining': says(
    'mining was started, and the benchmark ended for it',
    'Measure again when mining has stopped.',
  ),
  'benchmark-device-stopped': says('the device was stopped'),
  'benchmark-device-faulted': says('the device stopped: {reason}', { reason }),
  'benchmark-not-possible': says('{device} cannot be measured: {reason}', { device: name, reason }, 'Try again.'),
  'benchmark-device-unable': says('{device} cannot be measured: {reason}', { device: name, reason }),
  'benchmark-not-found': says('there is no benchmark "{benchmark}"', { benchmark: name }),
  'benchmark-not-signed': says(
    'this benchmark {why, select, old {was measured by a version that kept no digests} other {found wrong results}}; there is nothing to sign',
    { why: oneOf('old', 'wrong') },
    'Measure again.',
  ),
  'stress-test-while-mining': says('{device} is mining', { device: name }, 'Stop mining before a stress test.'),
}
