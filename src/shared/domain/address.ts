/**
 * Payout addresses, checked as they are typed: EVM (EIP-55), Bitcoin mainnet (base58check, BIP-173, BIP-350) and Cosmos
 * chains (bech32). Pure: the same check runs in the screen and in the engine. Libraries compute the checksums; this
 * file decides which rule applies and words the mistakes.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bech32, bech32m, createBase58check } from '@scure/base'
import { Address as bitcoinAddress, NETWORK as bitcoinMainnet } from '@scure/btc-signer'
import { addr as evmAddress } from 'micro-eth-signer'
import type { AddressCheck } from '../contract/settings'
import { message, type Message, type MessageParameters } from './messages'

type AddressType = NonNullable<AddressCheck['type']>
type Check = AddressCheck['checks'][number]
type Finding = Omit<AddressCheck, 'ok'>

/**
 * Checks an address and returns all checks in order; the first one that is not ok says what is wrong. `type` is the likely
 * type, also of an incomplete address. `normalized` is the form that is stored: EIP-55
 * capitals, lower-case bech32, base58 as typed; null when refused. Hexadecimal without capitals, or in capitals only,
 * carries no checksum (EIP-55): it is accepted, and the checks say so.
 */
export function checkAddress(text: string): AddressCheck {
  const address = text.trim()
  const found = address === '' ? refused(null, [], message('address-empty')) : examine(address)
  const checks = address === text ? found.checks : [good(message('address-spaces-left-out')), ...found.checks]
  return { ok: found.normalized !== null, type: found.type, checks, normalized: found.normalized }
}

/** What a person types to confirm an address. Capitals count. */
export function lastSix(address: string): string {
  return address.slice(-6)
}

const EVM_LENGTH = 42
/** Places of differing capitals that are named. */
const MOST_PLACES = 3
/** `bc1` with version, 20 or 32 bytes in groups of five bits, six characters of checksum (BIP-141, BIP-173) */
const SEGWIT_SHORT_LENGTH = 42
const SEGWIT_LONG_LENGTH = 62
/** 25 bytes in base58 (BIP-13) */
const BASE58_SHORTEST = 26
const BASE58_LONGEST = 35
/** 20 bytes (an account) or 32 (a contract or module), and the checksum, after the prefix and its "1" */
const COSMOS_SHORT_DATA = 38
const COSMOS_LONG_DATA = 58
/** BIP-173: one code word is at most 90 characters */
const BECH32_LONGEST = 90
const BECH32_CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const BASE58_CHARACTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const TESTNET_BASE58_VERSIONS = [0x6f, 0xc4]
const TESTNET_PREFIXES = ['tb', 'bcrt', 'sb']
/** Bech32 names that look like a Cosmos chain's, but are something else. */
const OTHER_NAMES: Readonly<Record<string, MessageParameters<'address-of-other-kind'>['kind']>> = {
  ltc: 'litecoin',
  npub: 'nostrKey',
  note: 'nostrNote',
  age: 'age',
  erd: 'multiversx',
  zil: 'zilliqa',
  addr: 'cardano',
  stake: 'cardano',
}

const base58check = createBase58check(sha256)
const mainnet = bitcoinAddress(bitcoinMainnet)

function examine(address: string): Finding {
  const secret = secretKind(address)
  if (secret) return refused(null, [], message('address-is-secret', { secret }))
  const strange = Array.from(address).findIndex((character) => !/^[\x21-\x7e]$/.test(character))
  if (strange >= 0) return refused(null, [], foreignCharacter(address, strange))
  if (/^0x/i.test(address)) return examineEvm(address)
  if (/^[0-9a-f]{40}$/i.test(address)) return refused('evm', [], message('address-0x-missing'))
  const prefix = /^([a-z]+)1/i.exec(address)?.[1]
  if (/^[13]/.test(address)) return examineBase58(address)
  if (isTestnetBase58(address)) return refused('bitcoin', [], TESTNET)
  if (prefix && TESTNET_PREFIXES.includes(prefix.toLowerCase())) return refused('bitcoin', [], TESTNET)
  if (prefix?.toLowerCase() === 'bc') return examineSegwit(address)
  if (prefix) return examineCosmos(address, prefix)
  return refused(null, [], message('address-not-known'))
}

function examineEvm(address: string): Finding {
  if (address.startsWith('0X')) return refused('evm', [], message('address-capital-x'))
  const wrong = firstOutside(address, 2, '0123456789abcdefABCDEF')
  if (wrong) return refused('evm', [], message('address-not-hexadecimal', wrong))
  if (address.length !== EVM_LENGTH) return refused('evm', [], lengthText(address.length, EVM_LENGTH))
  const body = address.slice(2)
  const checks = [good(message('address-evm'))]
  if (/^0+$/.test(body)) return refused('evm', checks, message('address-zero'))
  const normalized = evmAddress.addChecksum(address)
  const oneCase = body === body.toLowerCase() || body === body.toUpperCase()
  if (!/[a-f]/i.test(body)) checks.push(good(message('address-digits-only')))
  else if (address === normalized) checks.push(good(message('address-capitals-match')))
  else if (oneCase) {
    const isSmall = body === body.toLowerCase()
    checks.push(good(message(isSmall ? 'address-small-letters-only' : 'address-capitals-only')))
  }
  if (evmAddress.isValid(address)) return { type: 'evm', checks, normalized }
  const differing = Array.from(address).flatMap((character, index) =>
    character === normalized[index] ? [] : [index + 1],
  )
  const places = differing.slice(0, MOST_PLACES).join(', ')
  const more = differing.length - MOST_PLACES
  return refused(
    'evm',
    checks,
    more > 0
      ? message('address-checksum-differs-more', { places, more })
      : message('address-checksum-differs', { places }),
  )
}

function examineSegwit(address: string): Finding {
  const lower = address.toLowerCase()
  if (isMixedCase(address)) return refused('bitcoin', [], MIXED_CASE)
  const wrong = firstOutside(lower, 3, BECH32_CHARACTERS)
  if (wrong) return refused('bitcoin', [], message('address-character', wrong))
  const version = BECH32_CHARACTERS.indexOf(lower[3] ?? 'q')
  const wrongLength =
    version === 0
      ? twoLengthsText(lower.length, SEGWIT_SHORT_LENGTH, SEGWIT_LONG_LENGTH)
      : version === 1 && lower.length !== SEGWIT_LONG_LENGTH && lengthText(lower.length, SEGWIT_LONG_LENGTH)
  if (wrongLength) return refused('bitcoin', [], wrongLength)
  const checks = [
    good(message('address-bitcoin', { form: version === 1 ? 'taproot' : 'segwit', characters: lower.length })),
  ]
  const [own, other] = version === 0 ? ([bech32, bech32m] as const) : ([bech32m, bech32] as const)
  if (!own.decodeUnsafe(lower, BECH32_LONGEST)) {
    const kinds = version === 0 ? { found: 'bech32m', wanted: 'bech32' } : { found: 'bech32', wanted: 'bech32m' }
    const known = other.decodeUnsafe(lower, BECH32_LONGEST) !== undefined
    return refused('bitcoin', checks, known ? message('address-checksum-kind', kinds) : WRONG_CHECKSUM)
  }
  if (version > 1) {
    const code = version > 16 ? 'address-version-none' : 'address-version-unused'
    return refused('bitcoin', [], message(code, { version }))
  }
  checks.push(good(message('address-checksum-matches', { kind: version === 0 ? 'bech32' : 'bech32m' })))
  return finishBitcoin(lower, checks)
}

function examineBase58(address: string): Finding {
  const wrong = firstOutside(address, 0, BASE58_CHARACTERS)
  if (wrong) return refused('bitcoin', [], message('address-character', wrong))
  if (address.length < BASE58_SHORTEST) {
    return refused('bitcoin', [], message('address-least-missing', { characters: BASE58_SHORTEST - address.length }))
  }
  if (address.length > BASE58_LONGEST) {
    return refused('bitcoin', [], message('address-least-too-many', { characters: address.length - BASE58_LONGEST }))
  }
  const form = address.startsWith('1') ? 'key' : 'script'
  const checks = [good(message('address-bitcoin', { form, characters: address.length }))]
  const bytes = decodeBase58(address)
  if (!bytes) return refused('bitcoin', checks, message('address-checksum-wrong-or-missing'))
  checks.push(good(message('address-checksum-matches', { kind: 'base58check' })))
  return finishBitcoin(address, checks)
}

/** The library decides on the rest: payload lengths, padding, versions. */
function finishBitcoin(address: string, checks: Check[]): Finding {
  try {
    const decoded = mainnet.decode(address)
    const payload = 'hash' in decoded ? decoded.hash : 'pubkey' in decoded ? decoded.pubkey : undefined
    if (payload instanceof Uint8Array && payload.every((byte) => byte === 0)) return refused('bitcoin', checks, ZERO)
    return { type: 'bitcoin', checks, normalized: address }
  } catch {
    return refused('bitcoin', checks, message('address-not-bitcoin'))
  }
}

function examineCosmos(address: string, prefix: string): Finding {
  const lower = address.toLowerCase()
  const name = prefix.toLowerCase()
  const other = OTHER_NAMES[name]
  if (other) return refused(null, [], message('address-of-other-kind', { kind: other }))
  if (isMixedCase(address)) return refused('cosmos', [], MIXED_CASE)
  if (!/^[a-z]{2,20}$/.test(name)) return refused(null, [], message('address-no-chain'))
  if (/(valoper|valcons|pub)$/.test(name)) {
    return refused('cosmos', [], message('address-of-validator', { prefix: name }))
  }
  const dataStart = name.length + 1
  const wrong = firstOutside(lower, dataStart, BECH32_CHARACTERS)
  if (wrong) return refused('cosmos', [], message('address-character', wrong))
  const wrongLength = twoLengthsText(lower.length, dataStart + COSMOS_SHORT_DATA, dataStart + COSMOS_LONG_DATA)
  if (wrongLength) return refused('cosmos', [], wrongLength)
  const checks = [good(message('address-cosmos', { chain: name, characters: lower.length }))]
  const decoded = bech32.decodeUnsafe(lower, BECH32_LONGEST)
  if (!decoded) {
    const known = bech32m.decodeUnsafe(lower, BECH32_LONGEST) !== undefined
    return refused(
      'cosmos',
      checks,
      known ? message('address-checksum-kind', { found: 'bech32m', wanted: 'bech32' }) : WRONG_CHECKSUM,
    )
  }
  checks.push(good(message('address-checksum-matches', { kind: 'bech32' })))
  const bytes = bech32.fromWordsUnsafe(decoded.words)
  if (!(bytes instanceof Uint8Array) || (bytes.length !== 20 && bytes.length !== 32)) {
    return refused('cosmos', checks, message('address-content-size'))
  }
  if (bytes.every((byte) => byte === 0)) return refused('cosmos', checks, ZERO)
  return { type: 'cosmos', checks, normalized: lower }
}

/** Keys and phrases that spend money: pasted here by mistake they must not be stored or shown. */
function secretKind(address: string): 'key' | 'phrase' | undefined {
  if (/^(0x)?[0-9a-f]{64}$/i.test(address)) return 'key'
  if (/^([xyzt]prv|nsec1)/i.test(address)) return 'key'
  if (/^[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}$/.test(address) && decodeBase58(address)) return 'key'
  const words = address.split(/\s+/)
  if (words.length >= 12 && words.every((word) => /^[a-z]+$/i.test(word))) return 'phrase'
  return undefined
}

const TESTNET = message('address-testnet')
const WRONG_CHECKSUM = message('address-checksum-wrong')
const MIXED_CASE = message('address-mixed-case')
const ZERO = message('address-content-zero')

function good(words: Message): Check {
  return { ok: true, words }
}

function refused(type: AddressType | null, checks: Check[], words: Message): Finding {
  return { type, checks: [...checks, { ok: false, words }], normalized: null }
}

function lengthText(actual: number, expected: number): Message {
  return actual < expected
    ? message('address-missing', { characters: expected - actual })
    : message('address-too-many', { characters: actual - expected })
}

function twoLengthsText(actual: number, short: number, long: number): Message | undefined {
  if (actual === short || actual === long) return undefined
  if (actual < short) return message('address-least-missing', { characters: short - actual })
  return actual > long
    ? message('address-too-many', { characters: actual - long })
    : message('address-too-many-or-missing', { characters: actual - short, missing: long - actual })
}

/** The first character from `start` on that is not in `alphabet`, with its place, or undefined. */
function firstOutside(
  address: string,
  start: number,
  alphabet: string,
): { character: string; place: number } | undefined {
  for (let index = start; index < address.length; index++) {
    const character = address[index] ?? ''
    if (!alphabet.includes(character)) return { character, place: index + 1 }
  }
  return undefined
}

function foreignCharacter(address: string, index: number): Message {
  const character = Array.from(address)[index] ?? ''
  if (/\s/.test(character)) return message('address-space-inside', { place: index + 1 })
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return message('address-foreign-character', { place: index + 1, code })
}

function isMixedCase(address: string): boolean {
  return address !== address.toLowerCase() && address !== address.toUpperCase()
}

function isTestnetBase58(address: string): boolean {
  const bytes = decodeBase58(address)
  return bytes?.length === 21 && TESTNET_BASE58_VERSIONS.includes(bytes[0] ?? -1)
}

function decodeBase58(address: string): Uint8Array | undefined {
  try {
    return base58check.decode(address)
  } catch {
    return undefined
  }
}
