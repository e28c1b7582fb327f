import { describe, expect, it } from 'vitest'
import { createPacer } from './pacer'

describe('batches', () => {
  it('start with one nonce, then fill the engine on a fast machine', () => {
    const pacer = createPacer(8)
    expect(pacer.batch(10_000)).toBe(1)
    pacer.took(1, 10)
    expect(pacer.batch(10_000)).toBe(8)
  })

  it('stay short on a slow machine', () => {
    const pacer = createPacer(8)
    pacer.took(1, 600)
    expect(pacer.batch(10_000)).toBe(2)
    pacer.took(1, 20_000)
    expect(pacer.batch(10_000)).toBe(1)
  })

  it('end at the deadline: no more nonces than fit, none when less than half of one fits', () => {
    const pacer = createPacer(8)
    pacer.took(1, 50)
    expect(pacer.batch(160)).toBe(3)
    expect(pacer.batch(-5)).toBe(1)
    expect(pacer.fits(26)).toBe(true)
    expect(pacer.fits(24)).toBe(false)
  })
})
