import { resolve } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createNodeProcessHost } from '#process/node-host'
import { softwareVulkan } from '#test/support/webgpu'
import { createGpuProbe } from './native-probe'

const vulkan = softwareVulkan()
if (!vulkan) console.log('look at a GPU: no software Vulkan driver here, its test is skipped')
const host = createNodeProcessHost(resolve(import.meta.dirname, '../../../out/node'))

afterEach(() => vi.unstubAllEnvs())

it.runIf(vulkan)(
  'a software adapter is no device, except where it is asked for, and then it computes the right digests',
  { timeout: 150_000 },
  async () => {
    for (const [name, value] of Object.entries(vulkan ?? {})) vi.stubEnv(name, value)
    const said: string[] = []
    const note = (message: string, details?: unknown): void => void said.push(`${message} ${JSON.stringify(details)}`)
    const log = { debug: note, info: note, warn: note, error: note }
    const refusing = createGpuProbe({ host, log })
    expect(await refusing.works({ name: '' })).toBe(false)
    expect(said.join()).toContain('software that computes on the processor')
    vi.stubEnv('LODE_SOFTWARE_GPU', '1')
    const probe = createGpuProbe({ host, log })
    expect(await probe.works({ name: '' })).toBe(true)
    expect(await probe.works({ name: 'an adapter that is not there' })).toBe(false)
  },
)
