import { expect, it } from 'vitest'
import { createEnergyAccount, type DevicePower } from './energy-account'
import { manualClock } from '#process/clock.test.support'

const power: DevicePower = { watts: 40, certainty: 'measured', source: 'a meter', temperatureCelsius: null }

it('grows with every moment that is asked for, and takes each joule once', async () => {
  const clock = manualClock()
  const account = createEnergyAccount(clock, () => power)
  expect(account.now()).toMatchObject({ joules: 0, source: 'a meter' })
  await clock.advance(250)
  expect(account.now()).toMatchObject({ joules: 10, certainty: 'measured' })
  await clock.advance(750)
  expect(account.take()).toEqual({ joules: 40, measuredJoules: 40, knownMilliseconds: 1000 })
  expect(account.now()?.joules).toBe(40)
  expect(account.take().joules).toBe(0)
})

it('follows a counter that is read once a second, guesses in between, and never goes back', async () => {
  const clock = manualClock()
  let counterJoules = 500
  const account = createEnergyAccount(clock, () => ({ ...power, counterJoules }))
  account.now()
  await clock.advance(500)
  expect(account.now()?.joules).toBe(20)
  await clock.advance(500)
  counterJoules = 530
  expect(account.now()?.joules).toBe(30)
  await clock.advance(900)
  expect(account.now()?.joules).toBe(66)
  await clock.advance(100)
  // fewer than guessed: it waits until the counter has caught up
  counterJoules = 550
  expect(account.now()?.joules).toBe(66)
  await clock.advance(1000)
  counterJoules = 590
  expect(account.now()).toMatchObject({ joules: 90, certainty: 'measured' })
  expect(account.take().joules).toBe(90)
})

it('knows nothing where nothing is known', () => {
  const account = createEnergyAccount(manualClock(), () => ({ ...power, watts: null, certainty: null }))
  expect(account.now()).toBeNull()
})
