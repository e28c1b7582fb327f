/** Drivers that the person added: why one does not work, and what happened to it. */
import { foreign, name, names, number, path, reason, watts } from './parameters'
import { says } from './definition'

export const driverMessages = {
  // Why a driver does not work.
  'driver-changed': says('Its file is not the one that was approved; it is not loaded. Remove it and add it again.'),
  'driver-not-usable': says('It cannot be used now: {reason}.', { reason }),
  'driver-other-platform': says('It is made for {platforms}, and this computer is {platform}.', {
    platforms: names,
    platform: name,
  }),

  'driver-being-tried': says('Its driver is being tried.'),
  'driver-gone': says('its driver is gone'),
  'driver-removed': says('its driver was removed'),
  'driver-finds-no-device': says('it finds no device on this computer'),

  // What was asked for a driver.
  'driver-not-found': says(
    'there is no driver "{driver}"',
    { driver: name },
    'See "lode drivers list" for those there are.',
  ),
  'driver-not-approved': says(
    '{driver} is not the file that was approved',
    { driver: name },
    'Look at it again, then approve it.',
  ),
  'driver-not-added': says(
    '{driver} was not added: {reason}',
    { driver: name, reason },
    "Ask the driver's maker for one that works here.",
  ),

  'driver-not-loaded': says('{driver} is not loaded here: {reason}', { driver: name, reason }),
  'driver-file-changed': says('its file has changed'),
  'driver-check-while-mining': says('{device} is mining', { device: name }, 'Stop mining before the check.'),

  // Events.
  'driver-quarantined': says('{driver} is quarantined: {reason}.', { driver: name, reason }),
  'driver-approved': says('{driver} ({sha256}) was approved and added.', { driver: name, sha256: name }),
  'power-limit-left': says('The power limit of {device} could not be put back before its driver was removed.', {
    device: name,
  }),
  'driver-checked-already': says('{driver} is being checked already', { driver: name }, 'Wait for its result.'),
  'power-limit-out-of-range': says(
    '{device} takes a power limit of {minimum} to {maximum} W, not {wanted} W',
    { device: name, minimum: watts, maximum: watts, wanted: watts },
    'Choose one in between.',
  ),
  'driver-other-interface': says(
    '{driver} speaks version {version} of the driver interface, and this Lode speaks version {own}',
    { driver: name, version: number, own: number },
    "Ask the driver's maker for one that fits.",
  ),
  'driver-made-for': says(
    '{driver} is made for {platforms}, and this computer is {platform}',
    { driver: name, platforms: names, platform: name },
    "Ask the driver's maker for one that fits.",
  ),
  'driver-library-missing': says(
    'the library {file} of {driver} is not there',
    { file: path, driver: name, folder: path },
    'It must lie in {folder}.',
  ),
  'driver-named-already': says('there is a driver named {driver} already', { driver: name }, 'Remove it first.'),
  'driver-not-copied': says(
    'the driver could not be copied: {words}',
    { words: foreign, folder: path },
    'See whether {folder} can be written.',
  ),
  'driver-manifest-too-large': says('{file} is too large for a manifest', { file: path }),
  'driver-no-manifest': says(
    'there is no {manifest} at {file}',
    { manifest: name, file: path },
    'Give the folder that has the driver and its manifest.',
  ),
  'driver-manifest-not-json': says('{file} is not JSON', { file: path }, "Ask the driver's maker for one that fits."),
  'driver-manifest-wrong': says(
    '{file}: {fault}',
    { file: path, fault: foreign },
    "Ask the driver's maker for one that fits.",
  ),
  'driver-wrong-hash': says(
    'the library of {driver} has the SHA-256 {found}, and its manifest says {sha256}',
    { driver: name, found: name, sha256: name },
    'Get the driver again from its maker.',
  ),
  'driver-wrong-digests': says('it computes wrong digests on this machine'),
  'driver-silent': says('it did not answer within {seconds} seconds', { seconds: number }),
  'driver-trial-ended': says('the process that tried it was ended from outside'),
  'driver-ended-process': says('it ended the process that it ran in'),
}
