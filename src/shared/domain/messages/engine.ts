/** The engine as a process: how it starts and ends, and how it is reached. */
import { count, foreign, name, path } from './parameters'
import { says } from './definition'

export const engineMessages = {
  'engine-keeps-stopping': says(
    'The engine stopped {times} times within ten minutes.{exit, select, none {} other { The last exit code was {exit}.}}',
    { times: count, exit: name },
    'Nothing is mined now, and credits already accepted are kept. Retry starts it again. If it stops again, start Lode in a terminal: it prints the reason there.',
  ),
  'engine-not-running': says('The engine is not running.'),
  'check-cancelled': says('the check was cancelled'),
  'engine-stopping': says('the engine is stopping', 'Start it again.'),
  'upload-not-found': says('nothing was uploaded under that name', 'Drop the files again.'),
  'verifier-stopped': says('verifier was stopped'),
  'engine-runs-already': says(
    'Lode is already running in {folder}.',
    { folder: path },
    'Use that one, stop it with "lode stop", or choose another folder with --data-dir.',
  ),
  'engine-runs-already-as': says(
    'Lode is already running in {folder} (process {process}).',
    { folder: path, process: name },
    'Use that one, stop it with "lode stop", or choose another folder with --data-dir.',
  ),
  'engine-went-away': says('the engine went away', 'Start it again.'),
  'engine-silent': says('the engine does not answer', 'If it hangs, end its process and start it again.'),
  'engine-token-refused': says('the engine did not take the token in engine.json'),
  'engine-not-running-here': says(
    'no engine runs for {folder}',
    { folder: path },
    'Start one with "lode mine", or name its folder with --data-dir.',
  ),
  'server-no-procedure': says('there is no procedure "{method}"', { method: name }),
  'server-message-wrong': says('message not understood: {fault}', { fault: foreign }),
  'server-no-event': says('there is no event "{event}"', { event: name }),
  'server-too-many-requests': says('too many requests at once', 'Wait for answers before you ask again.'),
  'server-port-taken': says(
    'port {port} cannot be used ({code})',
    { port: name, code: name },
    'Choose another one, or leave --port out for a free one.',
  ),
  'answer-not-understood': says(
    "the engine's answer to {method} was not understood: {fault}",
    { method: name, fault: foreign },
    'The engine may be of another version.',
  ),
}
