/** Payout addresses: each check of one, and what is wrong with it. */
import { count, name, number, oneOf } from './parameters'
import { says } from './definition'

export const addressMessages = {
  'address-empty': says('Nothing typed yet'),
  'address-spaces-left-out': says('Spaces before or after it are left out'),
  'address-is-secret': says(
    'This looks like a {secret, select, phrase {recovery phrase} other {private key}}. Show it to nobody; only an address belongs here',
    { secret: oneOf('key', 'phrase') },
  ),
  'address-0x-missing': says('0x is missing at the start'),
  'address-not-known': says(
    'Not an address known here: EVM starts with 0x, Bitcoin with bc1, 1 or 3, Cosmos with a name and 1',
  ),
  'address-capital-x': says('An EVM address starts with a small x: 0x'),
  'address-not-hexadecimal': says('“{character}” at place {place} is neither a digit nor a letter from a to f', {
    character: name,
    place: number,
  }),
  'address-evm': says('EVM, 42 characters'),
  'address-zero': says('The zero address belongs to nobody: what is sent there is lost'),
  'address-digits-only': says('Digits only, so there is no checksum: compare every character'),
  'address-capitals-match': says('Capitals match the checksum (EIP-55)'),
  'address-small-letters-only': says('Small letters only, so there is no checksum: compare every character'),
  'address-capitals-only': says('Capitals only, so there is no checksum: compare every character'),
  'address-checksum-differs-more': says(
    'Checksum does not match (EIP-55): a character is wrong. Capitals differ at place {places} and {more} more',
    { places: name, more: number },
  ),
  'address-checksum-differs': says(
    'Checksum does not match (EIP-55): a character is wrong. Capitals differ at place {places}',
    { places: name },
  ),
  'address-character': says('“{character}” at place {place} does not occur in such an address', {
    character: name,
    place: number,
  }),
  'address-bitcoin': says(
    'Bitcoin, {form, select, taproot {Taproot} segwit {SegWit} key {public key hash} other {script hash}}, {characters} characters',
    { form: oneOf('taproot', 'segwit', 'key', 'script'), characters: number },
  ),
  'address-checksum-kind': says('Checksum is of the wrong kind: {found} where {wanted} belongs', {
    found: name,
    wanted: name,
  }),
  'address-version-none': says('Version {version} does not exist', { version: number }),
  'address-version-unused': says('Version {version} of Bitcoin addresses is not in use', { version: number }),
  'address-checksum-matches': says('Checksum matches ({kind})', { kind: name }),
  'address-least-missing': says('At least {characters, plural, one {# character} other {# characters}} missing', {
    characters: count,
  }),
  'address-least-too-many': says('At least {characters, plural, one {# character} other {# characters}} too many', {
    characters: count,
  }),
  'address-missing': says('{characters, plural, one {# character} other {# characters}} missing', {
    characters: count,
  }),
  'address-too-many': says('{characters, plural, one {# character} other {# characters}} too many', {
    characters: count,
  }),
  'address-too-many-or-missing': says(
    '{characters, plural, one {# character} other {# characters}} too many, or {missing} missing',
    { characters: count, missing: number },
  ),
  'address-checksum-wrong-or-missing': says('Checksum does not match: a character is wrong or missing'),
  'address-not-bitcoin': says('Its content is not that of a Bitcoin address'),
  'address-of-other-kind': says(
    'This is {kind, select, litecoin {a Litecoin address} nostrKey {a Nostr key} nostrNote {a Nostr note} age {an age encryption key} multiversx {a MultiversX address} zilliqa {a Zilliqa address} other {a Cardano address}}, which cannot be paid to',
    { kind: oneOf('litecoin', 'nostrKey', 'nostrNote', 'age', 'multiversx', 'zilliqa', 'cardano') },
  ),
  'address-no-chain': says('The name before the 1 is not that of a Cosmos chain: 2 to 20 letters'),
  'address-of-validator': says("{prefix} names a validator or a key: an account's address is needed", { prefix: name }),
  'address-cosmos': says('Cosmos, {chain}, {characters} characters', { chain: name, characters: number }),
  'address-content-size': says('Its content is neither 20 nor 32 bytes'),
  'address-testnet': says('A Bitcoin test network address: nothing of value can be paid there'),
  'address-checksum-wrong': says('Checksum does not match: a character is wrong'),
  'address-mixed-case': says('Capital and small letters are mixed: such an address uses one or the other'),
  'address-content-zero': says('Its content is all zeros and belongs to nobody: what is sent there is lost'),
  'address-space-inside': says('There is a space inside, at place {place}', { place: number }),
  'address-foreign-character': says(
    'The character at place {place} (U+{code}) does not occur in addresses; it may only look like one that does',
    { place: number, code: name },
  ),
}
