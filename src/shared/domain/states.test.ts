import { describe, expect, it } from 'vitest'
import { workFilter } from '../contract/jobs'
import { CREDIT_TRANSITIONS, creditStates, nextCreditState, type CreditEvent, type CreditState } from './states'

const EVENTS: readonly CreditEvent[] = ['hold', 'accept', 'refuse', 'forfeit', 'confirm', 'pay']

describe('credit', () => {
  it.each([
    ['submitted', { hold: 'held', accept: 'accepted', refuse: 'refused' }],
    ['held', { accept: 'accepted', refuse: 'refused', forfeit: 'forfeited' }],
    ['accepted', { confirm: 'confirmed' }],
    ['confirmed', { pay: 'paid' }],
    ['paid', {}],
    ['refused', {}],
    ['forfeited', {}],
  ] as const)('that is %s goes on by no other event', (state, after: Partial<Record<CreditEvent, CreditState>>) => {
    for (const event of EVENTS) expect([event, nextCreditState(state, event)]).toEqual([event, after[event]])
    expect(new Set(CREDIT_TRANSITIONS[state])).toEqual(new Set(Object.values(after)))
  })

  it('reaches every state from the first', () => {
    const reached = new Set<CreditState>(['submitted'])
    for (const state of reached) for (const next of CREDIT_TRANSITIONS[state]) reached.add(next)
    expect(reached).toEqual(new Set(creditStates))
  })
})

describe('a filter of jobs', () => {
  it('takes the former word for what is refused', () => {
    expect(workFilter.parse({ state: 'rejected' })).toEqual({ state: 'refused' })
    expect(workFilter.parse({ state: 'held' })).toEqual({ state: 'held' })
    expect(workFilter.safeParse({ state: 'lost' }).success).toBe(false)
  })
})
