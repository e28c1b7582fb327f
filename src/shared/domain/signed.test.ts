import { describe, expect, it } from 'vitest'
import { createSigner, signatureVerifier } from '#engine/network/index'
import { signFirstVersion } from '../../../test/support/first-version'
import { isGenuine, isGenuineStored, signObject, type Signed, type SignedType } from './signed'

const signer = createSigner('11'.repeat(32))
const key = signer.publicKeyHex
const byKey = { network: key, rig: 'a'.repeat(64), epoch: 3 }
const byName = { ...byKey, network: 'practice' }
const types: SignedType[] = ['share', 'job-result', 'receipt', 'epoch', 'parameters', 'unit', 'hello']

const onWire = (type: SignedType, signed: Signed<unknown>): boolean => isGenuine(type, signed, signatureVerifier, key)
const stored = (type: SignedType, signed: Signed<unknown>): boolean =>
  isGenuineStored(type, signed, signatureVerifier, key)

describe.each(types)('a signed %s', (type) => {
  it('of this version is genuine on a wire and in a file, for ever of the first version in a file only', () => {
    const signed = signObject(type, byKey, signer)
    expect([onWire(type, signed), stored(type, signed)]).toEqual([true, true])
    const first = signFirstVersion(type, byName, signer)
    expect([onWire(type, first), stored(type, first)]).toEqual([false, true])
  })

  it('is not genuine with a signature of the other version', () => {
    const byKeyAsFirst = signFirstVersion(type, byKey, signer)
    expect([onWire(type, byKeyAsFirst), stored(type, byKeyAsFirst)]).toEqual([false, false])
    expect(stored(type, signObject(type, byName, signer))).toBe(false)
    const { signature } = signFirstVersion(type, byName, signer)
    expect(stored(type, { ...signObject(type, byKey, signer), signature })).toBe(false)
  })

  it('is genuine as no other type, for no other network, with no other body and under no other key', () => {
    for (const signed of [signObject(type, byKey, signer), signFirstVersion(type, byName, signer)]) {
      for (const other of types.filter((each) => each !== type)) expect(stored(other, signed)).toBe(false)
      for (const change of [{ network: '9'.repeat(64) }, { network: 'elsewhere' }, { epoch: 4 }, { more: 1 }]) {
        const body = { ...signed.body, ...change }
        expect(stored(type, { ...signed, body })).toBe(false)
        // Also with the id that belongs to the changed body.
        expect(stored(type, { ...signed, body, id: signObject(type, body, signer).id })).toBe(false)
      }
      const other = createSigner('22'.repeat(32)).publicKeyHex
      expect(isGenuineStored(type, signed, signatureVerifier, other)).toBe(false)
      expect(stored(type, { ...signed, key: other })).toBe(false)
    }
  })
})

describe('a body that names no network', () => {
  it('is genuine in a file with the signature of either version, on a wire with that of this one', () => {
    const report = { rig: key, samples: [1, 2] }
    const [first, present] = [signFirstVersion('benchmark', report, signer), signObject('benchmark', report, signer)]
    expect([stored('benchmark', first), stored('benchmark', present)]).toEqual([true, true])
    expect([onWire('benchmark', first), onWire('benchmark', present)]).toEqual([false, true])
    expect(stored('benchmark', { ...first, body: { ...report, samples: [3, 2] } })).toBe(false)
    expect(stored('address', first)).toBe(false)
  })
})
