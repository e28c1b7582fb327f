/** Digests of nonces 0 and 1 of the benchmark epoch and key: from ITP-1's published vectors. A machine that computes wrongly shows here. */
import type { TierName } from '#shared/domain/tiers'

export const GOLDEN_DIGESTS: Readonly<Record<TierName, readonly [string, string]>> = {
  'itp1-test': [
    '3032e9cc2339963e2a2f6c74549affb88aa357f20c259a3bc811f200eef73d5d',
    'ec5871486762a21414c8c112ca5cdf61428dc7a480118ecafdb047d2e78c99fa',
  ],
  'itp1-small': [
    '9fcba59f24e6c9ee92972d530d0d43ac0c5138a6d5a43bcbc51ddf9d7d34401c',
    '7cb026ce144a4d71d9de35c8cce260ec6167a1dbc4e2f409a64cd5ea3a453af4',
  ],
  'itp1-base': [
    '0cc1047ace49dc9448f3da85a5b1158ff209ddd88d173e148430631124110908',
    '0457cbf7d019dfb068540a4a3dc6ce7f1b9b2d99be757bde05c744697e21f20b',
  ],
}
