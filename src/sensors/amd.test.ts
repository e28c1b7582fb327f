import { describe, expect, it } from 'vitest'
import { askAmd } from './amd'
import { realSystem, type SensorSystem } from './system'

/** Commands with what they print; a command that is left out is not installed. */
function machine(outputs: Record<string, string>): { system: SensorSystem; asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    system: {
      ...realSystem(),
      run: (command, parameters) => {
        const key = `${command} ${parameters[0]}`
        asked.push(key)
        const output = outputs[key]
        return output === undefined ? Promise.reject(new Error(`spawn ${command} ENOENT`)) : Promise.resolve(output)
      },
    },
  }
}

const LIST = JSON.stringify([{ gpu: 0, bdf: '0000:03:00.0', uuid: '18ff744c-0000-1000-80f7-000000000000', kfd_id: 1 }])
const METRIC = {
  gpu: 0,
  usage: { gfx_activity: { value: 98, unit: '%' }, umc_activity: { value: 12, unit: '%' } },
  power: { socket_power: { value: 287, unit: 'W' }, gfx_voltage: 'N/A' },
  temperature: { edge: { value: 61, unit: 'C' }, hotspot: { value: 78, unit: 'C' } },
}
const ROCM = {
  card0: {
    'Temperature (Sensor edge) (C)': '51.0',
    'Temperature (Sensor junction) (C)': '60.0',
    'Average Graphics Package Power (W)': '143.0',
    'GPU use (%)': '97',
    'PCI Bus': '0000:03:00.0',
  },
  system: { 'Driver version': '6.7.0' },
}

describe('amd-smi', () => {
  it.each([
    ['a bare list', [METRIC]],
    ['a list inside gpu_data', { gpu_data: [METRIC] }],
  ])('%s', async (_, metric) => {
    const { system, asked } = machine({ 'amd-smi list': LIST, 'amd-smi metric': JSON.stringify(metric) })
    expect(await askAmd(system)).toEqual([
      { source: 'amd-smi', busAddress: '0000:03:00.0', powerWatts: 287, temperatureCelsius: 61, utilization: 0.98 },
    ])
    expect(asked).not.toContain('rocm-smi --showbus')
  })

  it('gives the joules that the card counted, where it counts', async () => {
    const counting = { ...METRIC, energy: { total_energy_consumption: { value: 20909145.914, unit: 'J' } } }
    const { system } = machine({ 'amd-smi list': LIST, 'amd-smi metric': JSON.stringify([counting]) })
    expect(await askAmd(system)).toMatchObject([{ powerWatts: 287, counterJoules: 20909145.914 }])
    const silent = { ...METRIC, energy: { total_energy_consumption: 'N/A' } }
    const other = machine({ 'amd-smi list': LIST, 'amd-smi metric': JSON.stringify([silent]) })
    expect((await askAmd(other.system))[0]?.counterJoules).toBeUndefined()
  })

  it('believes no watts of a card whose heat says that it does not answer', async () => {
    const lost = { ...METRIC, power: { socket_power: 511 }, temperature: { edge: 511 } }
    const { system } = machine({ 'amd-smi list': LIST, 'amd-smi metric': JSON.stringify([lost]) })
    expect((await askAmd(system))[0]).toEqual({ source: 'amd-smi', busAddress: '0000:03:00.0', utilization: 0.98 })
  })

  it('N/A and values that cannot be are absent', async () => {
    const odd = { gpu: 0, usage: 'N/A', power: { socket_power: 'N/A' }, temperature: { edge: 'N/A', hotspot: 511 } }
    const { system } = machine({ 'amd-smi list': LIST, 'amd-smi metric': JSON.stringify([odd]) })
    expect(await askAmd(system)).toEqual([{ source: 'amd-smi', busAddress: '0000:03:00.0' }])
  })
})

describe('rocm-smi', () => {
  it('is asked where amd-smi is missing', async () => {
    const { system } = machine({ 'rocm-smi --showbus': JSON.stringify(ROCM) })
    expect(await askAmd(system)).toEqual([
      { source: 'rocm-smi', busAddress: '0000:03:00.0', powerWatts: 143, temperatureCelsius: 51, utilization: 0.97 },
    ])
  })

  it('gives microjoules as joules', async () => {
    const counting = { 'Energy counter': '62929744071539', 'Accumulated Energy (uJ)': '962825096297442.9' }
    const { system } = machine({ 'rocm-smi --showbus': JSON.stringify({ card0: { ...ROCM.card0, ...counting } }) })
    expect((await askAmd(system))[0]?.counterJoules).toBeCloseTo(962_825_096.2974429, 3)
  })

  it('newer names, and no figures', async () => {
    const card = {
      'PCI Bus': '0000:03:00.0',
      'Current Socket Graphics Package Power (W)': '35.0',
      'GPU use (%)': 'N/A',
    }
    const { system } = machine({ 'rocm-smi --showbus': JSON.stringify({ card0: card }) })
    expect(await askAmd(system)).toEqual([{ source: 'rocm-smi', busAddress: '0000:03:00.0', powerWatts: 35 }])
  })
})

it.each([
  ['no tool', {}],
  [
    'words instead of JSON',
    { 'amd-smi list': 'ERROR: no driver', 'amd-smi metric': '', 'rocm-smi --showbus': 'WARNING' },
  ],
  ['JSON of another shape', { 'amd-smi list': '{}', 'amd-smi metric': '7', 'rocm-smi --showbus': '[1]' }],
])('%s: nothing is known', async (_, outputs) => {
  expect(await askAmd(machine(outputs).system)).toEqual([])
})
