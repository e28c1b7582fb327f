import { describe, expect, it } from 'vitest'
import type { BackendName } from '#shared/domain/backend'
import type { SensorInventory } from '#shared/ipc/sensors'
import { computingGpus, defaultThreads, describeDevices, backendUses } from './describe'
import { said } from '#test/support/said'

const backends: BackendName[] = ['onnx-cpu', 'reference']
const inventory: SensorInventory = {
  cpu: {
    name: 'AMD Ryzen 7 7700 8-Core Processor',
    vendor: 'AMD',
    physicalCores: 8,
    logicalCores: 16,
    instructionSets: ['AVX2', 'AVX-512 VNNI'],
  },
  memoryBytes: 32e9,
  gpus: [
    {
      id: 'gpu0',
      name: 'NVIDIA GeForce RTX 4070',
      vendor: 'NVIDIA',
      memoryBytes: 12e9,
      driver: '580.65',
      shared: false,
    },
    { id: 'gpu1', name: 'Radeon Graphics', vendor: 'AMD', shared: true },
    { id: 'gpu2', name: 'Microsoft Basic Display Adapter', vendor: 'Microsoft', shared: false },
    { id: 'gpu3', name: 'ASPEED Graphics Family', vendor: 'ASPEED Technology, Inc.', shared: false },
    { id: 'gpu4', name: 'SVGA II Adapter', vendor: 'VMware', shared: false },
  ],
  raplReadable: true,
  battery: false,
}

describe('describeDevices', () => {
  it('describes the processor by its real name', () => {
    expect(describeDevices(inventory, {}, backends)[0]).toEqual({
      id: 'cpu0',
      kind: 'cpu',
      name: 'AMD Ryzen 7 7700',
      vendor: 'AMD',
      backends: ['onnx-cpu', 'reference'],
      memoryBytes: 32e9,
      canMine: true,
      enabled: true,
      cores: 8,
      logicalCores: 16,
      instructionSets: ['AVX2', 'AVX-512 VNNI'],
      threads: { inUse: 7, maximum: 16, default: 7 },
    })
  })

  it('gives the processor the backends that proved themselves', () => {
    const [cpu] = describeDevices(inventory, {}, ['native', 'onnx-cpu', 'reference'])
    expect(cpu?.backends).toEqual(['native', 'onnx-cpu', 'reference'])
  })

  it('says of every GPU why it cannot mine, and never switches one on', () => {
    const gpus = describeDevices(inventory, { gpu0: { enabled: true } }, backends).slice(1)
    expect(gpus.map(({ id, canMine, enabled, backends }) => ({ id, canMine, enabled, backends }))).toEqual(
      ['gpu0', 'gpu1', 'gpu2', 'gpu3', 'gpu4'].map((id) => ({ id, canMine: false, enabled: false, backends: [] })),
    )
    expect(gpus.map(({ reason }) => said(reason))).toEqual([
      'No backend gave the right digests on it; it will not be used.',
      'No backend gave the right digests on it; it will not be used.',
      'A virtual display adapter without a graphics processor; it will not be used.',
      "A server's display chip, which cannot compute; it will not be used.",
      'A virtual display adapter without a graphics processor; it will not be used.',
    ])
    expect(gpus[0]).toMatchObject({ memoryBytes: 12e9, driver: '580.65' })
    expect(gpus[1]).toMatchObject({ memoryBytes: 32e9 })
  })

  it('offers a GPU once a backend proved itself there', () => {
    const gpus = { gpu0: { backends: ['webgpu'], matrixUnits: false } } as const
    expect(describeDevices(inventory, {}, backends, gpus)[1]).toMatchObject({
      canMine: true,
      enabled: true,
      backends: ['webgpu'],
      adapter: {
        name: 'NVIDIA GeForce RTX 4070',
        vendor: 'NVIDIA',
        index: 0,
        others: [{ name: 'Radeon Graphics', vendor: 'AMD' }],
      },
    })
    expect(describeDevices(inventory, { gpu0: { enabled: false } }, backends, gpus)[1]?.enabled).toBe(false)
    expect(computingGpus(inventory).map(({ id }) => id)).toEqual(['gpu0', 'gpu1'])
  })

  it('says in words what a backend uses of a device', () => {
    const uses = (backend: string, matrixUnits = false): string | null => {
      const [, gpu] = describeDevices(inventory, {}, backends, { gpu0: { backends: ['webgpu'], matrixUnits } })
      return gpu ? backendUses(gpu, backend) : null
    }
    expect(uses('webgpu')).toBe('int8 vector units; tensor cores need a vendor driver')
    expect(uses('webgpu', true)).toBe('int8 matrix units')
    expect(uses('onnx-webgpu', true)).toBe('float32 vector units; int8 units and tensor cores need another backend')
    expect(uses('onnx-cuda')).toBe('int8 tensor cores')
    expect(uses('onnx-directml')).toBe('the int8 units that its DirectX driver offers')
    expect(uses('onnx-coreml')).toBe('float32 units; the Neural Backend needs a vendor driver')
    // a driver names its device's units itself
    expect(uses('native')).toBe(null)
    const [cpu] = describeDevices(inventory, {}, backends)
    expect(cpu && backendUses(cpu, 'native')).toBe("int8 vector instructions, by Lode's own kernels")
    expect(cpu && backendUses(cpu, 'onnx-cpu')).toBe('int8 vector instructions, by onnxruntime')
  })

  it('knows which of several GPUs share a name, and says of those that cannot be told apart why they are not used', () => {
    const card = (id: string, name: string) => ({ id, name, vendor: 'AMD', shared: false })
    const gpus = [
      card('gpu0', 'Radeon RX 7900 XT'),
      card('gpu1', 'Radeon RX 7900 XTX'),
      card('gpu2', 'Radeon RX 7900 XT'),
    ]
    const found = describeDevices({ ...inventory, gpus }, {}, backends, {
      gpu0: { backends: ['webgpu'], matrixUnits: false },
      gpu1: { backends: ['webgpu'], matrixUnits: true },
    })
    expect(found.slice(1).map(({ adapter }) => adapter)).toMatchObject([
      { name: 'Radeon RX 7900 XT', vendor: 'AMD', index: 0, twin: 'first' },
      { name: 'Radeon RX 7900 XTX', index: 1, matrixUnits: true },
      { name: 'Radeon RX 7900 XT', index: 2, twin: 'later' },
    ])
    expect(found[2]?.adapter).not.toHaveProperty('twin')
    expect(found[2]?.adapter?.others).toEqual([
      { name: 'Radeon RX 7900 XT', vendor: 'AMD' },
      { name: 'Radeon RX 7900 XT', vendor: 'AMD' },
    ])
    expect(found.map(({ canMine }) => canMine)).toEqual([true, true, true, false])
    expect(said(found[3]?.reason)).toContain('WebGPU cannot tell it from another of the same name')
  })

  it("follows the person's choice within what the machine has", () => {
    const threads = (chosen: number | null): unknown =>
      describeDevices(inventory, { cpu0: { enabled: false, threads: chosen } }, backends)[0]
    expect(threads(3)).toMatchObject({ enabled: false, threads: { inUse: 3 } })
    expect(threads(null)).toMatchObject({ threads: { inUse: 7 } })
    expect(threads(100)).toMatchObject({ threads: { inUse: 16 } })
    expect(threads(0)).toMatchObject({ threads: { inUse: 1 } })
  })
})

describe('defaultThreads', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [8, 7],
    [64, 63],
  ])('of %s cores takes %s', (cores, threads) => expect(defaultThreads(cores)).toBe(threads))
})
