/** Settings, and the address that is paid. */
import { name, reason } from './parameters'
import { says } from './definition'

export const settingsMessages = {
  'address-not-confirmed': says(
    'the last six characters do not match; capitals count',
    'Compare the address with the one in your wallet and type its last six characters.',
  ),

  // Events.
  'address-set': says('The payout address was set to {address}.', { address: name }),
  'address-unknown': says('this is no address that Lode knows', 'Copy it again from your wallet.'),
  'address-wrong': says('{reason}', { reason }, 'Copy it again from your wallet.'),
}
