import { describe, expect, it } from 'vitest'
import { throttle as throttleSchema, type Throttle } from '#shared/contract/throttle'
import { createThrottle, threadsAt, throttleLevelAt } from './throttle'

const throttle: Throttle = {
  inUse: { threadsShare: 0.5, dutyCycle: 0.3 },
  idle: { threadsShare: 1, dutyCycle: 1 },
  night: { threadsShare: 1, dutyCycle: 0.8, from: '22:00', to: '07:00' },
}
const at = (hours: number, minutes = 0): number => hours * 60 + minutes

describe('the level', () => {
  it.each([
    ['noon, somebody there', at(12), 3, 'inUse'],
    ['noon, away for an hour', at(12), 3600, 'idle'],
    ['noon, the system does not tell', at(12), null, 'idle'],
    ['a minute before the night', at(21, 59), 3, 'inUse'],
    ['the night begins', at(22), 3, 'night'],
    ['after midnight', at(0, 5), null, 'night'],
    ['the night is over', at(7), 600, 'idle'],
  ] as const)('%s', (_, minute, idleSeconds, level) => {
    expect(throttleLevelAt(throttle, minute, idleSeconds).level).toBe(level)
  })

  it('a night that does not pass midnight, and none', () => {
    const early: Throttle = { ...throttle, night: { threadsShare: 1, dutyCycle: 1, from: '01:15', to: '05:10' } }
    const times = [at(0), at(1, 14), at(1, 15), at(5, 9), at(5, 10), at(23)]
    expect(times.map((time) => throttleLevelAt(early, time, null).level)).toEqual([
      'idle',
      'idle',
      'night',
      'night',
      'idle',
      'idle',
    ])
    expect(throttleLevelAt({ ...throttle, night: null }, at(23), 0).level).toBe('inUse')
  })

  it('what the shell said about the person holds for a minute only', () => {
    let now = 0
    const noon = new Date(2026, 0, 15, 12).getTime()
    const state = createThrottle({ clock: { now: () => noon, monotonic: () => now }, settings: () => throttle })
    expect(state.level).toBe('idle')
    state.present(2)
    expect(state).toMatchObject({ level: 'inUse', pace: { dutyCycle: 0.3 } })
    now = 59_000
    expect(state.level).toBe('inUse')
    now = 61_000
    expect(state.level).toBe('idle')
    state.present(299)
    expect(state.level).toBe('inUse')
    now += 2000
    expect(state.level).toBe('idle')
  })
})

it('takes a share of the threads, rounded up, never none', () => {
  expect([1, 2, 3, 8].map((threads) => threadsAt(threads, 0.5))).toEqual([1, 1, 2, 4])
  expect(threadsAt(10, 0.7)).toBe(7)
  expect(threadsAt(1, 0.01)).toBe(1)
})

it.each([
  ['a share above one', { ...throttle, idle: { threadsShare: 1.1, dutyCycle: 1 } }],
  ['no threads', { ...throttle, idle: { threadsShare: 0, dutyCycle: 1 } }],
  ['a negative duty cycle', { ...throttle, idle: { threadsShare: 1, dutyCycle: -0.1 } }],
  ['no time of day', { ...throttle, night: { threadsShare: 1, dutyCycle: 1, from: '24:00', to: '07:00' } }],
  ['a level left out', { idle: throttle.idle, night: null }],
])('refuses %s', (_, wrong) => {
  expect(throttleSchema.safeParse(wrong).success).toBe(false)
})
