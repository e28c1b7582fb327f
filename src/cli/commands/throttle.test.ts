import { describe, expect, it } from 'vitest'
import { DEFAULT_THROTTLE } from '#shared/contract/throttle'
import { changed } from './throttle'

describe('lode throttle', () => {
  it('changes one level and leaves the others', () => {
    expect(changed(DEFAULT_THROTTLE, 'in-use', { duty: 30 })).toEqual({
      ...DEFAULT_THROTTLE,
      inUse: { threadsShare: 1, dutyCycle: 0.3 },
    })
    expect(changed(DEFAULT_THROTTLE, 'idle', { threadsShare: 50 }).idle).toEqual({ threadsShare: 0.5, dutyCycle: 1 })
  })

  it('sets the night with its hours, and takes it away', () => {
    const set = changed(DEFAULT_THROTTLE, 'night', { duty: 80, from: '23:30' })
    expect(set.night).toEqual({ threadsShare: 1, dutyCycle: 0.8, from: '23:30', to: '07:00' })
    expect(changed(set, 'night', { off: true }).night).toBe(null)
  })

  it('refuses hours that are none, and hours for another level', () => {
    expect(() => changed(DEFAULT_THROTTLE, 'night', { from: '25:00' })).toThrow('not understood')
    expect(() => changed(DEFAULT_THROTTLE, 'idle', { from: '22:00' })).toThrow('belong to the night')
    expect(() => changed(DEFAULT_THROTTLE, 'in-use', { off: true })).toThrow('belong to the night')
  })
})
