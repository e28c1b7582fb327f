import { afterEach, describe, expect, it } from 'vitest'
import type { NativeSensors } from '#shared/domain/driver'
import type { MachineReading } from '#shared/ipc/sensors'
import { manualClock } from '#process/clock.test.support'
import { createSensorReadings, plausible, type SensorReading, type SensorReadings } from './sensor-readings'

let sensors: SensorReadings | undefined
afterEach(() => sensors?.stop())

/** Readings of a machine and of a driver's device, each as scripted. */
function follow(ask: { machine?: () => Promise<MachineReading | null>; driver?: () => Promise<NativeSensors | null> }) {
  const clock = manualClock()
  const readings: SensorReading[] = []
  const counts = { machine: 0, driver: 0 }
  const { machine = async () => null, driver } = ask
  sensors = createSensorReadings({
    clock,
    machine: {
      read: () => {
        counts.machine++
        return machine()
      },
    },
    driverDevices: () =>
      driver === undefined
        ? []
        : [
            {
              deviceId: 'asic0',
              askDriver: () => {
                counts.driver++
                return driver()
              },
            },
          ],
    onReading: (reading) => readings.push(reading),
  })
  /** The figures of a device; null: it has none. */
  const latest = (deviceId: string): NativeSensors | null => {
    const { deviceId: _id, at: _at, ...figures } = readings.findLast((reading) => reading.deviceId === deviceId) ?? {}
    return Object.keys(figures).length === 0 ? null : figures
  }
  return { clock, sensors, readings, counts, latest }
}

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
  ['what is no number', { powerWatts: Number.NaN, energyJoules: Number.NaN, temperatureCelsius: Number.NaN }, {}],
  ['what has no end', { powerWatts: Number.POSITIVE_INFINITY, energyJoules: Number.POSITIVE_INFINITY }, {}],
])('believes what can be: %s', (_, found, believed) => expect(plausible(found)).toEqual(believed))

it('gives the mean power of a device that counts joules only, over its counter being reset too', async () => {
  let found: NativeSensors | null = { energyJoules: 100 }
  const { clock, sensors, latest } = follow({ driver: async () => found })
  await sensors.read('asic0')
  expect(latest('asic0')).toEqual({ energyJoules: 100 })
  await clock.advance(0)
  found = { energyJoules: 140 }
  await clock.advance(1000)
  expect(latest('asic0')).toEqual({ energyJoules: 140, powerWatts: 40 })
  found = { energyJoules: 3 }
  await clock.advance(1000)
  expect(latest('asic0')).toEqual({ energyJoules: 3 })
  found = null
  await clock.advance(1000)
  expect(latest('asic0')).toBeNull()
})

describe('one timer', () => {
  it('reads the machine and the devices of drivers every second, each in the same form', async () => {
    const { clock, readings, counts } = follow({
      machine: async () => ({
        at: 5,
        cpuLoad: 0.5,
        packageJoules: 9,
        packageSource: 'RAPL',
        cpuTemperatureCelsius: 61,
        gpus: [{ id: 'gpu0', powerWatts: 150, powerSource: 'amd-smi', temperatureCelsius: 511 }],
      }),
      driver: async () => ({ powerWatts: 12 }),
    })
    await clock.advance(0)
    expect(readings).toEqual([
      { deviceId: 'cpu0', at: 5, utilization: 0.5, energyJoules: 9, powerSource: 'RAPL', temperatureCelsius: 61 },
      { deviceId: 'gpu0', at: 5, powerWatts: 150, powerSource: 'amd-smi' },
      { deviceId: 'asic0', at: 0, powerWatts: 12 },
    ])
    await clock.advance(3000)
    expect(counts).toEqual({ machine: 4, driver: 4 })
  })

  it('does not wait for who does not answer, and does not ask it twice', async () => {
    const { clock, counts, latest } = follow({
      machine: () => new Promise(() => undefined),
      driver: async () => ({ powerWatts: 12 }),
    })
    await clock.advance(3000)
    expect(counts).toEqual({ machine: 1, driver: 4 })
    expect(latest('asic0')).toEqual({ powerWatts: 12 })
  })

  it('says that a device has no figures any more: a manifest that is gone, a worker that stopped', async () => {
    let gpus: MachineReading['gpus'] = [{ id: 'gpu0', powerWatts: 150 }]
    let isRunning = true
    const { clock, latest } = follow({
      machine: async () => ({ at: 0, cpuLoad: 0, gpus }),
      driver: async () => (isRunning ? { powerWatts: 12 } : Promise.reject(new Error('no worker'))),
    })
    await clock.advance(0)
    expect([latest('gpu0'), latest('asic0')]).toEqual([{ powerWatts: 150 }, { powerWatts: 12 }])
    gpus = []
    isRunning = false
    await clock.advance(1000)
    expect([latest('gpu0'), latest('asic0')]).toEqual([null, null])
  })
})
