import { describe, expect, it } from 'vitest'
import { Failure } from '#shared/domain/errors'
import { foreignWords, message } from '#shared/domain/messages'
import { createMining, PRACTICE_MILLISECONDS, type MiningDevice } from './mining'
import type { DeviceRunner } from '../device-loop/device-types'
import { createMiningClock } from './mining-clock'
import { manualClock } from '#process/clock.test.support'

/** Devices that only remember their calls; a finish takes as long as the test says. */
function scriptedRunner(deviceId: string) {
  const runner = {
    deviceId,
    state: 'idle' as DeviceRunner['state'],
    activity: null as DeviceRunner['activity'],
    lane: 'idle' as const,
    reason: null,
    resting: null as DeviceRunner['resting'],
    macsPerSecond: null,
    backend: null as DeviceRunner['backend'],
    residentBytes: null,
    hasWorker: false,
    loadedModels: [],
    takesJobs: true,
    takeLaneTimes: () => ({}),
    canRun: () => true,
    restarts: 0,
    runningJobs: [] as DeviceRunner['runningJobs'],
    networkError: null,
    endFinish: () => undefined as void,
    startMining: ({ backend }: { backend: NonNullable<DeviceRunner['backend']> }) => {
      runner.backend = backend
      runner.state = 'proving'
    },
    stop: async () => {
      runner.backend = null
      runner.state = 'idle'
      runner.endFinish()
    },
    finish: async () => {
      if (runner.runningJobs.length > 0) {
        await new Promise<void>((resolve) => {
          runner.endFinish = resolve
        })
      }
      await runner.stop()
    },
    wake: () => undefined,
    cancelJob: () => false,
    retry: () => undefined,
    setThreads: () => undefined,
    askDriver: async () => null,
    benchmarkProgress: null,
    cancelBenchmark: () => false,
    benchmark: () => Promise.reject(new Error('not asked for')),
  }
  return runner
}

function controller(options: { devices?: string[]; keepsGoing?: boolean } = {}) {
  const clock = manualClock()
  const ids = options.devices ?? ['cpu0']
  const devices: MiningDevice[] = ids.map((id) => ({
    id,
    canMine: true,
    enabled: true,
    backends: ['onnx-cpu'],
    threads: { inUse: 1, maximum: 2 },
  }))
  const runners = new Map(ids.map((id) => [id, scriptedRunner(id)]))
  const far = { join: async (): Promise<void> => undefined, onStarted: (): void => undefined }
  const reported: string[] = []
  let keepsGoing = options.keepsGoing ?? false
  const runner = (id: string) => {
    const found = runners.get(id)
    if (found === undefined) throw new Error(`no ${id}`)
    return found
  }
  const miningClock = createMiningClock(clock)
  const mining = createMining({
    clock,
    miningClock,
    devices: () => devices,
    backendsKnown: () => Promise.resolve(),
    allKnown: () => Promise.resolve(),
    runner,
    syntheticJobsWanted: () => true,
    keepsGoing: () => keepsGoing,
    setKeepsGoing: (wanted) => {
      keepsGoing = wanted
    },
    isPractice: true,
    join: () => far.join(),
    onStarted: () => {
      far.onStarted()
      reported.push('started')
    },
    onStopped: () => reported.push('stopped'),
    onChange: () => undefined,
  })
  return { clock, devices, runner, mining, miningClock, far, reported }
}

describe('mining', () => {
  it('stops by itself after an hour of practice, and says why', async () => {
    const { clock, mining, miningClock } = controller()
    await mining.start({})
    expect(mining.state).toBe('mining')
    await clock.advance(PRACTICE_MILLISECONDS - 1)
    expect(mining.state).toBe('mining')
    await clock.advance(1)
    expect(mining.state).toBe('stopped')
    expect(mining.pausedBecause).toEqual(['practice-hour'])
    expect(mining.notices().map(({ id }) => id)).toEqual(['practice-hour'])
    expect(miningClock.milliseconds()).toBe(PRACTICE_MILLISECONDS)
  })

  it('goes on when the person lets it, and stops at once when that is taken back after the hour', async () => {
    const { clock, mining } = controller()
    await mining.start({})
    mining.keepGoing(true)
    expect(mining.stopsAt).toBe(null)
    await clock.advance(2 * PRACTICE_MILLISECONDS)
    expect(mining.state).toBe('mining')
    mining.keepGoing(false)
    await clock.advance(0)
    expect(mining.state).toBe('stopped')
  })

  it('is paused while every device is too hot or has no time to prove, with a notice for the heat', async () => {
    const { mining, runner } = controller({ devices: ['cpu0', 'gpu0'] })
    const hot = message('device-too-hot', { celsius: 96, resumeCelsius: 87 })
    await mining.start({})
    Object.assign(runner('cpu0'), { resting: 'heat', activity: hot })
    expect(mining.state).toBe('mining')
    Object.assign(runner('gpu0'), { resting: 'throttle' })
    expect(mining.state).toBe('paused')
    expect(mining.pausedBecause).toEqual(['heat', 'throttle'])
    expect(mining.notices()).toMatchObject([
      { id: 'hot-cpu0', title: message('notice-device-rests', { device: 'cpu0' }), detail: hot },
    ])
    await mining.stop({ finish: false })
    expect(mining.pausedBecause).toEqual([])
  })

  it('counts the hour from each start', async () => {
    const { clock, mining } = controller()
    await mining.start({})
    await clock.advance(PRACTICE_MILLISECONDS / 2)
    await mining.stop({ finish: false })
    await mining.start({})
    await clock.advance(PRACTICE_MILLISECONDS - 1)
    expect(mining.state).toBe('mining')
    await mining.stop({ finish: false })
    expect(mining.pausedBecause).toEqual([])
  })

  it('stop cuts a finish short; a start that was asked for meanwhile follows', async () => {
    const { clock, runner, mining, reported } = controller()
    await mining.start({})
    runner('cpu0').runningJobs = [{ id: 'a', kind: 'chat', origin: 'person' }]
    const finished = mining.stop({ finish: true })
    await clock.advance(60_000)
    expect(mining.state).toBe('finishing')
    expect(mining.finishingJobs).toBe(1)
    const started = mining.start({})
    await mining.stop({ finish: false })
    await finished
    await started
    expect(mining.state).toBe('mining')
    expect(reported).toEqual(['started', 'stopped', 'started'])
  })

  it('a start that cannot be recorded starts nothing', async () => {
    const { mining, far, runner } = controller()
    far.onStarted = () => {
      throw new Failure('data-folder', foreignWords('There is no space left.'))
    }
    await expect(mining.start({})).rejects.toMatchObject({ code: 'data-folder' })
    expect(mining.state).toBe('stopped')
    expect(runner('cpu0').backend).toBe(null)
    far.onStarted = () => undefined
    await mining.start({})
    expect(mining.state).toBe('mining')
  })

  it('a start that fails halfway leaves no device working', async () => {
    const { mining, runner, far } = controller({ devices: ['cpu0', 'cpu1'] })
    const second = runner('cpu1')
    const startMining = second.startMining
    second.startMining = () => {
      throw new Failure('internal', foreignWords('the second does not start'))
    }
    await expect(mining.start({})).rejects.toMatchObject({ code: 'internal' })
    expect(runner('cpu0').backend).toBe(null)
    second.startMining = startMining
    far.join = () => Promise.reject(new Failure('network-refused', foreignWords('no')))
    await expect(mining.start({})).rejects.toMatchObject({ code: 'network-refused' })
    expect(mining.state).toBe('stopped')
  })

  it('is not finishing forever when a device cannot be stopped in order', async () => {
    const { mining, runner } = controller()
    await mining.start({})
    runner('cpu0').finish = () => Promise.reject(new Error('an internal error'))
    await expect(mining.stop({ finish: true })).rejects.toThrow('an internal error')
    expect(mining.state).toBe('stopped')
  })

  it('takes up a device that is switched on and drops one that is switched off', async () => {
    const { mining, devices, runner } = controller({ devices: ['cpu0', 'cpu1'] })
    const [, second] = devices
    if (second === undefined) throw new Error('two devices')
    second.enabled = false
    await mining.start({})
    expect(runner('cpu1').backend).toBe(null)
    second.enabled = true
    await mining.devicesChanged()
    expect(runner('cpu1').backend).toBe('onnx-cpu')
    second.enabled = false
    await mining.devicesChanged()
    expect(runner('cpu1').backend).toBe(null)
    await mining.stop({ finish: false })
  })

  it('of a backend named without a device, starts those devices that have it', async () => {
    const { mining, devices, runner } = controller({ devices: ['cpu0', 'gpu0'] })
    const [, graphics] = devices
    if (graphics === undefined) throw new Error('two devices')
    graphics.backends = ['webgpu']
    await mining.start({ backend: 'webgpu' })
    expect([runner('cpu0').backend, runner('gpu0').backend]).toEqual([null, 'webgpu'])
    await mining.stop({ finish: false })
    await expect(mining.start({ backend: 'webgpu', devices: ['cpu0'] })).rejects.toMatchObject({ code: 'wrong-usage' })
  })

  it('refuses unknown devices, backends that a device does not have, and too many threads', async () => {
    const { mining } = controller()
    await expect(mining.start({ devices: ['gpu7'] })).rejects.toMatchObject({ code: 'not-found' })
    await expect(mining.start({ backend: 'webgpu' })).rejects.toMatchObject({ code: 'wrong-usage' })
    await expect(mining.start({ threads: 3 })).rejects.toMatchObject({ code: 'wrong-usage' })
    expect(mining.state).toBe('stopped')
  })
})
