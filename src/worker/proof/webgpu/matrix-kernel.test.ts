import { create, globals } from 'webgpu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fittingShape, matrixProductShader, subgroupMatrices, type ListedMatrix } from './matrix-kernel'

const listed = (M: number, N: number, K: number, componentType = 'i8', resultComponentType = 'i32'): ListedMatrix => ({
  componentType,
  resultComponentType,
  M,
  N,
  K,
})

describe('the shape of the matrix product', () => {
  it.each([
    ["NVIDIA's largest", [listed(16, 8, 32), listed(16, 16, 32), listed(16, 16, 16, 'f16', 'f16')], 32, [16, 16, 32]],
    ["Intel's", [listed(8, 16, 16, 'f16', 'f32'), listed(8, 16, 32)], 32, [8, 16, 32]],
    ["AMD's, with its widest subgroups", [listed(16, 16, 16)], 64, [16, 16, 16]],
  ] as const)('is %s', (_, configs, subgroupSize, [rows, columns, inner]) => {
    expect(fittingShape(configs, subgroupSize)).toEqual({ rows, columns, inner })
  })

  it.each([
    ['nothing is listed', [], 32],
    [
      'only other numbers are',
      [listed(16, 16, 16, 'f16', 'f32'), listed(16, 16, 32, 'u8', 'u32'), listed(8, 8, 8, 'i8', 'i8')],
      32,
    ],
    ['results do not divide evenly', [listed(12, 16, 32)], 32],
    ['operands do not come in words', [listed(16, 16, 2)], 32],
    ['a workgroup has no room for the sums', [listed(32, 64, 16)], 32],
    ['four subgroups are more than a workgroup has', [listed(16, 16, 32)], 128],
    ['the adapter does not say how large a subgroup is', [listed(16, 16, 32)], 0],
  ])('is none where %s', (_, configs, subgroupSize) => {
    expect(fittingShape(configs, subgroupSize)).toBe(null)
  })
})

/** Dawn without a device: its compiler reads and checks the language all the same. */
describe('the matrix product in WGSL', () => {
  /** kept: what it made does not keep it */
  let dawn: GPU
  let device: GPUDevice
  beforeAll(async () => {
    Object.assign(globalThis, globals)
    dawn = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis'])
    const adapter = await dawn.requestAdapter()
    if (!adapter) throw new Error('Dawn has no null adapter')
    device = await adapter.requestDevice({
      requiredFeatures: ['subgroups', 'chromium-experimental-subgroup-matrix'] as GPUFeatureName[],
    })
  })
  afterAll(() => device.destroy())

  it.each([
    [8, 8, 8],
    [16, 16, 16],
    [16, 16, 32],
    [16, 8, 32],
    [8, 16, 32],
    [32, 8, 16],
  ])('is compiled without a message for units of %i × %i × %i', async (rows, columns, inner) => {
    const shape = { rows, columns, inner }
    expect(fittingShape([listed(rows, columns, inner)], 32)).toEqual(shape)
    const code = matrixProductShader({ shape, subgroupSize: 32, features: [], code: subgroupMatrices(shape) })
    device.pushErrorScope('validation')
    const module = device.createShaderModule({ code })
    const { messages } = await module.getCompilationInfo()
    expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([])
    const constants = { inner_words: 64, columns: 768, finish: 2 }
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module, constants } })
    expect(await device.popErrorScope()).toBe(null)
  })

  it('is refused by the same compiler with one type amiss', async () => {
    const shape = { rows: 16, columns: 16, inner: 32 }
    const right = matrixProductShader({ shape, subgroupSize: 32, features: [], code: subgroupMatrices(shape) })
    device.pushErrorScope('validation')
    const module = device.createShaderModule({ code: right.replaceAll('_right<i8, 16, 32>', '_right<i8, 16, 16>') })
    const { messages } = await module.getCompilationInfo()
    expect(messages.map(({ type }) => type)).toContain('error')
    await device.popErrorScope()
  })
})
