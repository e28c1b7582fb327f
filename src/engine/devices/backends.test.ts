import { expect, it } from 'vitest'
import type { GpuFinding } from './describe'
import { createBackendSurvey } from './backends'

it('a slow graphics driver holds up nothing but its own device', async () => {
  let answer: (found: GpuFinding) => void = () => undefined
  let found = 0
  const look = createBackendSurvey({
    inventory: () => ({
      cpu: { name: 'A processor', vendor: '', physicalCores: 1, logicalCores: 1, instructionSets: [] },
      memoryBytes: 1e9,
      gpus: [{ id: 'gpu0', name: 'A graphics processor', vendor: 'A vendor', shared: false }],
      raplReadable: false,
      battery: false,
    }),
    nativeWorks: async () => true,
    gpuBackends: () =>
      new Promise((resolve) => {
        answer = resolve
      }),
    mayUseMatrixUnits: () => true,
    onFound: () => found++,
  })
  await look.ready()
  expect(look.cpu).toEqual(['native', 'onnx-cpu', 'reference'])
  await new Promise((resolve) => setImmediate(resolve))
  expect([...look.underWay]).toEqual(['gpu0'])
  expect(look.gpus).toEqual({})
  const before = found
  answer({ backends: ['webgpu'], matrixUnits: true })
  await look.settled()
  expect(look.gpus).toEqual({ gpu0: { backends: ['webgpu'], matrixUnits: true } })
  look.dropMatrixUnits('gpu0')
  expect(look.gpus).toEqual({ gpu0: { backends: ['webgpu'], matrixUnits: false } })
  expect(look.underWay.size).toBe(0)
  expect(found).toBe(before + 1)
})
