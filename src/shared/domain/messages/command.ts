/** The command: options, files and what it waits for. */
import { bytes, foreign, name, number, path, reason } from './parameters'
import { says } from './definition'

export const commandMessages = {
  'bench-file-too-large': says(
    '{file} is too large for a benchmark',
    { file: path },
    'Give a file that "lode bench --export" wrote.',
  ),
  'bench-file-not-read': says('{file} cannot be read', { file: path }, 'Give a file that "lode bench --export" wrote.'),
  'bench-file-not-json': says('{file} is not JSON', { file: path }, 'Give a file that "lode bench --export" wrote.'),
  'bench-file-wrong': says(
    '{file} is no benchmark: {fault}',
    { file: path, fault: foreign },
    'Give a file that "lode bench --export" wrote.',
  ),
  'bench-backend-wrong': says('{backend} computes wrong digests here', { backend: name }),
  'bench-file-not-written': says(
    '{file} cannot be written: {words}',
    { file: path, words: foreign },
    'Choose another place.',
  ),
  'options-power-limit': says('--device and --power-limit belong together', 'Say which device and how many watts.'),
  'drivers-check-nothing-there': says('there is nothing at {path}', { path }, 'Give a driver or its folder.'),
  'drivers-check-no-manifest': says(
    '{path} has no driver.json',
    { path },
    'Give the library itself, or write its manifest.',
  ),
  'drivers-check-no-file': says('driver.json names no file', 'Write it as docs/drivers.md says.'),
  'driver-needs-approval': says(
    'a driver is added only when somebody approves it',
    'Approve it in a terminal, or with --yes.',
  ),
  'driver-not-approved-by-person': says('the driver was not added'),
  'job-engine-went-away': says(
    'the engine went away',
    'The job stays in its ledger; look at the Jobs screen when it runs again.',
  ),
  'command-cancelled': says('cancelled'),
  'job-input-not-taken': says(
    'the input cannot be taken: {fault}',
    { fault: foreign },
    'Give a smaller or another file.',
  ),
  'job-file-empty': says('the file is empty', 'Give a PDF file or a picture: PNG, JPEG, WebP, TIFF, GIF or AVIF.'),
  'job-file-too-large': says(
    'the file has {bytes} bytes, more than {most}',
    { bytes: number, most: number },
    'Give a smaller one.',
  ),
  'job-text-too-long': says(
    'the text has {characters} characters, more than {most}',
    { characters: number, most: number },
    'Give a shorter one.',
  ),
  'job-text-too-many-lines': says(
    'the text has {lines} lines, more than {most}',
    { lines: number, most: number },
    'Give it in parts.',
  ),
  'job-text-not-utf8': says(
    'the input is not text in UTF-8',
    'Give a plain text file; a picture goes with --kind ocr.',
  ),
  'download-engine-went-away': says('the engine went away', 'Start it again; what was fetched is kept.'),
  'download-was-cancelled': says('{model} was cancelled', { model: name }),
  'throttle-no-level': says('which level is to be changed is not said', 'Say --level in-use, idle or night.'),
  'throttle-not-night': says('--from, --to and --off belong to the night', 'Say --level night.'),
  'throttle-hours': says('the hours of the night are not understood', 'Write them 22:00.'),
  'options-stress-or-seconds': says('--stress has minutes, and --seconds is for a benchmark', 'Give one of them.'),
  'options-bench-modes': says('--history and --verify measure nothing', 'Give one of them.'),
  'bench-no-backend': says('it has no backend'),
  'bench-not-computed': says(
    'this computer could not compute the digests: {reason}',
    { reason },
    'Name another --backend.',
  ),
  'job-ended': says('the job ended as {state}', { state: name }),
  'job-without-result': says('{reason}', { reason }, 'Give it another input, or look at the Jobs screen.'),
  'input-no-such-file': says('{file}: there is no such file', { file: path }, 'Name a file, or - for standard input.'),
  'input-is-folder': says('{file}: it is a folder', { file: path }, 'Name a file, or - for standard input.'),
  'input-not-read': says(
    '{file}: it cannot be read ({code})',
    { file: path, code: name },
    'Name a file, or - for standard input.',
  ),
  'download-is-paused': says(
    '{model} is paused at {doneBytes} of {bytes}',
    { model: name, doneBytes: bytes, bytes },
    'The same command goes on from there.',
  ),
  'download-is-paused-anew': says(
    '{model} is paused at {doneBytes} of {bytes}',
    { model: name, doneBytes: bytes, bytes },
    'The same command begins its Python package anew: pip keeps no part of one.',
  ),
  'command-wrong-usage': says('{problem}', { problem: foreign, usage: foreign }, '{usage}'),
}
