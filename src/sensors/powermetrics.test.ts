/** powermetrics as it prints on real Macs, from real processes: the script that stands for it prints a recorded text. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPowermetrics, POWERMETRICS, type Powermetrics } from './powermetrics'
import { recordMachine, type RecordedMachine } from './recorded.test.support'
import { createSensors } from './sensors'
import { realSystem, type GraphicsController } from './system'

const HEAD = `Machine model: Mac14,2
OS version: 25C56
Boot arguments: 
Boot time: Thu Sep 10 23:42:17 2026



`
const sample = (at: string, elapsed: string, cpu: number, gpu: number, ane: number): string => `
*** Sampled system activity (Fri Sep 11 13:41:${at} 2026 -0700) (${elapsed}ms elapsed) ***


**** Processor usage ****

E-Cluster HW active frequency: 1248 MHz
E-Cluster HW active residency:  77.43% (600 MHz:   0% 912 MHz:  54% 2424 MHz: 8.7%)
E-Cluster idle residency:  22.57%
CPU 0 frequency: 1359 MHz

P-Cluster HW active frequency: 1145 MHz
P-Cluster HW active residency:  56.23% (660 MHz:  36% 924 MHz: .54% 3504 MHz:   0%)
P-Cluster idle residency:  43.77%
CPU 4 frequency: 2039 MHz

CPU Power: ${cpu} mW
GPU Power: ${gpu} mW
ANE Power: ${ane} mW
Combined Power (CPU + GPU + ANE): ${cpu + gpu + ane} mW


**** GPU usage ****

GPU HW active frequency: 638 MHz
GPU HW active residency:   2.21% (389 MHz: .09% 486 MHz:   0% 648 MHz: 2.1% 778 MHz:   0% 972 MHz:   0% 1296 MHz:   0%)
GPU SW requested state: (P1 :   0% P2 :   0% P3 : 100% P4 :   0% P5 :   0% P6 :   0%)
GPU SW state: (SW_P1 :   0% SW_P2 :   0% SW_P3 :   0% SW_P4 :   0% SW_P5 :   0% SW_P6 :   0%)
GPU idle residency:  97.79%
GPU Power: ${gpu} mW
`
const APPLE = HEAD + sample('46', '1002.90', 823, 26, 323) + sample('47', '1010.09', 205, 19, 221)
const INTEL = `Machine model: MacBookPro16,1
SMC version: Unknown
EFI version: 1968.140.7
OS version: 23A344
Boot arguments: 
Boot time: Wed Dec 27 19:42:05 2023



*** Sampled system activity (Mon Jan  1 14:42:26 2024 +0000) (1001.22ms elapsed) ***


**** Processor usage ****

Intel energy model derived package power (CPUs+GT+SA): 4.69W

LLC flushed residency: 0%

System Average frequency as fraction of nominal: 71.52% (1645.01 Mhz)
`

let machine: RecordedMachine
let folder: string
let powermetrics: Powermetrics | undefined
/** each command that was started, with its parameters */
let started: string[]
/** the end of each */
let ends: Promise<unknown>[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lode-powermetrics-'))
  started = []
  ends = []
})
afterEach(() => {
  powermetrics?.stop()
  machine.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** A Mac whose powermetrics (or sudo) is a shell script that does this. */
function mac(script: string, userId = 0, controllers: GraphicsController[] = []): RecordedMachine {
  const tool = join(folder, 'tool')
  writeFileSync(tool, `#!/bin/sh\necho $$ > ${folder}/pid\n${script}\n`)
  chmodSync(tool, 0o755)
  writeFileSync(join(folder, 'apple'), APPLE)
  writeFileSync(join(folder, 'intel'), INTEL)
  const real = realSystem()
  machine = recordMachine(
    {},
    {
      platform: 'darwin',
      controllers,
      userId: () => userId,
      follow: (command, parameters, onLine) => {
        started.push([command, ...parameters].join(' '))
        const followed = real.follow(tool, parameters, onLine)
        ends.push(followed.ended)
        return followed
      },
    },
  )
  return machine
}
const keepsRunning = (file: string): string => `cat ${folder}/${file}; while echo; do sleep 0.05; done`

describe('powermetrics', () => {
  it('adds up what each part of an Apple processor takes, from one process', async () => {
    powermetrics = createPowermetrics(mac(keepsRunning('apple')).system)
    expect(powermetrics.latest()).toBeUndefined()
    await expect.poll(() => powermetrics?.latest()?.gpu?.watts).toBe(0.24)
    const found = powermetrics.latest()
    expect(found?.source).toBe("powermetrics, the processor's cores")
    expect(found?.cpuJoules).toBeCloseTo(0.823 * 1.0029 + 0.205 * 1.01009, 9)
    // the GPU's line stands twice in each sample and counts once
    expect(found?.gpu?.joules).toBeCloseTo((0.026 + 0.323) * 1.0029 + (0.019 + 0.221) * 1.01009, 9)
    expect(found?.cpuWatts).toBe(0.205)
    expect(found?.gpu?.utilization).toBeCloseTo(0.0221, 9)
    expect(started).toEqual([`${POWERMETRICS} --samplers cpu_power,gpu_power -i 1000 -n 3600 -b 1`])
    expect(powermetrics.missing()).toBeUndefined()
    // what it printed long ago is no reading
    machine.clock.milliseconds = 5001
    expect(powermetrics.latest()).toBeUndefined()
  })

  it('gives an Intel Mac its whole package', async () => {
    powermetrics = createPowermetrics(mac(keepsRunning('intel')).system)
    powermetrics.latest()
    await expect
      .poll(() => powermetrics?.latest())
      .toEqual({
        cpuWatts: 4.69,
        cpuJoules: 4.69 * 1.00122,
        source: 'powermetrics, whole processor package',
      })
  })

  it('feeds the processor and its GPU', async () => {
    const m2 = { vendor: 'Apple', model: 'Apple M2', vramDynamic: true, vram: null }
    const sensors = createSensors(mac(keepsRunning('apple'), 0, [m2]).system)
    await sensors.inventory()
    await expect.poll(async () => (await sensors.read()).gpus[0]?.powerWatts).toBe(0.24)
    const { packageWatts, packageSource, gpus } = await sensors.read()
    expect(packageWatts).toBe(0.205)
    expect(packageSource).toMatch(/^powermetrics/)
    expect(gpus).toMatchObject([{ id: 'gpu0', powerWatts: 0.24, powerSource: 'powermetrics, GPU and Neural Engine' }])
    sensors.stop()
  })

  it.each([
    ['a user without a rule of sudo', 501, 'echo "sudo: a password is required" >&2; exit 1'],
    ['sudo that ran it without the rights', 501, 'echo "powermetrics must be invoked as the superuser" >&2; exit 1'],
  ])('is refused to %s, says so in words, and is not asked again until somebody looks', async (_, userId, script) => {
    const sensors = createSensors(mac(script, userId).system)
    const missing = async (): Promise<string | undefined> => (await sensors.read()).packageMissing
    await expect.poll(missing).toMatch(/^powermetrics is not permitted: it needs the administrator/)
    for (let hour = 0; hour < 5; hour++) {
      machine.clock.milliseconds += 3_600_000
      await missing()
    }
    // -n: it never asks for a password
    expect(started).toEqual([`/usr/bin/sudo -n ${POWERMETRICS} --samplers cpu_power,gpu_power -i 1000 -n 3600 -b 1`])
    await sensors.inventory()
    await missing()
    expect(started).toHaveLength(2)
  })

  it('is started again when its time is over, after a pause when it failed, and given up in the end', async () => {
    powermetrics = createPowermetrics(
      mac(`cat ${folder}/apple; [ -e ${folder}/broken ] && { echo odd >&2; exit 3; }; exit 0`).system,
    )
    const look = (): number => (powermetrics?.latest(), started.length)
    await expect.poll(look).toBeGreaterThan(1)
    writeFileSync(join(folder, 'broken'), '')
    writeFileSync(join(folder, 'apple'), '')
    const ended = async (count: number): Promise<void> => {
      machine.clock.milliseconds += 10_000
      await expect.poll(look).toBeGreaterThanOrEqual(count)
    }
    await expect.poll(async () => (await ended(1), powermetrics?.missing())).toBe('powermetrics ended 3 times: odd')
    const before = started.length
    machine.clock.milliseconds += 1e6
    expect(look()).toBe(before)
  })

  it('that prints nothing and ends is given up as well', async () => {
    powermetrics = createPowermetrics(mac('exit 0').system)
    const look = (): string | undefined => {
      machine.clock.milliseconds += 10_000
      powermetrics?.latest()
      return powermetrics?.missing()
    }
    await expect.poll(look).toBe('powermetrics ended 3 times')
    expect(started).toHaveLength(3)
  })

  it('that hangs is ended, started again after a pause, and given up', { timeout: 20_000 }, async () => {
    powermetrics = createPowermetrics(mac('exec sleep 60').system)
    const startedAfter = (milliseconds: number): number => {
      machine.clock.milliseconds += milliseconds
      powermetrics?.latest()
      return started.length
    }
    expect([0, 30_000].map(startedAfter)).toEqual([1, 1])
    for (const times of [2, 3])
      expect([1, 9999, 1, 30_000].map(startedAfter)).toEqual([times - 1, times - 1, times, times])
    expect([1, 10_000, 3_600_000].map(startedAfter)).toEqual([3, 3, 3])
    expect(powermetrics.missing()).toBe('powermetrics ended 3 times: it printed nothing for 30 seconds')
    await Promise.all(ends)
  })

  it('ends with its reader', async () => {
    powermetrics = createPowermetrics(mac(keepsRunning('apple')).system)
    powermetrics.latest()
    await expect.poll(() => powermetrics?.latest() !== undefined).toBe(true)
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    powermetrics.stop()
    const isGone = (): boolean => {
      try {
        process.kill(pid, 0)
        return false
      } catch {
        return true
      }
    }
    await expect.poll(isGone).toBe(true)
  })

  it('is missed on a Mac that has none', async () => {
    mac('exit 0')
    rmSync(join(folder, 'tool'))
    powermetrics = createPowermetrics(machine.system)
    powermetrics.latest()
    await expect.poll(() => powermetrics?.missing()).toBe('there is no powermetrics on this computer')
  })
})
