import { describe, expect, it } from 'vitest'
import { createBatchSizer } from './batch-sizer'

describe('batches', () => {
  it('start with one nonce, then fill the backend on a fast machine', () => {
    const batchSizer = createBatchSizer(8)
    expect(batchSizer.batch(10_000)).toBe(1)
    batchSizer.took(1, 10)
    expect(batchSizer.batch(10_000)).toBe(8)
  })

  it('stay short on a slow machine', () => {
    const batchSizer = createBatchSizer(8)
    batchSizer.took(1, 600)
    expect(batchSizer.batch(10_000)).toBe(2)
    batchSizer.took(1, 20_000)
    expect(batchSizer.batch(10_000)).toBe(1)
  })

  it('end at the deadline: no more nonces than fit, none when less than half of one fits', () => {
    const batchSizer = createBatchSizer(8)
    batchSizer.took(1, 50)
    expect(batchSizer.batch(160)).toBe(3)
    expect(batchSizer.batch(-5)).toBe(1)
    expect(batchSizer.fits(26)).toBe(true)
    expect(batchSizer.fits(24)).toBe(false)
  })
})
