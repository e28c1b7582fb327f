import { expect, test } from 'vitest'
import { orderModels, type ModelStanding } from './model-choice'

const model = (name: string, creditPerSecond: number | null, more: Partial<ModelStanding> = {}) => ({
  name,
  creditPerSecond,
  creditPerJoule: null,
  isInUse: false,
  isLoaded: false,
  ...more,
})
const order = (...models: ReturnType<typeof model>[]): string =>
  orderModels(models)
    .map(({ name }) => name)
    .join('')

test('most credit a second comes first; what was never measured here before all', () => {
  expect(order(model('a', 1), model('b', 3), model('c', 2))).toBe('bca')
  expect(order(model('a', 1), model('b', null), model('c', 2))).toBe('bca')
})

test('of those that earn alike the one with more credit a joule', () => {
  const alike = [model('a', 100, { creditPerJoule: 1 }), model('b', 98, { creditPerJoule: 2 })]
  expect(order(...alike, model('c', 90, { creditPerJoule: 9 }))).toBe('bac')
})

test('the model in use stays until another earns a quarter more; one in memory goes before one on disk', () => {
  const inUse = model('a', 100, { isInUse: true, isLoaded: true })
  // Earnings within a twentieth are alike: the quarter is exact only to that.
  expect(order(inUse, model('b', 125 * 0.94))).toBe('ab')
  expect(order(inUse, model('b', 125 * 1.06))).toBe('ba')
  expect(order(model('a', 100), model('b', 99, { isLoaded: true }))).toBe('ba')
})
