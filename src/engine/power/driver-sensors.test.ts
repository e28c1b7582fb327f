import { expect, it } from 'vitest'
import type { NativeSensors } from '#shared/domain/driver'
import { manualClock } from '#process/clock.test.support'
import { createDriverChannel, type AskDriver } from '../workers'
import { createDriverSensors, plausible } from './driver-sensors'

it.each([
  [
    'all of them',
    { temperatureCelsius: 71, powerWatts: 12, utilization: 1 },
    { temperatureCelsius: 71, powerWatts: 12, utilization: 1 },
  ],
  ['511 °C', { temperatureCelsius: 511, powerWatts: 12 }, { powerWatts: 12 }],
  ['0 °C', { temperatureCelsius: 0 }, {}],
  ['127 °C', { temperatureCelsius: 127 }, {}],
  ['less than no power', { powerWatts: -1, energyJoules: -4 }, {}],
  ['more power than a street has', { powerWatts: 4e9 }, {}],
  ['98 for 98 %', { utilization: 98 }, {}],
])('believes what can be: %s', (_, found, believed) => expect(plausible(found)).toEqual(believed))

it('gives the mean power of a device that counts joules only, over its counter being begun anew too', async () => {
  const clock = manualClock()
  let found: NativeSensors | null = { energyJoules: 100 }
  const channel = createDriverChannel()
  channel.attach('asic0', (async () => found) as AskDriver)
  const sensors = createDriverSensors(clock, channel)
  await sensors.read('asic0')
  expect(sensors.latest('asic0')).toEqual({ energyJoules: 100 })
  found = { energyJoules: 140 }
  await clock.advance(1000)
  expect(sensors.latest('asic0')).toEqual({ energyJoules: 140, powerWatts: 40 })
  found = { energyJoules: 3 }
  await clock.advance(1000)
  expect(sensors.latest('asic0')).toEqual({ energyJoules: 3 })
  found = null
  await clock.advance(1000)
  expect(sensors.latest('asic0')).toBeNull()
  sensors.stop()
})
