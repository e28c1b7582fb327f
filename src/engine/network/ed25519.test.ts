import { describe, expect, it } from 'vitest'
import { hexToBytes } from '#shared/domain/bytes'
import { isGenuine, signObject } from '#shared/domain/signed'
import { createSigner, generateKeySeed, signatureVerifier } from './ed25519'

// RFC 8032, 7.1, tests 2 and 3.
const vectors = [
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

describe('Ed25519', () => {
  it.each(vectors)('signs and verifies the published vector of key $key', ({ seed, key, message, signature }) => {
    const signer = createSigner(seed)
    expect(signer.publicKeyHex).toBe(key)
    expect(signer.sign(hexToBytes(message))).toBe(signature)
    expect(signatureVerifier.verify(key, hexToBytes(message), signature)).toBe(true)
  })

  it('refuses another message, another key, a changed signature, and what is no key or signature', () => {
    const [{ key, message, signature }, other] = vectors as [(typeof vectors)[0], (typeof vectors)[0]]
    const bytes = hexToBytes(message)
    expect(signatureVerifier.verify(key, hexToBytes('73'), signature)).toBe(false)
    expect(signatureVerifier.verify(other.key, bytes, signature)).toBe(false)
    expect(signatureVerifier.verify(key, bytes, `00${signature.slice(2)}`)).toBe(false)
    expect(signatureVerifier.verify('ff'.repeat(32), bytes, signature)).toBe(false)
    expect(signatureVerifier.verify('not a key', bytes, signature)).toBe(false)
    expect(signatureVerifier.verify(key, bytes, signature.slice(2))).toBe(false)
  })

  it('binds a signed object to its type and body', () => {
    const signer = createSigner(generateKeySeed(() => new Uint8Array(32).fill(5)))
    const signed = signObject('address', { address: 'one' }, signer)
    expect(isGenuine('address', signed, signatureVerifier, signer.publicKeyHex)).toBe(true)
    expect(isGenuine('hello', signed, signatureVerifier)).toBe(false)
    expect(isGenuine('address', { ...signed, body: { address: 'two' } }, signatureVerifier)).toBe(false)
  })

  it('refuses a seed of another length', () => {
    expect(() => createSigner('00ff')).toThrow('32 bytes')
  })
})
