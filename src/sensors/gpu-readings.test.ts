/** Recorded answers of makers' tools and drivers, and counters that wrap around, are reset or are wrong. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { FoundGpu } from './gpus'
import { createGpuCounter } from './gpu-counter'
import { createGpuReadings, type GpuReading } from './gpu-readings'
import { recordMachine, type RecordedMachine } from './recorded.test.support'
import { realSystem } from './system'

const gpu = (pciAddress: string, vendor: string, name: string): FoundGpu => ({
  inventory: { id: 'gpu0', name, vendor, shared: false },
  pciAddress,
})
const GEFORCE = gpu('0000:01:00.0', 'NVIDIA Corporation', 'NVIDIA GeForce RTX 4070')
const ARC = gpu('0000:03:00.0', 'Intel Corporation', 'DG2 [Arc A770]')

let machine: RecordedMachine | undefined
afterEach(() => machine?.remove())

/** What is known once the tool has answered. */
async function answered(recorded: RecordedMachine, found: FoundGpu): Promise<GpuReading | undefined> {
  const read = createGpuReadings(recorded.system)
  read([found], undefined)
  await expect.poll(() => recorded.commands.length).toBe(1)
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  return read([found], undefined)[0]
}

describe('nvidia-smi', () => {
  it.each([
    ['162.43, 64, 98', { powerWatts: 162.43, powerSource: 'nvidia-smi', temperatureCelsius: 64, utilization: 0.98 }],
    // a card that draws this is warm, one that does not answer is not
    ['511.20, 71, 100', { powerWatts: 511.2, powerSource: 'nvidia-smi', temperatureCelsius: 71, utilization: 1 }],
    ['511.00, 511, 0', { utilization: 0 }],
    ['40.10, 121, 3', { powerWatts: 40.1, powerSource: 'nvidia-smi', utilization: 0.03 }],
    ['[N/A], 51, [N/A]', { temperatureCelsius: 51 }],
    ['[Not Supported], [Not Supported], [Not Supported]', {}],
    ['[Unknown Error], [Unknown Error], [Unknown Error]', {}],
    ['[GPU requires reset], 0, 101', {}],
    ['0.00, 0, 0', { utilization: 0 }],
    ['9999.00, 60, 50', { temperatureCelsius: 60, utilization: 0.5 }],
  ])('%s', async (cells, expected) => {
    machine = recordMachine({}, { outputs: { 'nvidia-smi': `00000000:01:00.0, ${cells}\n` } })
    expect(await answered(machine, GEFORCE)).toEqual({ id: 'gpu0', ...expected })
  })

  it('is given up when it is slow, and a later answer of it counts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lode-tool-'))
    const tool = join(folder, 'nvidia-smi')
    const program = (...lines: string[]): void => writeFileSync(tool, ['#!/bin/sh', ...lines, ''].join('\n'))
    program('exec sleep 30')
    chmodSync(tool, 0o755)
    const real = realSystem()
    machine = recordMachine(
      {},
      // the limit is three seconds; a tenth of it here
      { run: (_command, parameters, limit) => real.run(tool, parameters, limit / 10) },
    )
    const read = createGpuReadings(machine.system)
    const began = performance.now()
    expect(read([GEFORCE], undefined)).toEqual([{ id: 'gpu0' }])
    expect(performance.now() - began).toBeLessThan(100)
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(read([GEFORCE], undefined)).toEqual([{ id: 'gpu0' }])
    program("echo '00000000:01:00.0, 99.00, 50, 10'")
    machine.clock.milliseconds += 5000
    await expect.poll(() => read([GEFORCE], undefined)[0]).toMatchObject({ powerWatts: 99, temperatureCelsius: 50 })
    rmSync(folder, { recursive: true })
  })
})

describe("Linux' graphics drivers", () => {
  const folder = 'sys/class/drm/card0/device'
  const arc = (energy: Record<string, string>): Record<string, string> => ({
    [`${folder}/uevent`]: 'DRIVER=xe\nPCI_CLASS=30000\nPCI_ID=8086:56A0\nPCI_SLOT_NAME=0000:03:00.0\n',
    [`${folder}/hwmon/hwmon4/name`]: 'xe\n',
    [`${folder}/hwmon/hwmon4/temp2_input`]: '47000\n',
    [`${folder}/hwmon/hwmon4/temp2_label`]: 'pkg\n',
    ...Object.fromEntries(Object.entries(energy).map(([file, text]) => [`${folder}/hwmon/hwmon4/${file}`, text])),
  })

  it.each([
    ['the whole card', 'energy1_input'],
    ['the chip, where the card is not counted', 'energy2_input'],
  ])("an Arc's joules of %s give its watts", async (_, file) => {
    machine = recordMachine(arc({ [file]: '12000000\n' }))
    const read = createGpuReadings(machine.system)
    /** Later, with this on the counter. Each answer differs from the one before. */
    const next = async (milliseconds: number, microjoules: string, expected: Partial<GpuReading>): Promise<void> => {
      if (!machine) return
      machine.write(`${folder}/hwmon/hwmon4/${file}`, microjoules)
      machine.clock.milliseconds += milliseconds
      await expect.poll(() => read([ARC], undefined)[0]).toEqual({ id: 'gpu0', ...expected })
    }
    const counted = { powerSource: 'graphics driver xe, energy counter', temperatureCelsius: 47 }
    await next(0, '12000000\n', { ...counted, energyJoules: 0 })
    await next(2000, '312000000\n', { ...counted, energyJoules: 300, powerWatts: 150 })
    // the driver was loaded again: of this second nothing is known
    await next(1000, '5000000\n', { temperatureCelsius: 47 })
    await next(1000, '155000000\n', { ...counted, energyJoules: 450, powerWatts: 150 })
    await next(1000, 'broken\n', { temperatureCelsius: 47 })
  })

  it("i915's counter of the whole card, not of one of its parts", async () => {
    machine = recordMachine({
      [`${folder}/uevent`]: 'DRIVER=i915\nPCI_SLOT_NAME=0000:03:00.0\n',
      [`${folder}/hwmon/hwmon2/name`]: 'i915_gt0\n',
      [`${folder}/hwmon/hwmon2/energy1_input`]: '1\n',
      [`${folder}/hwmon/hwmon3/name`]: 'i915\n',
      [`${folder}/hwmon/hwmon3/energy1_input`]: '0\n',
    })
    const read = createGpuReadings(machine.system)
    const joules = (): number | undefined => read([ARC], undefined)[0]?.energyJoules
    await expect.poll(joules).toBe(0)
    machine.write(`${folder}/hwmon/hwmon3/energy1_input`, '75000000\n')
    machine.clock.milliseconds = 1000
    await expect.poll(joules).toBe(75)
    expect(read([ARC], undefined)[0]?.powerWatts).toBe(75)
  })
})

describe('a counter beside a power sensor', () => {
  /** Looks every five seconds at a card that takes 300 W, of which the counter says `share`. */
  const follow = (share: number): (number | undefined)[] => {
    const counter = createGpuCounter()
    return [0, 1, 2, 3].map((look) => counter.take(look * 5000, 20_909_145.914 + 1500 * look * share, 300).energyJoules)
  }

  it('is believed once it agreed for ten seconds', () => {
    const [, , third = 0, fourth = 0] = follow(1.02)
    expect(follow(1.02).slice(0, 2)).toEqual([undefined, undefined])
    expect(fourth - third).toBeCloseTo(1530, 3)
  })

  it.each([0, 0.002, 2.5])('is not believed when it says %s of what the sensor says', (share) =>
    expect(follow(share)).toEqual([undefined, undefined, undefined, undefined]),
  )

  it('gives way to the sensor for the time in which it went back', () => {
    const counter = createGpuCounter()
    const looks = [1000, 1300, 1600, 200, 500].map((joules, second) => counter.take(second * 10_000, joules, 30))
    expect(looks.map(({ energyJoules }) => energyJoules)).toEqual([undefined, 300, 600, undefined, 900])
    expect(looks.every(({ meanWatts }) => meanWatts === undefined)).toBe(true)
  })
})
