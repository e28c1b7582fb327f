/** Messages that belong to no one part. */
import { foreign, name } from './parameters'
import { says } from './definition'

export const generalMessages = {
  'message-not-known': says('Something that this version has no words for: {code}.', { code: name }),
  'message-not-read': says('Something that this version does not understand.'),
  'foreign-words': says('{words}', { words: foreign }),
  'internal-error': says('{words}', { words: foreign }, 'This is a fault in Lode. Its log has the details.'),
}
