/** The screens: what they say themselves before they ask the engine. */
import { bytes, name, number } from './parameters'
import { says } from './definition'

export const screenMessages = {
  'screen-engine-silent': says('Lode does not answer.', 'It is tried again by itself.'),
  'screen-no-picture': says('There is no picture yet.', 'Choose one.'),
  'screen-folder-too-full': says(
    'the folder holds more than {most} files',
    { most: number },
    'Drop the folder of one model.',
  ),
  'screen-nothing-chosen': says('nothing was chosen', 'Choose a file.'),
  'screen-engine-not-reached': says('the engine cannot be reached', 'Write the path instead.'),
  'screen-file-not-sent': says(
    '{file} could not be sent to the engine',
    { file: name },
    'Try again, or write its path.',
  ),
  'screen-upload-disk-full': says(
    '{file} was not taken: the disk is full',
    { file: name },
    'Free some space, then try again.',
  ),
  'screen-upload-refused': says(
    '{file} was not taken (answer {status})',
    { file: name, status: name },
    'Write its path instead.',
  ),
  'screen-picture-too-large': says(
    'This picture has {bytes}; at most {most} can be read.',
    { bytes, most: bytes },
    'Choose a smaller one.',
  ),
}
