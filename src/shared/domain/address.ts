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
  const found = address === '' ? refused(null, [], 'Nothing typed yet') : examine(address)
  const checks = address === text ? found.checks : [good('Spaces before or after it are left out'), ...found.checks]
  return { ok: found.normalized !== null, type: found.type, checks, normalized: found.normalized }
}

/** What a person types to confirm an address. Capitals count. */
export function lastSix(address: string): string {
  return address.slice(-6)
}

const EVM_LENGTH = 42
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
const OTHER_NAMES: Readonly<Record<string, string>> = {
  ltc: 'a Litecoin address',
  npub: 'a Nostr key',
  note: 'a Nostr note',
  age: 'an age encryption key',
  erd: 'a MultiversX address',
  zil: 'a Zilliqa address',
  addr: 'a Cardano address',
  stake: 'a Cardano address',
}

const base58check = createBase58check(sha256)
const mainnet = bitcoinAddress(bitcoinMainnet)

function examine(address: string): Finding {
  const secret = secretKind(address)
  if (secret) return refused(null, [], `This looks like a ${secret}. Show it to nobody; only an address belongs here`)
  const strange = Array.from(address).findIndex((character) => !/^[\x21-\x7e]$/.test(character))
  if (strange >= 0) return refused(null, [], foreignCharacter(address, strange))
  if (/^0x/i.test(address)) return examineEvm(address)
  if (/^[0-9a-f]{40}$/i.test(address)) return refused('evm', [], '0x is missing at the start')
  const prefix = /^([a-z]+)1/i.exec(address)?.[1]
  if (/^[13]/.test(address)) return examineBase58(address)
  if (isTestnetBase58(address)) return refused('bitcoin', [], testnetText)
  if (prefix && TESTNET_PREFIXES.includes(prefix.toLowerCase())) return refused('bitcoin', [], testnetText)
  if (prefix?.toLowerCase() === 'bc') return examineSegwit(address)
  if (prefix) return examineCosmos(address, prefix)
  return refused(
    null,
    [],
    'Not an address known here: EVM starts with 0x, Bitcoin with bc1, 1 or 3, Cosmos with a name and 1',
  )
}

function examineEvm(address: string): Finding {
  if (address.startsWith('0X')) return refused('evm', [], 'An EVM address starts with a small x: 0x')
  const wrong = firstOutside(address, 2, '0123456789abcdefABCDEF')
  if (wrong) return refused('evm', [], `${wrong} is neither a digit nor a letter from a to f`)
  if (address.length !== EVM_LENGTH) return refused('evm', [], lengthText(address.length, EVM_LENGTH))
  const body = address.slice(2)
  const checks = [good('EVM, 42 characters')]
  if (/^0+$/.test(body)) return refused('evm', checks, 'The zero address belongs to nobody: what is sent there is lost')
  const normalized = evmAddress.addChecksum(address)
  const oneCase = body === body.toLowerCase() || body === body.toUpperCase()
  if (!/[a-f]/i.test(body)) checks.push(good('Digits only, so there is no checksum: compare every character'))
  else if (address === normalized) checks.push(good('Capitals match the checksum (EIP-55)'))
  else if (oneCase) {
    const which = body === body.toLowerCase() ? 'Small letters' : 'Capitals'
    checks.push(good(`${which} only, so there is no checksum: compare every character`))
  }
  if (evmAddress.isValid(address)) return { type: 'evm', checks, normalized }
  const differing = Array.from(address).flatMap((character, index) =>
    character === normalized[index] ? [] : [index + 1],
  )
  const places =
    differing.length > 3 ? `${differing.slice(0, 3).join(', ')} and ${differing.length - 3} more` : differing.join(', ')
  return refused(
    'evm',
    checks,
    `Checksum does not match (EIP-55): a character is wrong. Capitals differ at place ${places}`,
  )
}

function examineSegwit(address: string): Finding {
  const lower = address.toLowerCase()
  if (isMixedCase(address)) return refused('bitcoin', [], mixedCaseText)
  const wrong = firstOutside(lower, 3, BECH32_CHARACTERS)
  if (wrong) return refused('bitcoin', [], `${wrong} does not occur in such an address`)
  const version = BECH32_CHARACTERS.indexOf(lower[3] ?? 'q')
  const wrongLength =
    version === 0
      ? twoLengthsText(lower.length, SEGWIT_SHORT_LENGTH, SEGWIT_LONG_LENGTH)
      : version === 1 && lower.length !== SEGWIT_LONG_LENGTH && lengthText(lower.length, SEGWIT_LONG_LENGTH)
  if (wrongLength) return refused('bitcoin', [], wrongLength)
  const checks = [good(`Bitcoin, ${version === 1 ? 'Taproot' : 'SegWit'}, ${lower.length} characters`)]
  const [own, other] = version === 0 ? ([bech32, bech32m] as const) : ([bech32m, bech32] as const)
  if (!own.decodeUnsafe(lower, BECH32_LONGEST)) {
    const kind = version === 0 ? 'bech32m where bech32 belongs' : 'bech32 where bech32m belongs'
    const known = other.decodeUnsafe(lower, BECH32_LONGEST) !== undefined
    return refused('bitcoin', checks, known ? `Checksum is of the wrong kind: ${kind}` : wrongChecksumText)
  }
  if (version > 1) {
    const text =
      version > 16 ? `Version ${version} does not exist` : `Version ${version} of Bitcoin addresses is not in use`
    return refused('bitcoin', [], text)
  }
  checks.push(good(`Checksum matches (${version === 0 ? 'bech32' : 'bech32m'})`))
  return finishBitcoin(lower, checks)
}

function examineBase58(address: string): Finding {
  const wrong = firstOutside(address, 0, BASE58_CHARACTERS)
  if (wrong) return refused('bitcoin', [], `${wrong} does not occur in such an address`)
  if (address.length < BASE58_SHORTEST) {
    return refused('bitcoin', [], `At least ${characters(BASE58_SHORTEST - address.length)} missing`)
  }
  if (address.length > BASE58_LONGEST) {
    return refused('bitcoin', [], `At least ${characters(address.length - BASE58_LONGEST)} too many`)
  }
  const kind = address.startsWith('1') ? 'public key hash' : 'script hash'
  const checks = [good(`Bitcoin, ${kind}, ${address.length} characters`)]
  const bytes = decodeBase58(address)
  if (!bytes) return refused('bitcoin', checks, 'Checksum does not match: a character is wrong or missing')
  checks.push(good('Checksum matches (base58check)'))
  return finishBitcoin(address, checks)
}

/** The library decides on the rest: payload lengths, padding, versions. */
function finishBitcoin(address: string, checks: Check[]): Finding {
  try {
    const decoded = mainnet.decode(address)
    const payload = 'hash' in decoded ? decoded.hash : 'pubkey' in decoded ? decoded.pubkey : undefined
    if (payload instanceof Uint8Array && payload.every((byte) => byte === 0))
      return refused('bitcoin', checks, zeroText)
    return { type: 'bitcoin', checks, normalized: address }
  } catch {
    return refused('bitcoin', checks, 'Its content is not that of a Bitcoin address')
  }
}

function examineCosmos(address: string, prefix: string): Finding {
  const lower = address.toLowerCase()
  const name = prefix.toLowerCase()
  const other = OTHER_NAMES[name]
  if (other) return refused(null, [], `This is ${other}, which cannot be paid to`)
  if (isMixedCase(address)) return refused('cosmos', [], mixedCaseText)
  if (!/^[a-z]{2,20}$/.test(name))
    return refused(null, [], 'The name before the 1 is not that of a Cosmos chain: 2 to 20 letters')
  if (/(valoper|valcons|pub)$/.test(name)) {
    return refused('cosmos', [], `${name} names a validator or a key: an account's address is needed`)
  }
  const dataStart = name.length + 1
  const wrong = firstOutside(lower, dataStart, BECH32_CHARACTERS)
  if (wrong) return refused('cosmos', [], `${wrong} does not occur in such an address`)
  const wrongLength = twoLengthsText(lower.length, dataStart + COSMOS_SHORT_DATA, dataStart + COSMOS_LONG_DATA)
  if (wrongLength) return refused('cosmos', [], wrongLength)
  const checks = [good(`Cosmos, ${name}, ${lower.length} characters`)]
  const decoded = bech32.decodeUnsafe(lower, BECH32_LONGEST)
  if (!decoded) {
    const known = bech32m.decodeUnsafe(lower, BECH32_LONGEST) !== undefined
    return refused(
      'cosmos',
      checks,
      known ? 'Checksum is of the wrong kind: bech32m where bech32 belongs' : wrongChecksumText,
    )
  }
  checks.push(good('Checksum matches (bech32)'))
  const bytes = bech32.fromWordsUnsafe(decoded.words)
  if (!(bytes instanceof Uint8Array) || (bytes.length !== 20 && bytes.length !== 32)) {
    return refused('cosmos', checks, 'Its content is neither 20 nor 32 bytes')
  }
  if (bytes.every((byte) => byte === 0)) return refused('cosmos', checks, zeroText)
  return { type: 'cosmos', checks, normalized: lower }
}

/** Keys and phrases that spend money: pasted here by mistake they must not be stored or shown. */
function secretKind(address: string): string | undefined {
  if (/^(0x)?[0-9a-f]{64}$/i.test(address)) return 'private key'
  if (/^([xyzt]prv|nsec1)/i.test(address)) return 'private key'
  if (/^[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51}$/.test(address) && decodeBase58(address)) return 'private key'
  const words = address.split(/\s+/)
  if (words.length >= 12 && words.every((word) => /^[a-z]+$/i.test(word))) return 'recovery phrase'
  return undefined
}

const testnetText = 'A Bitcoin test network address: nothing of value can be paid there'
const wrongChecksumText = 'Checksum does not match: a character is wrong'
const mixedCaseText = 'Capital and small letters are mixed: such an address uses one or the other'
const zeroText = 'Its content is all zeros and belongs to nobody: what is sent there is lost'

function good(text: string): Check {
  return { ok: true, text }
}

function refused(type: AddressType | null, checks: Check[], text: string): Finding {
  return { type, checks: [...checks, { ok: false, text }], normalized: null }
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`
}

function lengthText(actual: number, expected: number): string {
  return actual < expected ? `${characters(expected - actual)} missing` : `${characters(actual - expected)} too many`
}

function twoLengthsText(actual: number, short: number, long: number): string | undefined {
  if (actual === short || actual === long) return undefined
  if (actual < short) return `At least ${characters(short - actual)} missing`
  return actual > long
    ? `${characters(actual - long)} too many`
    : `${characters(actual - short)} too many, or ${long - actual} missing`
}

/** The first character from `start` on that is not in `alphabet`, with its place, or undefined. */
function firstOutside(address: string, start: number, alphabet: string): string | undefined {
  for (let index = start; index < address.length; index++) {
    const character = address[index] ?? ''
    if (!alphabet.includes(character)) return `“${character}” at place ${index + 1}`
  }
  return undefined
}

function foreignCharacter(address: string, index: number): string {
  const character = Array.from(address)[index] ?? ''
  if (/\s/.test(character)) return `There is a space inside, at place ${index + 1}`
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `The character at place ${index + 1} (U+${code}) does not occur in addresses; it may only look like one that does`
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
