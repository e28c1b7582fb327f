import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cpuinfo, recordMachine, type RecordedMachine } from './recorded.test.support'
import { createSensors } from './sensors'
import { realSystem, type GraphicsController } from './system'

const RYZEN_FLAGS =
  'fpu vme de pse tsc msr sse sse2 ht syscall nx ssse3 fma cx16 sse4_1 sse4_2 popcnt aes avx f16c rdrand avx2 avx512f avx512bw avx512_bf16 avx512_vnni'
const RYZEN = cpuinfo({
  vendor: 'AuthenticAMD',
  name: 'AMD Ryzen 7 7700 8-Core Processor',
  cores: 8,
  threads: 2,
  flags: RYZEN_FLAGS,
})
const GEFORCE: GraphicsController = {
  vendor: 'NVIDIA Corporation',
  model: 'AD104 [GeForce RTX 4070]',
  name: 'NVIDIA GeForce RTX 4070',
  busAddress: '01:00.0',
  vramDynamic: false,
  vram: 16,
  memoryTotal: 12282,
  driverVersion: '580.65.06',
}
const RADEON: GraphicsController = {
  vendor: 'Advanced Micro Devices, Inc. [AMD/ATI]',
  model: 'Radeon Graphics',
  busAddress: '0d:00.0',
  vramDynamic: false,
  vram: 256,
}

/** Does something as a user that may not read what belongs to root: as nobody, or as oneself without the right. */
async function asAnotherUser<T>(root: string, file: string, work: () => Promise<T>): Promise<T> {
  chmodSync(root, 0o755)
  if (process.geteuid?.() !== 0) {
    chmodSync(file, 0)
    return work()
  }
  const NOBODY = 65_534
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

let machine: RecordedMachine
afterEach(() => machine.remove())

describe('inventory', () => {
  it('reads a desktop with Linux', async () => {
    machine = recordMachine(
      {
        'proc/cpuinfo': RYZEN,
        'sys/class/drm/card1/device/uevent': 'DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_SLOT_NAME=0000:0d:00.0\n',
        'sys/class/drm/card1/device/mem_info_vram_total': '536870912\n',
        'sys/class/drm/card1-DP-1/status': 'connected\n',
      },
      { controllers: [RADEON, GEFORCE], availableCores: () => 16 },
    )
    expect(await createSensors(machine.system).inventory()).toEqual({
      cpu: {
        name: 'AMD Ryzen 7 7700 8-Core Processor',
        vendor: 'AMD',
        physicalCores: 8,
        logicalCores: 16,
        instructionSets: ['SSE4.2', 'AVX', 'F16C', 'FMA3', 'AVX2', 'AVX-512', 'AVX-512 VNNI', 'AVX-512 BF16'],
        virtualMachine: false,
      },
      memoryBytes: 16 * 1024 ** 3,
      gpus: [
        {
          id: 'gpu0',
          name: 'NVIDIA GeForce RTX 4070',
          vendor: 'NVIDIA Corporation',
          shared: false,
          memoryBytes: 12282 * 1024 * 1024,
          driver: '580.65.06',
        },
        {
          id: 'gpu1',
          name: 'Radeon Graphics',
          vendor: 'Advanced Micro Devices, Inc. [AMD/ATI]',
          shared: true,
          memoryBytes: 536870912,
          driver: 'amdgpu',
        },
      ],
      raplReadable: false,
      battery: false,
    })
  })

  it('gives GPUs the same ids in whatever order the system lists them', async () => {
    const names = async (controllers: GraphicsController[]): Promise<string[]> => {
      machine = recordMachine({ 'proc/cpuinfo': RYZEN }, { controllers })
      const { gpus } = await createSensors(machine.system).inventory()
      machine.remove()
      return gpus.map(({ id, name }) => `${id} ${name}`)
    }
    expect(await names([RADEON, GEFORCE])).toEqual(await names([GEFORCE, RADEON]))
  })

  it('does not take the size of the PCI window for memory', async () => {
    machine = recordMachine({ 'proc/cpuinfo': RYZEN }, { controllers: [RADEON] })
    expect((await createSensors(machine.system).inventory()).gpus[0]).not.toHaveProperty('memoryBytes')
  })

  it('takes what a system leaves out of its list of GPUs for empty', async () => {
    machine = recordMachine(
      { 'proc/cpuinfo': RYZEN },
      { controllers: [{ vendor: null, vram: '8 GB', busAddress: '' }, 'nonsense'] },
    )
    expect((await createSensors(machine.system).inventory()).gpus).toEqual([
      { id: 'gpu0', name: 'Unknown graphics processor', vendor: '', shared: false },
    ])
  })

  it('knows a virtual machine and counts no more cores than it may use', async () => {
    const flags = 'fpu hypervisor avx avx2 avx_vnni avx512f avx512_vnni amx_int8'
    const text = cpuinfo({ vendor: 'GenuineIntel', name: 'Intel(R) Xeon(R) Processor', cores: 4, threads: 1, flags })
    machine = recordMachine({ 'proc/cpuinfo': text }, { availableCores: () => 2 })
    const { cpu } = await createSensors(machine.system).inventory()
    expect(cpu).toMatchObject({ virtualMachine: true, physicalCores: 2, logicalCores: 2, vendor: 'Intel' })
    expect(cpu.instructionSets).toEqual(['AVX', 'AVX2', 'AVX-VNNI', 'AVX-512', 'AVX-512 VNNI', 'AMX INT8'])
  })

  it('reads an ARM board, whose name only the library knows', async () => {
    const block =
      'processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 asimdhp asimddp i8mm\nCPU implementer\t: 0x41\n'
    machine = recordMachine(
      {
        'proc/cpuinfo': `${block}\n${block}`,
        'sys/devices/system/cpu/cpu0/topology/core_id': '0\n',
        'sys/devices/system/cpu/cpu0/topology/physical_package_id': '0\n',
        'sys/devices/system/cpu/cpu1/topology/core_id': '1\n',
        'sys/devices/system/cpu/cpu1/topology/physical_package_id': '0\n',
        'sys/devices/system/cpu/cpufreq/boost': '0\n',
      },
      {
        library: () =>
          Promise.resolve({
            cpu: () =>
              Promise.resolve({ manufacturer: 'ARM', brand: 'Cortex-A76', vendor: 'ARM', physicalCores: 2, flags: '' }),
            graphics: () => Promise.resolve({ controllers: [] }),
            battery: () => Promise.resolve({ hasBattery: false, acConnected: true }),
          }),
      },
    )
    const { cpu } = await createSensors(machine.system).inventory()
    expect(cpu).toEqual({
      name: 'ARM Cortex-A76',
      vendor: 'ARM',
      physicalCores: 2,
      logicalCores: 8,
      instructionSets: ['NEON', 'NEON FP16', 'NEON dotprod', 'i8mm'],
      virtualMachine: false,
    })
  })

  it('reads an Apple computer from sysctl', async () => {
    const sysctl = `hw.ncpu: 8
hw.physicalcpu: 8
hw.logicalcpu: 8
hw.memsize: 17179869184
hw.optional.arm.FEAT_FP16: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 0
hw.optional.arm.FEAT_BF16: 0
hw.optional.neon: 1
machdep.cpu.cores_per_package: 8
machdep.cpu.core_count: 8
machdep.cpu.brand_string: Apple M1
`
    machine = recordMachine({}, { platform: 'darwin', outputs: { '/usr/sbin/sysctl': sysctl } })
    const { cpu, raplReadable } = await createSensors(machine.system).inventory()
    expect(cpu).toEqual({
      name: 'Apple M1',
      vendor: 'Apple',
      physicalCores: 8,
      logicalCores: 8,
      instructionSets: ['NEON', 'NEON FP16', 'NEON dotprod'],
    })
    expect(raplReadable).toBe(false)
  })

  it('stands with everything missing, failing or hanging, and invents nothing', async () => {
    const never = (): Promise<never> => new Promise(() => undefined)
    machine = recordMachine(
      {},
      {
        cpuModel: () => 'Some processor',
        library: () =>
          Promise.resolve({
            cpu: () => Promise.reject(new Error('no')),
            graphics: () => Promise.reject(new Error('no')),
            battery: never,
          }),
      },
    )
    const sensors = createSensors(machine.system)
    expect(await sensors.inventory()).toEqual({
      cpu: { name: 'Some processor', vendor: '', physicalCores: 8, logicalCores: 8, instructionSets: [] },
      memoryBytes: 16 * 1024 ** 3,
      gpus: [],
      raplReadable: false,
      battery: false,
    })
    expect(await sensors.read()).toEqual({ at: 0, cpuLoad: 0, gpus: [] })
  })
})

describe('reading', () => {
  const rapl = {
    'sys/class/powercap/intel-rapl:0/name': 'package-0\n',
    'sys/class/powercap/intel-rapl:0/energy_uj': '1000000\n',
    'sys/class/powercap/intel-rapl:0/max_energy_range_uj': '262143328850\n',
    'sys/class/powercap/intel-rapl:0:0/name': 'core\n',
    'sys/class/powercap/intel-rapl:0:0/energy_uj': '999\n',
    'sys/class/powercap/intel-rapl:0:0/max_energy_range_uj': '262143328850\n',
    'sys/class/powercap/intel-rapl:1/name': 'package-1\n',
    'sys/class/powercap/intel-rapl:1/energy_uj': '262143000000\n',
    'sys/class/powercap/intel-rapl:1/max_energy_range_uj': '262143328850\n',
    'sys/class/powercap/intel-rapl:2/name': 'psys\n',
    'sys/class/powercap/intel-rapl:2/energy_uj': '77\n',
    'sys/class/powercap/intel-rapl:2/max_energy_range_uj': '262143328850\n',
    'sys/class/powercap/intel-rapl-mmio:0/name': 'package-0\n',
    'sys/class/powercap/intel-rapl-mmio:0/energy_uj': '1000000\n',
    'sys/class/powercap/intel-rapl-mmio:0/max_energy_range_uj': '262143328850\n',
  }

  it('adds up packages only, once each, over the wrap-around', async () => {
    machine = recordMachine(rapl)
    const sensors = createSensors(machine.system)
    expect((await sensors.inventory()).raplReadable).toBe(true)
    expect(await sensors.read()).toMatchObject({
      packageJoules: 0,
      packageSource: 'RAPL energy counter, whole processor package',
    })
    machine.write('sys/class/powercap/intel-rapl:0/energy_uj', '66000000\n')
    machine.write('sys/class/powercap/intel-rapl:1/energy_uj', '9671150\n')
    // 65 J, and 0.328850 J to the end of the range and 9.671150 J after it
    expect((await sensors.read()).packageJoules).toBeCloseTo(75, 9)
  })

  it('gives no joules while one package cannot be read, and goes on counting after', async () => {
    machine = recordMachine(rapl)
    const sensors = createSensors(machine.system)
    await sensors.read()
    machine.write('sys/class/powercap/intel-rapl:1/energy_uj', '')
    expect(await sensors.read()).not.toHaveProperty('packageJoules')
    machine.write('sys/class/powercap/intel-rapl:0/energy_uj', '6000000\n')
    machine.write('sys/class/powercap/intel-rapl:1/energy_uj', '262148000000\n')
    expect((await sensors.read()).packageJoules).toBeCloseTo(10, 9)
  })

  it.skipIf(process.platform !== 'linux')('says that a counter is for the administrator only', async () => {
    machine = recordMachine(rapl)
    const counter = join(machine.system.sysRoot, 'class/powercap/intel-rapl:0/energy_uj')
    // as the kernel has it: -r-------- root root
    chmodSync(counter, 0o400)
    const sensors = createSensors(machine.system)
    const reading = await asAnotherUser(dirname(machine.system.sysRoot), counter, () => sensors.read())
    expect(reading).toMatchObject({
      packageMissing: "the processor's energy counter (RAPL) may be read by the administrator only",
    })
    expect(reading).not.toHaveProperty('packageJoules')
    // and once the rights are given
    chmodSync(counter, 0o444)
    expect(await sensors.read()).toMatchObject({ packageJoules: 0 })
    expect(await sensors.read()).not.toHaveProperty('packageMissing')
  })

  it.each([
    ['Package id 0', '61000', 61],
    ['Tctl', '72375', 72.375],
    ['Tctl', '127500', undefined],
    ['Tctl', '0', undefined],
    ['Tctl', '-40000', undefined],
    ['Tctl', 'broken', undefined],
  ])('reads hwmon %s %s', async (label, millidegrees, expected) => {
    machine = recordMachine({
      'sys/class/hwmon/hwmon0/name': 'nvme\n',
      'sys/class/hwmon/hwmon0/temp1_input': '88000\n',
      'sys/class/hwmon/hwmon1/name': label === 'Tctl' ? 'k10temp\n' : 'coretemp\n',
      'sys/class/hwmon/hwmon1/temp1_label': `${label}\n`,
      'sys/class/hwmon/hwmon1/temp1_input': `${millidegrees}\n`,
    })
    expect((await createSensors(machine.system).read()).cpuTemperatureCelsius).toBe(expected)
  })

  it('trusts the package before its cores, and falls back to thermal zones', async () => {
    machine = recordMachine({
      'sys/class/hwmon/hwmon2/name': 'coretemp\n',
      'sys/class/hwmon/hwmon2/temp1_label': 'Package id 0\n',
      'sys/class/hwmon/hwmon2/temp1_input': '55000\n',
      'sys/class/hwmon/hwmon2/temp2_label': 'Core 0\n',
      'sys/class/hwmon/hwmon2/temp2_input': '58000\n',
    })
    expect((await createSensors(machine.system).read()).cpuTemperatureCelsius).toBe(55)
    machine.remove()
    machine = recordMachine({
      'sys/class/thermal/thermal_zone0/type': 'acpitz\n',
      'sys/class/thermal/thermal_zone0/temp': '27800\n',
      'sys/class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
      'sys/class/thermal/thermal_zone1/temp': '49000\n',
    })
    expect((await createSensors(machine.system).read()).cpuTemperatureCelsius).toBe(49)
  })

  it('gives the load since the last reading', async () => {
    machine = recordMachine({})
    const sensors = createSensors(machine.system)
    machine.times.busyMilliseconds = 1500
    machine.times.totalMilliseconds = 2000
    expect((await sensors.read()).cpuLoad).toBe(0.75)
    expect((await sensors.read()).cpuLoad).toBe(0.75)
    machine.times.totalMilliseconds = 4000
    expect((await sensors.read()).cpuLoad).toBe(0)
  })

  it('knows when a laptop runs on its battery, and a mouse from a battery', async () => {
    const power = 'sys/class/power_supply'
    machine = recordMachine({
      [`${power}/BAT0/type`]: 'Battery\n',
      [`${power}/BAT0/status`]: 'Discharging\n',
      [`${power}/AC/type`]: 'Mains\n',
      [`${power}/AC/online`]: '0\n',
    })
    const sensors = createSensors(machine.system)
    expect((await sensors.inventory()).battery).toBe(true)
    expect((await sensors.read()).onBattery).toBe(true)
    machine.write(`${power}/AC/online`, '1\n')
    expect((await sensors.read()).onBattery).toBe(false)
    machine.remove()
    machine = recordMachine({
      [`${power}/hidpp_battery_0/type`]: 'Battery\n',
      [`${power}/hidpp_battery_0/scope`]: 'Device\n',
      [`${power}/hidpp_battery_0/status`]: 'Discharging\n',
    })
    expect(await createSensors(machine.system).read()).not.toHaveProperty('onBattery')
  })

  it('asks the GPU tool in the background, not at every reading', async () => {
    machine = recordMachine(
      { 'proc/cpuinfo': RYZEN },
      { controllers: [GEFORCE], outputs: { 'nvidia-smi': '00000000:01:00.0, 162.43, 64, 98\n' } },
    )
    const sensors = createSensors(machine.system)
    await sensors.inventory()
    expect((await sensors.read()).gpus).toEqual([{ id: 'gpu0' }])
    await expect
      .poll(async () => (await sensors.read()).gpus)
      .toEqual([
        { id: 'gpu0', powerWatts: 162.43, powerSource: 'nvidia-smi', temperatureCelsius: 64, utilization: 0.98 },
      ])
    expect(machine.commands).toEqual(['nvidia-smi'])
    machine.clock.milliseconds = 5000
    await sensors.read()
    await expect.poll(() => machine.commands).toEqual(['nvidia-smi', 'nvidia-smi'])
  })

  it('leaves out what a GPU does not support', async () => {
    machine = recordMachine(
      {
        'proc/cpuinfo': RYZEN,
        'sys/class/drm/card0/device/uevent': 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0d:00.0\n',
        'sys/class/drm/card0/device/gpu_busy_percent': '41\n',
        'sys/class/drm/card0/device/hwmon/hwmon3/power1_average': '23000000\n',
        'sys/class/drm/card0/device/hwmon/hwmon3/temp1_input': '48000\n',
      },
      { controllers: [GEFORCE, RADEON], outputs: { 'nvidia-smi': '00000000:01:00.0, [N/A], 51, [Not Supported]\n' } },
    )
    const sensors = createSensors(machine.system)
    await sensors.inventory()
    await expect
      .poll(async () => (await sensors.read()).gpus)
      .toEqual([
        { id: 'gpu0', temperatureCelsius: 51 },
        {
          id: 'gpu1',
          powerWatts: 23,
          powerSource: 'graphics driver amdgpu',
          temperatureCelsius: 48,
          utilization: 0.41,
        },
      ])
  })
})

describe('this machine', () => {
  it('answers with its real processor', async () => {
    machine = recordMachine({})
    const sensors = createSensors(realSystem())
    const { cpu, memoryBytes } = await sensors.inventory()
    expect(cpu.name).not.toBe('Unknown processor')
    expect(cpu.physicalCores).toBeLessThanOrEqual(cpu.logicalCores)
    expect(memoryBytes).toBeGreaterThan(100_000_000)
    const reading = await sensors.read()
    expect(reading.cpuLoad).toBeGreaterThanOrEqual(0)
    expect(reading.cpuLoad).toBeLessThanOrEqual(1)
  })
})
