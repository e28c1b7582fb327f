import { resolve } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createNodeProcessHost } from '#process/node-host'
import { softwareVulkan } from '#test/support/webgpu'
import { createGpuProbe, gpuEngineCandidates } from './gpu-probe'

const vulkan = softwareVulkan()
if (!vulkan) console.log('look at a GPU: no software Vulkan driver here, its test is skipped')
const host = createNodeProcessHost(resolve(import.meta.dirname, '../../../out/node'))

afterEach(() => vi.unstubAllEnvs())

const only = { adapter: { name: '' }, vendor: 'Google', mayUseMatrixUnits: true }

it.runIf(vulkan)(
  'a software adapter is no device, except where it is asked for: our kernels and onnxruntime give the right digests, matrix units that give wrong ones are left alone',
  { timeout: 300_000 },
  async () => {
    for (const [name, value] of Object.entries(vulkan ?? {})) vi.stubEnv(name, value)
    const said: string[] = []
    const note = (message: string, details?: unknown): void => void said.push(`${message} ${JSON.stringify(details)}`)
    const log = { debug: note, info: note, warn: note, error: note }
    const refusing = createGpuProbe({ host, log, platform: 'linux' })
    expect(await refusing.engines(only)).toEqual({ engines: [], matrixUnits: false })
    expect(said.join()).toContain('software that computes on the processor')
    vi.stubEnv('LODE_SOFTWARE_GPU', '1')
    vi.stubEnv('LODE_WRONG_MATRIX_UNITS', '1')
    const probe = createGpuProbe({ host, log, platform: 'linux' })
    const found = await probe.engines(only)
    expect(found.engines.toSorted()).toEqual(['onnx-webgpu', 'webgpu'])
    expect(found.matrixUnits).toBe(false)
    expect(said.join()).toContain('the int8 matrix units of the graphics processor computes wrong digests')
    const absent = { adapter: { name: 'not there', index: 1 }, vendor: 'NVIDIA', mayUseMatrixUnits: true }
    expect(await probe.engines(absent)).toEqual({ engines: [], matrixUnits: false })
    expect(said.join()).toContain("onnxruntime's CUDA provider does not take the proof")
  },
)

it.each([
  [only, 'linux', ['webgpu', 'onnx-webgpu']],
  [only, 'win32', ['webgpu', 'onnx-directml', 'onnx-webgpu']],
  [only, 'darwin', ['webgpu', 'onnx-coreml', 'onnx-webgpu']],
  [{ ...only, vendor: 'NVIDIA Corporation' }, 'linux', ['webgpu', 'onnx-cuda', 'onnx-webgpu']],
  // of several, only these two can be told which one to take
  [{ adapter: { name: 'RTX 4070', index: 1 }, vendor: 'NVIDIA' }, 'win32', ['webgpu', 'onnx-cuda']],
  [{ adapter: { name: 'Radeon', index: 0 }, vendor: 'AMD' }, 'linux', ['webgpu']],
  // of two with one name, WebGPU finds one, and it may not be the one that CUDA counts first
  [{ adapter: { name: 'RTX 4070', index: 0, twin: 'first' }, vendor: 'NVIDIA' }, 'linux', ['onnx-cuda', 'webgpu']],
  [{ adapter: { name: 'RTX 4070', index: 1, twin: 'later' }, vendor: 'NVIDIA' }, 'linux', ['onnx-cuda']],
  [{ adapter: { name: 'Radeon', index: 0, twin: 'first' }, vendor: 'AMD' }, 'linux', ['webgpu']],
  [{ adapter: { name: 'Radeon', index: 1, twin: 'later' }, vendor: 'AMD' }, 'linux', []],
] as const)('%j on %s is looked at with %j', (gpu, platform, engines) => {
  expect(gpuEngineCandidates(gpu, platform)).toEqual(engines)
})
