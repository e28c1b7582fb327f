import { describe, expect, it } from 'vitest'
import type { SensorInventory } from '#shared/ipc/sensors'
import { createDevicePowers } from './device-power'
import type { SensorReading } from './sensor-readings'
import { integrateEnergy } from './energy-meter.test.support'

const inventory: SensorInventory = {
  cpu: { name: 'AMD Ryzen 7 7700', vendor: 'AMD', physicalCores: 8, logicalCores: 16, instructionSets: [] },
  memoryBytes: 16e9,
  gpus: [{ id: 'gpu0', name: 'NVIDIA GeForce GTX 1050 Ti', vendor: 'NVIDIA', shared: false }],
  raplReadable: false,
  battery: false,
}
const reading = (at: number, gpu: Omit<SensorReading, 'deviceId' | 'at'> = {}): SensorReading => ({
  deviceId: 'gpu0',
  at,
  ...gpu,
})

function powersOf(state: 'idle' | 'proving') {
  const powers = createDevicePowers({ inventory, isDriverDevice: () => false })
  powers.attach({ deviceId: 'gpu0', state, hasWorker: true })
  return powers
}

describe('a graphics card', () => {
  it('without a power sensor is estimated by what its driver says of its load', () => {
    const powers = powersOf('proving')
    powers.onReading(reading(0, { utilization: 0.6, temperatureCelsius: 58 }))
    expect(powers.of('gpu0')).toMatchObject({ watts: 45, certainty: 'estimated', temperatureCelsius: 58 })
    expect(powers.of('gpu0').source).toMatch(/GeForce GTX 1050 Ti, graphics card power 75 W × load$/)
    expect(powers.atFullLoad('gpu0')).toMatchObject({ watts: 75, certainty: 'estimated' })
  })

  it('without that either is estimated while it works, and nothing is said while it does not', () => {
    const working = powersOf('proving')
    working.onReading(reading(0))
    expect(working.of('gpu0')).toMatchObject({ watts: 75, certainty: 'estimated' })
    const resting = powersOf('idle')
    resting.onReading(reading(0))
    expect(resting.of('gpu0')).toMatchObject({ watts: null, certainty: null })
    expect(resting.of('gpu0').source).toMatch(/^no power sensor; while it works by /)
  })

  it('is measured where there is a sensor, and its joules are those of its counter', () => {
    const powers = powersOf('proving')
    const source = 'amd-smi, energy counter'
    const samples = [0, 1, 2, 3].map((second) => {
      powers.onReading(reading(second * 1000, { powerWatts: 60, powerSource: source, energyJoules: 7 + 55 * second }))
      const { watts, certainty, counterJoules } = powers.of('gpu0')
      return { at: second * 1000, watts: watts ?? undefined, certainty: certainty ?? undefined, counterJoules }
    })
    expect(powers.of('gpu0')).toMatchObject({ certainty: 'measured', source })
    expect(powers.atFullLoad('gpu0')).toMatchObject({ watts: 60, certainty: 'measured' })
    expect(integrateEnergy(samples)).toEqual({ joules: 165, measuredShare: 1, certainty: 'measured' })
    // without the counter: the trapezoid over the same samples
    expect(integrateEnergy(samples.map((sample) => ({ ...sample, counterJoules: undefined }))).joules).toBe(180)
  })
})
