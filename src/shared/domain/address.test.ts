import { bech32, bech32m } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { inEnglish, message } from '#shared/domain/messages'
import { checkAddress, lastSix } from './address'

/** the first thing that is wrong, in words */
const wrong = (address: string): string =>
  checkAddress(address)
    .checks.filter((check) => !check.ok)
    .map((check) => inEnglish.text(check.words))[0] ?? ''
const words = (address: string): string[] => checkAddress(address).checks.map((check) => inEnglish.text(check.words))

const EIP55 = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]
/** BIP-173, BIP-350; base58check of BIP-13/16 and of the Bitcoin Core test data */
const BITCOIN = [
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
  'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
  '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
  '1AGNa15ZQXAZUgFiqJ2i7Z2DPU2J6hW62i',
  '3CMNFxN1oHBc4R1EpboAL5yzHGgE611Xou',
]
/** published examples of Cosmos SDK chains: accounts, module accounts, a CosmWasm contract of 32 bytes */
const COSMOS = [
  'cosmos1h806c7khnvmjlywdrkdgk2vrayy2mmvf9rxk2r',
  'cosmos1pkptre7fdkl6gfrzlesjjvhxhlc3r4gmmk8rs6',
  'cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn',
  'juno14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9skjuwg8',
]

describe('EVM', () => {
  it.each(EIP55)('takes the published vector %s', (address) => {
    expect(checkAddress(address)).toEqual({
      ok: true,
      type: 'evm',
      checks: [
        { ok: true, words: message('address-evm') },
        { ok: true, words: message('address-capitals-match') },
      ],
      normalized: address,
    })
  })

  it('gives capitals to an address without a checksum, and says that it had none', () => {
    const lower = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'
    for (const typed of [lower, `0x${lower.slice(2).toUpperCase()}`]) {
      const check = checkAddress(typed)
      expect(check.ok).toBe(true)
      expect(check.normalized).toBe('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')
      expect(words(typed).at(-1)).toMatch(/^(Small letters|Capitals) only, so there is no checksum/)
    }
    expect(words('0x1234567890123456789012345678901234567890').at(-1)).toMatch(/^Digits only/)
  })

  it('says what is wrong', () => {
    expect(wrong('0x5aAeb6053f')).toBe('30 characters missing')
    expect(wrong('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe')).toBe('1 character missing')
    expect(wrong('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00')).toBe('2 characters too many')
    expect(wrong('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg')).toContain('“g” at place 42')
    expect(wrong('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD')).toBe(
      'Checksum does not match (EIP-55): a character is wrong. Capitals differ at place 42',
    )
    expect(wrong('5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed')).toBe('0x is missing at the start')
    expect(wrong(`0x${'0'.repeat(40)}`)).toContain('zero address')
    expect(checkAddress('0x5aAe').type).toBe('evm')
  })
})

describe('Bitcoin', () => {
  it.each(BITCOIN)('takes %s', (address) => {
    expect(checkAddress(address)).toMatchObject({ ok: true, type: 'bitcoin', normalized: address })
  })

  it('names the kind and the checksum', () => {
    expect(words(BITCOIN[0] ?? '')).toEqual(['Bitcoin, SegWit, 42 characters', 'Checksum matches (bech32)'])
    expect(words(BITCOIN[2] ?? '')).toEqual(['Bitcoin, Taproot, 62 characters', 'Checksum matches (bech32m)'])
    expect(words(BITCOIN[3] ?? '')).toEqual(['Bitcoin, script hash, 34 characters', 'Checksum matches (base58check)'])
  })

  it('stores capital bech32 in small letters', () => {
    const check = checkAddress('BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4')
    expect(check).toMatchObject({ ok: true, normalized: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' })
  })

  it.each([
    'tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty',
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
    'BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2',
    'bc1rw5uspcuh',
    'bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90',
    'BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P',
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7',
    'bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du',
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv',
    'bc1gmk9yu',
    'tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
    'BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL',
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh',
    'bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4',
    'BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R',
    'bc1pw5dgrnzv',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav',
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf',
  ])('refuses the invalid vector %s', (address) => {
    expect(checkAddress(address)).toMatchObject({ ok: false, normalized: null })
    expect(wrong(address)).not.toBe('')
  })

  it('says what is wrong', () => {
    expect(wrong('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5')).toBe('Checksum does not match: a character is wrong')
    expect(wrong('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh')).toContain('bech32m where bech32 belongs')
    expect(wrong('bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd')).toContain(
      'bech32 where bech32m belongs',
    )
    expect(wrong('BC1SW50QGDZ25J')).toBe('Version 16 of Bitcoin addresses is not in use')
    expect(wrong('bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs')).toBe('Version 2 of Bitcoin addresses is not in use')
    expect(wrong('bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')).toContain('mixed')
    expect(wrong('bc1qw508')).toBe('At least 34 characters missing')
    expect(wrong('3P14159f73E4gFr7JterCCQh9QjiTjiZr0')).toBe('“0” at place 34 does not occur in such an address')
    expect(wrong('3P14159f73E4gFr7JterCCQh9QjiTjiZrH')).toBe('Checksum does not match: a character is wrong or missing')
    expect(wrong('1111111111111111111114oLvT2')).toContain('all zeros')
  })

  it.each([
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
    'tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c',
    'mo9ncXisMeAoXwqcV5EWuyncbmCcQN4rVs',
    '2N2JD6wb56AfK4tfmM6PwdVmoYk2dCKf4Br',
  ])('refuses the test network: %s', (address) => {
    expect(checkAddress(address).ok).toBe(false)
    expect(wrong(address)).toContain('test network')
  })
})

describe('Cosmos', () => {
  it.each(COSMOS)('takes %s', (address) => {
    expect(checkAddress(address)).toMatchObject({ ok: true, type: 'cosmos', normalized: address })
  })

  it('takes any chain, capitals too, and stores small letters', () => {
    const account = Uint8Array.from({ length: 20 }, (_, index) => index + 1)
    const gonka = bech32.encodeFromBytes('gonka', account)
    expect(words(gonka)).toEqual(['Cosmos, gonka, 44 characters', 'Checksum matches (bech32)'])
    expect(checkAddress(gonka.toUpperCase())).toMatchObject({ ok: true, normalized: gonka })
  })

  it('says what is wrong', () => {
    const account = new Uint8Array(20).fill(7)
    expect(wrong('gonka1')).toBe('At least 38 characters missing')
    expect(wrong('cosmos1h806c7khnvmjlywdrkdgk2vrayy2mmvf9rxk2q')).toBe('Checksum does not match: a character is wrong')
    expect(wrong('cosmos1H806c7khnvmjlywdrkdgk2vrayy2mmvf9rxk2r')).toContain('mixed')
    expect(wrong('cosmos1b806c7khnvmjlywdrkdgk2vrayy2mmvf9rxk2r')).toContain('“b” at place 8')
    expect(wrong(bech32m.encode('gonka', bech32m.toWords(account)))).toContain('bech32m where bech32 belongs')
    expect(wrong(bech32.encodeFromBytes('gonka', new Uint8Array(21).fill(7)))).toContain('too many')
    expect(wrong(bech32.encodeFromBytes('gonka', new Uint8Array(20)))).toContain('all zeros')
    expect(wrong(bech32.encodeFromBytes('cosmosvaloper', account))).toContain('validator')
    expect(wrong('ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9')).toContain('Litecoin')
  })

  it('refuses content that is padded wrongly, though its checksum fits', () => {
    // 32 bytes fill 51 groups of five bits and one bit of the last: the other four must be zero
    const groups = bech32.toWords(new Uint8Array(32).fill(7))
    groups[51] = (groups[51] ?? 0) | 1
    const padded = bech32.encode('gonka', groups)
    expect(wrong(padded)).toBe('Its content is neither 20 nor 32 bytes')
  })
})

describe('everything else', () => {
  it('leaves out spaces around it and says so', () => {
    expect(checkAddress(` ${EIP55[4]}\n`)).toMatchObject({ ok: true, normalized: EIP55[4] })
    expect(words(` ${EIP55[4]}`)[0]).toBe('Spaces before or after it are left out')
  })

  it('refuses spaces inside and letters that only look right', () => {
    expect(wrong('0x5aAeb6053F3E94C9b9A0 9f33669435E7Ef1BeAed')).toBe('There is a space inside, at place 23')
    expect(wrong('bc1qw508d6qеjxtdg4y5r3zarvary0c5xw7kv8f3t4')).toContain('U+0435')
    expect(wrong('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\u200b')).toContain('U+200B')
  })

  it('recognizes what must not be shown to anyone', () => {
    expect(wrong('5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ')).toContain('private key')
    expect(wrong(`0x${'4c'.repeat(32)}`)).toContain('private key')
    expect(wrong('legal winner thank year wave sausage worth useful legal winner thank yellow')).toContain(
      'recovery phrase',
    )
  })

  it.each(['', '   ', 'hello', 'vitalik.eth', '0', 'x'.repeat(200), '€'])('refuses %j with a sentence', (typed) => {
    expect(checkAddress(typed)).toMatchObject({ ok: false, normalized: null })
    expect(wrong(typed).length).toBeGreaterThan(10)
  })

  it('has six last characters', () => expect(lastSix(EIP55[4] ?? '')).toBe('1BeAed'))
})

describe('one wrong character', () => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  // those with both cases: the others carry no checksum once a letter changes to the same case
  const checksummed = [...EIP55.slice(4), ...BITCOIN, ...COSMOS]

  it.each(checksummed)('is found wherever it stands in %s', (address) => {
    const accepted: string[] = []
    for (let place = 0; place < address.length; place++) {
      for (const character of alphabet) {
        if (character === address[place]) continue
        const mutated = address.slice(0, place) + character + address.slice(place + 1)
        if (checkAddress(mutated).ok) accepted.push(mutated)
      }
    }
    expect(accepted).toEqual([])
  })

  it.each(checksummed)('is found when it is missing from %s', (address) => {
    for (let place = 0; place < address.length; place++) {
      expect(checkAddress(address.slice(0, place) + address.slice(place + 1)).ok).toBe(false)
    }
  })
})
