import { describe, expect, it } from 'vitest'
import type { SensorInventory } from '#shared/ipc/sensors'
import { createEnergyMeter } from './energy-meter'
import { integrateEnergy } from './energy-meter.test.support'
import { createPowerMeter } from './power-meter'
import type { SensorReading } from './sensor-readings'
import { cleanProcessorName, findProcessor, readProcessorTable, shareAtLoad } from './processors'

const processors = readProcessorTable()

function inventory(cpu: Partial<SensorInventory['cpu']> & { name: string }, battery = false): SensorInventory {
  const vendor = /intel/i.test(cpu.name) ? 'Intel' : /amd/i.test(cpu.name) ? 'AMD' : ''
  return {
    cpu: { vendor, physicalCores: 8, logicalCores: 16, instructionSets: [], ...cpu },
    memoryBytes: 16e9,
    gpus: [],
    raplReadable: false,
    battery,
  }
}
const RYZEN = inventory({ name: 'AMD Ryzen 7 7700 8-Core Processor' })
const reading = (at: number, energyJoules?: number, utilization = 1): SensorReading => ({
  deviceId: 'cpu0',
  at,
  utilization,
  ...(energyJoules === undefined ? {} : { energyJoules }),
})

describe('the table of processors', () => {
  it.each([
    ['Intel(R) Core(TM) i7-9700K CPU @ 3.60GHz', 'Intel Core i7-9700K', 95],
    ['12th Gen Intel(R) Core(TM) i5-12600K', 'Intel Core i5-12600K', 125],
    ['13th Gen Intel(R) Core(TM) i9-13900KF', 'Intel Core i9-13900KF', 125],
    ['Intel(R) Core(TM) Ultra 7 155H', 'Intel Core Ultra 7 155H', 28],
    ['Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz', 'Intel Xeon E5-2680 v4', 120],
    ['Intel(R) Xeon(R) Platinum 8480+', 'Intel Xeon Platinum 8480+', 350],
    ['AMD Ryzen 7 7700 8-Core Processor', 'AMD Ryzen 7 7700', 65],
    ['AMD Ryzen 7 5800X3D 8-Core Processor', 'AMD Ryzen 7 5800X3D', 105],
    ['AMD Ryzen 9 5950X 16-Core Processor', 'AMD Ryzen 9 5950X', 105],
    ['AMD Ryzen 5 3600 6-Core Processor', 'AMD Ryzen 5 3600', 65],
    ['AMD Ryzen 7 5700G with Radeon Graphics', 'AMD Ryzen 7 5700G', 65],
    ['AMD Ryzen 7 7840U w/ Radeon 780M Graphics', 'AMD Ryzen 7 7840U', 28],
    ['AMD Ryzen Threadripper 3970X 32-Core Processor', 'AMD Ryzen Threadripper 3970X', 280],
    ['AMD EPYC 7763 64-Core Processor', 'AMD EPYC 7763', 280],
    ['Apple M1', 'Apple M1', 39],
  ])('knows %s', (systemName, name, watts) => {
    expect(cleanProcessorName(systemName)).toBe(name)
    expect(findProcessor(processors, systemName)).toMatchObject({ name, watts })
  })

  it.each([
    'Intel(R) Xeon(R) Processor',
    'Intel Xeon Processor (Skylake, IBRS)',
    'Intel(R) Core(TM) i7-9700KX CPU',
    'AMD Ryzen 7 7700 PRO',
    'Apple M1 Pro',
    'QEMU Virtual CPU version 2.5+',
  ])('does not take %s for another', (name) => expect(findProcessor(processors, name)).toBeUndefined())

  it('names every processor once, and each is found by its own name', () => {
    const rows = processors.groups.flatMap((group) => group.processors.map((row) => ({ ...row, vendor: group.vendor })))
    const wrong = rows.filter((row) => {
      const name = row.pattern.replace(/[A-Z]\?/g, '').replace(/\\/g, '')
      const matching = rows.filter(({ vendor, pattern }) => new RegExp(`^(${vendor} )?(${pattern})$`, 'i').test(name))
      const systemName = row.vendor === 'Apple' ? name : `${row.vendor} ${name}`
      return matching.length !== 1 || findProcessor(processors, systemName)?.watts !== row.watts
    })
    expect(wrong).toEqual([])
    expect(rows.length).toBeGreaterThan(100)
  })

  it('keeps the words of a name without a model', () => {
    expect(cleanProcessorName('Intel(R) Xeon(R) Processor')).toBe('Intel Xeon Processor')
    expect(cleanProcessorName('AMD EPYC-Milan Processor')).toBe('AMD EPYC-Milan Processor')
  })

  it('follows the load curve between its points', () => {
    expect(shareAtLoad(processors, 0)).toBe(0.12)
    expect(shareAtLoad(processors, 0.1)).toBeCloseTo(0.32, 12)
    expect(shareAtLoad(processors, 0.3)).toBeCloseTo(0.535, 12)
    expect(shareAtLoad(processors, 1)).toBe(1.02)
    expect(shareAtLoad(processors, 7)).toBe(1.02)
    expect(shareAtLoad(processors, -1)).toBe(0.12)
  })
})

describe('the power meter', () => {
  it('measures joules over seconds', () => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    meter.update(reading(1000, 500))
    expect(meter.update(reading(3000, 592))).toEqual({
      watts: 46,
      certainty: 'measured',
      source: "the processor's energy counter",
    })
    expect(meter.latest.watts).toBe(46)
  })

  it('takes the watts of a tool that gives them, and names it', () => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    const source = "powermetrics, the processor's cores"
    expect(meter.update({ ...reading(1000, 0.8), powerWatts: 0.823, powerSource: source })).toEqual({
      watts: 0.823,
      certainty: 'measured',
      source,
    })
    // no sample came between two readings
    meter.update({ ...reading(2000, 0.8), powerWatts: 0.823, powerSource: source })
    expect(meter.latest).toMatchObject({ watts: 0.823, certainty: 'measured' })
  })

  it('says why it only estimates', () => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    meter.update({ ...reading(1000), powerMissing: 'powermetrics is not permitted' })
    expect(meter.latest).toMatchObject({
      certainty: 'estimated',
      source: expect.stringMatching(/^AMD .*; powermetrics is not permitted$/) as string,
    })
  })

  it.each([
    ['the first reading', [reading(1000, 500)]],
    ['sensors that were started again', [reading(900_000, 50_000), reading(200, 0)]],
    ['sensors that were started again within a moment', [reading(150, 0), reading(400, 0)]],
    ['a gap', [reading(1000, 0), reading(12_000, 500)]],
    ['a counter that was unreadable', [reading(1000, 5), reading(2000)]],
    ['two readings at once', [reading(1000, 5), reading(1010, 6)]],
  ])('estimates after %s instead of calling it measured', (_, readings) => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    for (const each of readings) meter.update(each)
    expect(meter.latest).toMatchObject({ certainty: 'estimated' })
    expect(meter.latest.watts).toBeCloseTo(65 * 1.02, 9)
  })

  it('measures from the older of two readings that came at once', () => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    meter.update(reading(1000, 0))
    meter.update(reading(1050, 90))
    expect(meter.update(reading(2000, 100)).watts).toBeCloseTo(100, 9)
  })

  it('estimates from the table by load, and says from what', () => {
    const meter = createPowerMeter({ inventory: RYZEN, processors })
    expect(meter.estimateAt(0.5).watts).toBeCloseTo(65 * 0.75, 9)
    expect(meter.update(reading(1000, undefined, 0)).watts).toBeCloseTo(65 * 0.12, 9)
    expect(meter.update(reading(2000, undefined, 0), 1).watts).toBeCloseTo(65 * 1.02, 9)
    expect(meter.latest.source).toBe("AMD product specifications: AMD Ryzen 7 7700, TDP 65 W × load by Teads' curve")
  })

  it('counts the cores that a virtual machine has of a processor, and the processors of a computer with two', () => {
    const name = 'AMD EPYC 7763 64-Core Processor'
    const part = createPowerMeter({
      inventory: inventory({ name, physicalCores: 4, virtualMachine: true }),
      processors,
    })
    expect(part.estimateAt(0.5).watts).toBeCloseTo((280 * 4 * 0.75) / 64, 9)
    expect(part.latest.source).toContain('4 of its 64 cores')
    const two = createPowerMeter({ inventory: inventory({ name, physicalCores: 128 }), processors })
    expect(two.estimateAt(0.5).watts).toBeCloseTo(560 * 0.75, 9)
    expect(two.latest.source).toContain('2 processors')
  })

  it('estimates a virtual machine without a model by the mean core of the servers in the table', () => {
    const servers = processors.groups.filter((group) => group.class === 'server').flatMap((group) => group.processors)
    const wattsPerCore = servers.reduce((sum, { watts, cores }) => sum + watts / cores, 0) / servers.length
    const hidden = inventory({
      name: 'Intel(R) Xeon(R) Processor',
      physicalCores: 2,
      logicalCores: 2,
      virtualMachine: true,
    })
    const meter = createPowerMeter({ inventory: hidden, processors })
    expect(meter.estimateAt(1)).toMatchObject({ certainty: 'estimated' })
    expect(meter.estimateAt(1).watts).toBeCloseTo(wattsPerCore * 2 * 1.02, 9)
    expect(meter.latest.source).toBe(
      `Mean of the ${servers.length} server processors in Lode's table, ${wattsPerCore.toFixed(1)} W a core, for 2 cores of Intel Xeon Processor, whose model is not known, × load by Teads' curve`,
    )
    expect(servers.length).toBeGreaterThan(10)
    expect(wattsPerCore).toBeGreaterThan(2)
    expect(wattsPerCore).toBeLessThan(15)
  })

  it('estimates an unknown Core or Ryzen by its class, by battery', () => {
    const unknown = { name: 'Intel(R) Core(TM) i5-99999' }
    const desktop = createPowerMeter({ inventory: inventory(unknown), processors })
    const laptop = createPowerMeter({ inventory: inventory(unknown, true), processors })
    expect(desktop.latest.source).toContain('desktop processors')
    expect(laptop.latest.source).toContain('laptop processors')
    expect(laptop.estimateAt(1).watts).toBeLessThan(desktop.estimateAt(1).watts ?? 0)
  })

  it('gives nothing, with the reason, for what it knows nothing about', () => {
    const meter = createPowerMeter({ inventory: inventory({ name: 'ARM Cortex-A76', vendor: 'ARM' }), processors })
    const nothing = { source: 'No sensor gives watts, and ARM Cortex-A76 is not in the table of processors' }
    expect(meter.estimateAt(1)).toEqual(nothing)
    expect(meter.update(reading(1000))).toEqual(nothing)
  })
})

describe('energy', () => {
  it('adds up by trapezoids', () => {
    const watts = [10, 20, 30, 20]
    const total = integrateEnergy(
      watts.map((value, second) => ({ at: second * 1000, watts: value, certainty: 'measured' as const })),
    )
    expect(total).toEqual({ joules: 65, measuredShare: 1, certainty: 'measured' })
  })

  it('keeps the measured part apart', () => {
    const total = integrateEnergy([
      { at: 0, watts: 30, certainty: 'measured' },
      { at: 2000, watts: 10, certainty: 'estimated' },
    ])
    expect(total).toEqual({ joules: 40, measuredShare: 0.75, certainty: 'mixed' })
    expect(integrateEnergy([0, 1000].map((at) => ({ at, watts: 5, certainty: 'estimated' as const }))).certainty).toBe(
      'estimated',
    )
  })

  it('takes the counter where there is one, and the watts where it wrapped around or was reset', () => {
    const meter = createEnergyMeter()
    const add = (second: number, counterJoules?: number): number =>
      meter.add({ at: second * 1000, watts: 40, certainty: 'measured', counterJoules }).joules
    add(0, 4_294_960)
    expect(add(1, 4_294_993)).toBe(33)
    // a counter of 32 bits of millijoules, or a device that was opened anew
    expect(add(2, 12)).toBe(40)
    expect(add(3, 50)).toBe(38)
    // unreadable for a moment
    expect([add(4), add(5, 121), add(6, 161)]).toEqual([40, 40, 40])
    // nonsense
    expect(add(7, 9e15)).toBe(40)
    expect(meter.total()).toEqual({ joules: 271, measuredShare: 1, certainty: 'measured' })
  })

  it('leaves out gaps and times of which nothing is known', () => {
    const meter = createEnergyMeter()
    meter.add({ at: 0, watts: 10, certainty: 'measured' })
    expect(meter.add({ at: 60_000, watts: 10, certainty: 'measured' })).toMatchObject({ joules: 0, measuredJoules: 0 })
    expect(meter.total()).toEqual({})
    meter.add({ at: 61_000 })
    meter.add({ at: 62_000, watts: 10, certainty: 'measured' })
    expect(meter.total()).toEqual({})
    expect(meter.add({ at: 63_000, watts: 10, certainty: 'measured' })).toMatchObject({
      joules: 10,
      measuredJoules: 10,
    })
    expect(meter.total()).toEqual({ joules: 10, measuredShare: 1, certainty: 'measured' })
    expect(meter.add({ at: 62_500, watts: 10, certainty: 'measured' }).joules).toBe(0)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -5])(
    'takes no watts and no joules of %s',
    (no) => {
      const meter = createEnergyMeter()
      const add = (second: number, watts: number, counterJoules?: number): number =>
        meter.add({ at: second * 1000, watts, certainty: 'measured', counterJoules }).joules
      expect([add(0, 40), add(1, no), add(2, 40), add(3, 40)]).toEqual([0, 0, 0, 40])
      // the watts stand for a counter that is none
      expect([add(4, 40, no), add(5, 40, 100), add(6, 40, 130)]).toEqual([40, 40, 30])
      expect(meter.total()).toEqual({ joules: 150, measuredShare: 1, certainty: 'measured' })
    },
  )

  it('has no joules from a single sample', () =>
    expect(integrateEnergy([{ at: 0, watts: 5, certainty: 'measured' }])).toEqual({}))
})
