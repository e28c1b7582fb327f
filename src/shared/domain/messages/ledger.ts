/** The ledger and the measurements: what happened to their files. */
import { foreign, name, number, oneOf, path } from './parameters'
import { says } from './definition'

export const ledgerMessages = {
  'ledger-begun-anew': says('This ledger was recreated. The former one was damaged and is kept as {kept}.', {
    kept: name,
  }),
  // `backup` none: there is no backup
  'ledger-damaged': says(
    'The ledger file was damaged and is kept as {kept}. {backup, select, none {There is no backup.} other {The newest backup is backups/{backup}.}}',
    { kept: name, backup: name },
  ),
  'ledger-restored': says('The ledger was restored from backups/{backup}. What came after it is in {kept}.', {
    backup: name,
    kept: name,
  }),
  'ledger-migrated': says('The ledger was brought up to date. Its former state is backups/{backup}.', { backup: name }),
  'ledger-no-job': says('There is no job {job}.', { job: name }, 'Look at the list of jobs.'),
  'ledger-job-state': says('Job {job} is {state}: it cannot become {wanted}.', {
    job: name,
    state: name,
    wanted: name,
  }),
  'metrics-not-written': says('Measurements cannot be written: {words}', { words: foreign }),
  'metrics-begun-anew': says(
    'Measurements of earlier days could not be read and are kept as {kept}. No credit is affected.',
    { kept: name },
  ),
  'metrics-in-memory': says('Measurements cannot be written and will be forgotten at the end: {words}', {
    words: foreign,
  }),
  'backup-failed': says('The daily backup failed: {words}', { words: foreign }),
  'ledger-job-not-running': says('Job {job} is {state}: only a running job can have a result.', {
    job: name,
    state: name,
  }),
  'ledger-receipt-of-other-work': says(
    'The receipt is for other work than it names.',
    'Nothing was credited. Report this to the network.',
  ),
  'ledger-no-work': says('The ledger has no work {work}.', { work: name }),
  'ledger-credit-answered': says('Credit {credit} is {state}: another answer for the same work is not taken.', {
    credit: name,
    state: name,
  }),
  'ledger-file-damaged': says(
    'The ledger file {file} is damaged.',
    { file: path },
    'Stop and start Lode: the file is moved aside as corrupt, never deleted, and the newest backup is named.',
  ),
  'ledger-no-space': says(
    'There is no space left to write {file}.',
    { file: path },
    'Free some space on this disk, or choose another folder with --data-dir.',
  ),
  'ledger-folder-not-usable': says(
    'The data folder cannot be read or written: {file} ({code}).',
    { file: path, code: name },
    'Check that the folder exists and that you may write to it, or choose another with --data-dir.',
  ),
  'ledger-file-held': says('Another program holds {file}.', { file: path }, 'Try again when it has finished.'),
  'ledger-from-earlier': says(
    'The ledger is from an earlier version of Lode.',
    'Start Lode once: it brings the ledger up to date, after a backup.',
  ),
  'ledger-newer': says(
    'The ledger was written by a newer version of Lode (its form is {form}, this version knows {known}).',
    { form: number, known: number },
    'Start the newer version, or choose another folder with --data-dir. The file was not changed.',
  ),
  'ledger-damaged-no-backup': says(
    'The ledger file was damaged and is kept as {kept} in {folder}. There is no backup.',
    { kept: name, folder: path },
    'Start again to begin a new ledger.',
  ),
  'ledger-damaged-with-backup': says(
    'The ledger file was damaged and is kept as {kept} in {folder}. The newest backup is backups/{backup}.',
    { kept: name, folder: path, backup: name },
    'Start again to begin a new ledger. To go back to the backup, copy it to ledger.db first.',
  ),
  'ledger-amount-out-of-range': says(
    'The {whose, select, share {share} result {job result} other {receipt}} states an amount that is out of range.',
    { whose: oneOf('share', 'result', 'receipt') },
    'Nothing was credited. Report this to the network.',
  ),
  'ledger-credit-not-following': says(
    'The {whose, select, share {share} result {job result} other {receipt}} states a credit that does not follow from its work and factor.',
    { whose: oneOf('share', 'result', 'receipt') },
    'Nothing was credited. Report this to the network.',
  ),
}
