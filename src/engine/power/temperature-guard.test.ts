import { expect, it } from 'vitest'
import { said } from '#test/support/said'
import { createTemperatureGuard, defaultTemperatureLimit } from './temperature-guard'

it('stops at the limit and goes on 8 °C below it, not before', () => {
  const guard = createTemperatureGuard()
  expect(guard.look(94.9, 95)).toBe(null)
  expect(said(createTemperatureGuard().look(95, 95))).toBe('Too hot: 95 °C. Goes on below 87 °C.')
  expect(said(guard.look(96.2, 95))).toBe('Too hot: 96 °C. Goes on below 87 °C.')
  expect(said(guard.look(94, 95))).toBe('Too hot: 94 °C. Goes on below 87 °C.')
  expect(said(guard.look(87, 95))).toBe('Too hot: 87 °C. Goes on below 87 °C.')
  expect(guard.look(86.9, 95)).toBe(null)
  expect(guard.look(90, 95)).toBe(null)
})

it('an unknown temperature stops nothing and frees nothing', () => {
  const guard = createTemperatureGuard()
  expect(guard.look(null, 95)).toBe(null)
  guard.look(97, 95)
  expect(said(guard.look(null, 95))).toBe('Too hot: 97 °C. Goes on below 87 °C.')
})

it('a limit that the person raises lets the device go on', () => {
  const guard = createTemperatureGuard()
  expect(said(guard.look(90, 90))).toBe('Too hot: 90 °C. Goes on below 82 °C.')
  expect(said(guard.look(90, 97))).toBe('Too hot: 90 °C. Goes on below 89 °C.')
  expect(guard.look(90, 99)).toBe(null)
})

it('has a limit for every kind', () => {
  expect(['cpu', 'gpu', 'asic', 'npu'].map(defaultTemperatureLimit)).toEqual([95, 87, 90, 90])
})
