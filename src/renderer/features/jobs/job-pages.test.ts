import { describe, expect, it } from 'vitest'
import type { WorkRow } from '#shared/contract/jobs'
import { toFailureValue, Failure } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { JobPages, PAGE_ROWS } from './job-pages'

/** A table that grows at its head, as the ledger does. Row `n` is the n-th ever made. */
function table(made: number) {
  const state = { made, asked: [] as number[], broken: false }
  const row = (number: number): WorkRow => ({
    id: `job-${number}`,
    at: number,
    kind: 'proof',
    model: 'itp1-base',
    deviceId: null,
    origin: 'network',
    state: 'accepted',
    tokens: null,
    macs: null,
    creditMacs: null,
    joules: null,
    joulesCertainty: null,
    electricityCost: null,
    milliseconds: null,
    verification: null,
    reason: null,
  })
  const fetch = async (offset: number, limit: number) => {
    state.asked.push(offset)
    if (state.broken) throw new Failure('ledger-damaged', foreignWords('cannot be read'))
    const rows = Array.from({ length: Math.max(0, Math.min(limit, state.made - offset)) }, (_, index) =>
      row(state.made - 1 - offset - index),
    )
    return { total: state.made, rows }
  }
  return { state, fetch, row }
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))
const toFailure = (error: unknown) => (error instanceof Failure ? error : Failure.from(toFailureValue(error)))

describe('the windows of the Jobs table', () => {
  it('keeps rows where they are while new ones arrive, and shows them on following', async () => {
    const { state, fetch } = table(1000)
    const pages = new JobPages(fetch, toFailure, () => undefined)
    pages.follow()
    await settle()
    expect(pages.total).toBe(1000)
    expect(pages.row(0)?.id).toBe('job-999')

    state.made = 1007
    pages.want(500, 530)
    await settle()
    await settle()
    // Row 500 is what it would have been without the seven new ones, to the end of its window.
    expect(pages.row(500)?.id).toBe('job-499')
    expect(pages.row(599)?.id).toBe('job-400')
    expect(pages.total).toBe(1000)
    expect(pages.newer).toBe(7)

    pages.follow()
    await settle()
    expect(pages.row(0)?.id).toBe('job-1006')
    expect(pages.newer).toBe(0)
  })

  it('asks for a window once and reaches the last row of a million', async () => {
    const { state, fetch } = table(1_000_000)
    const pages = new JobPages(fetch, toFailure, () => undefined)
    pages.follow()
    await settle()
    pages.want(999_950, 999_999)
    pages.want(999_960, 999_999)
    await settle()
    expect(pages.row(999_999)?.id).toBe('job-0')
    expect(state.asked).toEqual([0, 999_900])
  })

  it('forgets what is far and asks again when it comes back', async () => {
    const { state, fetch } = table(20_000)
    const pages = new JobPages(fetch, toFailure, () => undefined)
    pages.follow()
    await settle()
    for (let page = 1; page < 120; page++) {
      pages.want(page * PAGE_ROWS, page * PAGE_ROWS)
      await settle()
    }
    expect(pages.row(0)).toBeUndefined()
    pages.want(0, 20)
    await settle()
    expect(pages.row(0)?.id).toBe('job-19999')
    expect(state.asked.filter((offset) => offset === 0)).toHaveLength(2)
  })

  it('updates a row in its place and says so when it has none', async () => {
    const { fetch, row } = table(50)
    const pages = new JobPages(fetch, toFailure, () => undefined)
    pages.follow()
    await settle()
    expect(pages.update({ ...row(20), state: 'refused' })).toBe(true)
    expect(pages.find('job-20')?.state).toBe('refused')
    expect(pages.update(row(50))).toBe(false)
  })

  it('tells a failure and recovers from it', async () => {
    const { state, fetch } = table(300)
    const pages = new JobPages(fetch, toFailure, () => undefined)
    state.broken = true
    pages.follow()
    await settle()
    expect(pages.failure?.code).toBe('ledger-damaged')
    state.broken = false
    pages.follow()
    await settle()
    expect(pages.failure).toBeNull()
    expect(pages.row(0)?.id).toBe('job-299')
  })
})
