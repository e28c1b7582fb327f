/** Devices: why they cannot mine, and why they stopped. */
import { foreign, name, names, number, reason } from './parameters'
import { says } from './definition'

export const deviceMessages = {
  'device-not-found': says('there is no device "{device}"', { device: name, known: names }, 'Known devices: {known}.'),
  'device-cannot-mine': says('it cannot mine'),
  'device-switched-off': says('switched off'),
  'device-being-stopped': says('it is being stopped'),
  'device-is-being-stopped': says('the device is being stopped'),
  'device-being-tried': says('It is being tried.'),
  'quarantined-because': says('Quarantined: {reason}.', { reason }),
  'device-no-backend': says('No backend gave the right digests on it; it will not be used.'),
  'device-twin': says(
    'WebGPU cannot tell it from another of the same name, and no other backend gave the right digests on it. A driver of its maker can use it.',
  ),
  'device-server-display': says("A server's display chip, which cannot compute; it will not be used."),
  'device-virtual-display': says('A virtual display adapter without a graphics processor; it will not be used.'),
  'device-hangs': says('it hangs: it gave no answer in time'),
  'device-wrong-digest': says('it submitted a wrong digest'),
  'device-computes-wrongly': says(
    'this device computes wrong results (the digest of nonce {nonce} of {tier} with {backend} is not that of every correct machine)',
    { nonce: name, tier: name, backend: name },
  ),
  'device-threads': says('{device} has {maximum} threads', { device: name, maximum: number }, 'Choose 1 to {maximum}.'),
  'device-no-power-limit': says('{device} has no power limit that Lode can set', { device: name }, 'Leave it out.'),
  'about-device': says('{device}: {reason}', { device: name, reason }),
  'by-device-wrong-digest': says('{device} submitted a wrong digest', { device: name }),

  // Events.
  'matrix-units-dropped': says('{device} goes on without its matrix units: {reason}.', { device: name, reason }),
  'device-quarantined': says('{device} is quarantined: {reason}.', { device: name, reason }),

  // The process of a device.
  'process-not-started': says('it could not be started ({words})', { words: foreign }),
  'process-ended-from-outside': says('it was ended from outside, or the system ran out of memory'),
  'process-ended-by-signal': says('it was ended by {signal}', { signal: name }),
  'process-ended-with-code': says('it ended with code {code}', { code: name }),
  'process-no-answer': says('it no longer answered'),
  'process-no-sign-of-life': says('it gave no sign of life'),
  'worker-keeps-stopping': says(
    '{worker} keeps stopping: {reason}',
    { worker: name, reason },
    'Try it again on the Devices screen.',
  ),
  'worker-stopped': says('{worker} was stopped', { worker: name }),
  'worker-not-running': says('{worker} is not running', { worker: name }, 'It is started again by itself.'),
  'worker-missing': says('{device} has no worker now', { device: name }, 'It is started again by itself.'),
  'process-stopped': says('the {process} process stopped', { process: name }, 'It is started again by itself.'),
  'process-late': says(
    'the {process} process did not answer {method} within {milliseconds} ms',
    { process: name, method: name, milliseconds: number },
    'It is started again by itself.',
  ),
  'process-no-method': says('no method {method}', { method: name }),
}
