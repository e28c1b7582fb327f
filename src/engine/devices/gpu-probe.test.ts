import { resolve } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import type { WorkerMethods, WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import { serve, type MethodHandlers } from '#process/peer'
import { portPair } from '#process/port'
import { softwareVulkan } from '../../../test/support/webgpu'
import { createGpuProbe, gpuBackendCandidates } from './gpu-probe'

const vulkan = softwareVulkan()
if (!vulkan) console.log('look at a GPU: no software Vulkan driver here, its test is skipped')
const host = createNodeProcessHost(resolve(import.meta.dirname, '../../../out/node'))

afterEach(() => vi.unstubAllEnvs())

const only = { adapter: { name: '' }, vendor: 'Google', mayUseMatrixUnits: true }

it.runIf(vulkan)(
  'a software adapter is no device, except where it is asked for: our kernels and onnxruntime give the right digests, matrix units that give wrong ones are left alone',
  { tags: ['long'] },
  async () => {
    for (const [name, value] of Object.entries(vulkan ?? {})) vi.stubEnv(name, value)
    const said: string[] = []
    const note = (message: string, details?: unknown): void => void said.push(`${message} ${JSON.stringify(details)}`)
    const log = { debug: note, info: note, warn: note, error: note }
    const refusing = createGpuProbe({ host, log }, { platform: 'linux' })
    expect(await refusing.backends(only)).toEqual({ backends: [], matrixUnits: false })
    expect(said.join()).toContain('software that computes on the processor')
    vi.stubEnv('LODE_SOFTWARE_GPU', '1')
    vi.stubEnv('LODE_WRONG_MATRIX_UNITS', '1')
    // software takes the processors that other tests work on
    const probe = createGpuProbe({ host, log }, { platform: 'linux', timeoutMilliseconds: 200_000 })
    const found = await probe.backends(only)
    expect(found.backends.toSorted()).toEqual(['onnx-webgpu', 'webgpu'])
    expect(found.matrixUnits).toBe(false)
    expect(said.join()).toContain('the int8 matrix units of the graphics processor computes wrong digests')
    const absent = { adapter: { name: 'not there', index: 1 }, vendor: 'NVIDIA', mayUseMatrixUnits: true }
    expect(await probe.backends(absent)).toEqual({ backends: [], matrixUnits: false })
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
] as const)('%j on %s is looked at with %j', (gpu, platform, backends) => {
  expect(gpuBackendCandidates(gpu, platform)).toEqual(backends)
})

/** Worker processes that measure what they are told to; `units`: on matrix units. Null: the process dies instead. */
function measuringHost(rates: {
  vectors: number
  units: { macsPerSecond: number; checksum: 'ok' | 'mismatch' } | null
}) {
  const started: WorkerStart[] = []
  const host: ProcessHost = {
    start: async (_, start) => {
      started.push(start as WorkerStart)
      const onUnits = (start as WorkerStart).gpu?.matrixUnits === true
      const measured = onUnits ? rates.units : { macsPerSecond: rates.vectors, checksum: 'ok' as const }
      const [engineSide, workerSide] = portPair()
      const answer = { noncesPerSecond: 1, milliseconds: 1, nonces: 1 }
      serve<Pick<WorkerMethods, 'proof.benchmark'>, Record<string, never>>(workerSide, {
        'proof.benchmark': async ({ backend, tier }) => {
          if (measured !== null) return { ...answer, backend, tier, ...measured }
          workerSide.close()
          return new Promise<never>(() => undefined)
        },
      } satisfies MethodHandlers<Pick<WorkerMethods, 'proof.benchmark'>>)
      const exited = Promise.resolve({ code: 0, signal: null })
      return { pid: started.length, port: engineSide, exited, kill: () => workerSide.close() }
    },
  }
  return { host, started }
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

it.each([
  ['right and faster', { macsPerSecond: 9, checksum: 'ok' }, true],
  ['right and slower', { macsPerSecond: 3, checksum: 'ok' }, false],
  ['wrong and faster', { macsPerSecond: 9, checksum: 'mismatch' }, false],
  ['the end of their process', null, false],
] as const)(
  'matrix units that are %s are taken or left, and the device is there either way',
  async (_, units, taken) => {
    const { host } = measuringHost({ vectors: 5, units })
    const probe = createGpuProbe({ host, log: silent }, { platform: 'linux' })
    expect(await probe.backends({ ...only, adapter: { name: 'Radeon', index: 0 } })).toEqual({
      backends: ['webgpu'],
      matrixUnits: taken,
    })
  },
)

it('matrix units that failed before under this driver are not tried', async () => {
  const { host, started } = measuringHost({ vectors: 5, units: { macsPerSecond: 9, checksum: 'ok' } })
  const probe = createGpuProbe({ host, log: silent }, { platform: 'linux' })
  const found = await probe.backends({ ...only, adapter: { name: 'Radeon' }, mayUseMatrixUnits: false })
  expect(found).toEqual({ backends: ['webgpu'], matrixUnits: false })
  expect(started).toHaveLength(1)
})

it('of two cards with one name, the first is driven by one backend, the other by CUDA or not at all', async () => {
  const { host, started } = measuringHost({ vectors: 5, units: null })
  const probe = createGpuProbe({ host, log: silent }, { platform: 'linux' })
  const card = (vendor: string, index: number, twin: 'first' | 'later') =>
    probe.backends({ vendor, adapter: { name: 'A card', index, twin }, mayUseMatrixUnits: false })
  expect((await card('NVIDIA', 0, 'first')).backends).toEqual(['onnx-cuda'])
  expect((await card('NVIDIA', 1, 'later')).backends).toEqual(['onnx-cuda'])
  expect((await card('AMD', 0, 'first')).backends).toEqual(['webgpu'])
  expect((await card('AMD', 1, 'later')).backends).toEqual([])
  expect(started.map(({ gpu }) => gpu?.index)).toEqual([0, 1, 0])
})
