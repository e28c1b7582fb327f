/** Mining as a whole: which devices mine, since when and until when, and why mining pauses. The work of one device is in device-loop/. */
import type { MiningState, Notice, PauseCause, StartOptions } from '#shared/contract/engine'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { type BackendName, backendNames } from '#shared/domain/backend'
import type { Clock } from '#process/clock'
import type { DeviceState } from '#shared/domain/states'
import type { ProofOptions } from '../proof'
import type { MiningClock } from './mining-clock'

/** Practice pays nothing and uses electricity: it stops by itself after an hour unless the person lets it go on. */
export const PRACTICE_MILLISECONDS = 60 * 60 * 1000

export interface MiningOptions extends ProofOptions {
  samples: boolean
}

/** What mining needs of a device's loop. */
export interface MiningRunner {
  readonly deviceId: string
  readonly state: DeviceState
  readonly activity: Message | null
  /** why it rests although it could work: too hot, or its duty cycle is 0 now; `activity` says so */
  readonly resting: 'heat' | 'throttle' | null
  /** why it stopped, when it is faulted */
  readonly reason: Message | null
  readonly backend: BackendName | null
  readonly runningJobs: readonly unknown[]
  readonly networkError: Message | null
  /** Starts the device's loop; it mines until `stop` or `finish`. */
  startMining(options: MiningOptions): void
  /** Stops the device within two seconds, also in the middle of a job. */
  stop(): Promise<void>
  /** Stops the device after the running job. */
  finish(): Promise<void>
  setThreads(threads: number): void
}

export interface MiningDevice {
  id: string
  canMine: boolean
  enabled: boolean
  backends: readonly string[]
  /** null: the threads of the device cannot be chosen */
  threads: { inUse: number; maximum: number } | null
  reason?: Message | undefined
}

export interface Mining {
  readonly state: MiningState
  readonly pausedBecause: PauseCause[]
  /** UTC ms */
  readonly since: number | null
  readonly stopsAt: number | null
  readonly finishingJobs: number
  /** Starts mining. Throws Failure `device-unavailable` when no device can mine. While the rig mines, nothing changes. */
  start(options: StartOptions): Promise<void>
  /** Stops all devices; `finish`: after their running jobs. `cause` is shown as the reason. */
  stop(options: { finish: boolean; cause?: PauseCause }): Promise<void>
  /** Whether practice goes on after its hour. */
  keepGoing(keepGoing: boolean): void
  /** Notices about mining, for the screens. */
  notices(): Notice[]
  /** A device was switched on or off while mining. */
  devicesChanged(): Promise<void>
}

export interface MiningControlOptions {
  clock: Clock
  miningClock: MiningClock
  devices: () => readonly MiningDevice[]
  /** settles when the processor's backends are known; other devices join when their backends are known */
  backendsKnown: () => Promise<void>
  /** settles when the backends of every device are known */
  allKnown: () => Promise<void>
  runner: (deviceId: string) => MiningRunner
  syntheticJobsWanted: () => boolean
  keepsGoing: () => boolean
  setKeepsGoing: (keepGoing: boolean) => void
  /** whether the network is practice: only practice stops after an hour */
  isPractice: boolean
  /** says hello, so that units can be leased */
  join: () => Promise<void>
  /** May throw Failure: then mining does not start. */
  onStarted: (options: StartOptions) => void
  /** Never throws: stopping always succeeds. */
  onStopped: () => void
  onChange: () => void
}

export function createMining(control: MiningControlOptions): Mining {
  const { clock, miningClock } = control
  let wanted: StartOptions | null = null
  let since: number | null = null
  let startedAt = 0
  let finishing = false
  let cause: PauseCause | null = null
  let stopTimer: { cancel(): void } | null = null
  let stopsAt: number | null = null
  let changing: Promise<void> = Promise.resolve()

  /** Start, stop and device changes one after another, whoever asks for them. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = changing.then(work)
    changing = turn.catch(() => undefined)
    return turn
  }

  const usable = (options: StartOptions): MiningDevice[] => {
    const { backend, devices } = options
    const ready = control
      .devices()
      .filter((device) => device.canMine && device.enabled && (devices?.includes(device.id) ?? true))
    if (backend === undefined || backend === null || devices) return ready
    // If the person names a backend and no device, the devices with that backend mine; if there is none, the refusal says so.
    const able = ready.filter((device) => device.backends.includes(backend))
    return able.length > 0 ? able : ready
  }

  const backendFor = (device: MiningDevice, options: StartOptions): BackendName => {
    const name = options.backend ?? device.backends[0]
    const backend = backendNames.find((known) => known === name)
    if (backend === undefined || !device.backends.includes(backend)) {
      throw new Failure(
        'wrong-usage',
        message('backend-not-there', { device: device.id, backend: name ?? '', has: device.backends }),
      )
    }
    return backend
  }

  const refuseThreads = (device: MiningDevice, wantedThreads: number): void => {
    const maximum = device.threads?.maximum
    if (maximum === undefined || wantedThreads <= maximum) return
    throw new Failure(
      'wrong-usage',
      message('threads-not-there', { device: device.id, maximum, wanted: wantedThreads }),
    )
  }

  const startDevice = (device: MiningDevice, options: StartOptions): void => {
    const backend = backendFor(device, options)
    // A choice of threads holds only for its run.
    const threads = device.threads === null ? undefined : (options.threads ?? device.threads.inUse)
    const runner = control.runner(device.id)
    if (threads !== undefined) runner.setThreads(threads)
    runner.startMining({
      backend,
      tier: options.tier ?? null,
      samples: options.samples ?? control.syntheticJobsWanted(),
    })
  }

  const stopLater = (): void => {
    stopTimer?.cancel()
    stopTimer = null
    stopsAt = null
    if (wanted === null || !control.isPractice || control.keepsGoing()) return
    const left = Math.max(0, PRACTICE_MILLISECONDS - (clock.monotonic() - startedAt))
    stopsAt = clock.now() + left
    stopTimer = clock.setTimeout(() => void stop({ finish: true, cause: 'practice-hour' }), left)
  }

  const start = (options: StartOptions): Promise<void> =>
    inTurn(async () => {
      if (wanted !== null) return
      await control.backendsKnown()
      // If the person names a device or a backend, or no other device is usable, the start waits for devices that are still being tried.
      if (options.devices || options.backend || usable(options).length === 0) await control.allKnown()
      const unknown = options.devices?.find((id) => !control.devices().some((device) => device.id === id))
      if (unknown !== undefined) {
        const known = control.devices().map((device) => device.id)
        throw new Failure('not-found', message('device-not-found', { device: unknown, known }))
      }
      const devices = usable(options)
      if (devices.length === 0) {
        const reasons = control
          .devices()
          .map(({ id, reason }) => ({ name: id, reason: reason ?? message('device-switched-off') }))
        throw new Failure('device-unavailable', message('no-device-can-mine', { devices: reasons }))
      }
      for (const device of devices) {
        backendFor(device, options)
        if (options.threads !== undefined) refuseThreads(device, options.threads)
      }
      wanted = options
      cause = null
      startedAt = clock.monotonic()
      since = clock.now()
      miningClock.begin()
      try {
        control.onStarted(options)
        await control.join()
        for (const device of devices) startDevice(device, options)
      } catch (error) {
        // Either all devices start or none: no device mines for a run that did not begin.
        await Promise.all(devices.map((device) => control.runner(device.id).stop()))
        wanted = null
        since = null
        miningClock.end()
        control.onStopped()
        throw error
      }
      stopLater()
      control.onChange()
    })

  const stop = (options: { finish: boolean; cause?: PauseCause }): Promise<void> => {
    if (options.finish && wanted !== null) {
      finishing = true
      control.onChange()
    }
    // A stop must not wait for a finish that waits for a job.
    const halt = async (): Promise<void> => {
      try {
        const running = control.devices().map((device) => control.runner(device.id))
        await Promise.all(running.map((runner) => (options.finish ? runner.finish() : runner.stop())))
      } finally {
        const ended = wanted !== null
        if (ended) {
          miningClock.end()
          wanted = null
          since = null
          cause = options.cause ?? null
        }
        finishing = false
        stopLater()
        if (ended) control.onStopped()
        control.onChange()
      }
    }
    return finishing && !options.finish ? halt() : inTurn(halt)
  }

  const allRunners = (): MiningRunner[] => control.devices().map((device) => control.runner(device.id))

  return {
    get state() {
      if (finishing) return 'finishing'
      if (wanted === null) return 'stopped'
      const working = usable(wanted).map((device) => control.runner(device.id))
      if (working.length === 0) return 'paused'
      if (working.every((runner) => runner.state === 'faulted')) return 'faulted'
      if (working.every((runner) => runner.networkError !== null || runner.resting !== null)) return 'paused'
      return working.every((runner) => runner.state === 'starting' || runner.state === 'idle') ? 'starting' : 'mining'
    },
    get pausedBecause() {
      if (wanted === null) return cause === null ? [] : [cause]
      const causes: PauseCause[] = []
      const working = usable(wanted)
      if (working.length === 0) causes.push('no-device')
      else {
        const runners = working.map((device) => control.runner(device.id))
        if (runners.every((runner) => runner.networkError !== null || runner.resting !== null)) {
          if (runners.some((runner) => runner.networkError !== null)) causes.push('network')
          if (runners.some((runner) => runner.resting === 'heat')) causes.push('heat')
          if (runners.some((runner) => runner.resting === 'throttle')) causes.push('throttle')
        }
      }
      return causes
    },
    get since() {
      return since
    },
    get stopsAt() {
      return stopsAt
    },
    get finishingJobs() {
      return finishing ? allRunners().reduce((sum, runner) => sum + runner.runningJobs.length, 0) : 0
    },
    start,
    stop,
    keepGoing: (keepGoing) => {
      control.setKeepsGoing(keepGoing)
      stopLater()
      control.onChange()
    },
    notices: () => {
      const notices: Notice[] = []
      for (const runner of allRunners()) {
        if (runner.reason !== null) {
          notices.push({
            id: `faulted-${runner.deviceId}`,
            severity: 'error',
            title: message('notice-device-stopped', { device: runner.deviceId }),
            detail: runner.reason,
            action: 'retry-device',
            deviceId: runner.deviceId,
          })
        }
        if (runner.resting === 'heat') {
          notices.push({
            id: `hot-${runner.deviceId}`,
            severity: 'warning',
            title: message('notice-device-rests', { device: runner.deviceId }),
            detail: runner.activity,
            action: 'open-devices',
            deviceId: runner.deviceId,
          })
        }
        if (runner.networkError !== null) {
          notices.push({
            id: `network-${runner.deviceId}`,
            severity: 'warning',
            title: message('notice-network-silent'),
            detail: runner.networkError,
          })
        }
      }
      if (cause === 'practice-hour' && wanted === null) {
        notices.push({
          id: 'practice-hour',
          severity: 'info',
          title: message('notice-practice-hour'),
          detail: message('notice-practice-hour-why'),
          action: 'keep-going',
        })
      }
      return notices
    },
    devicesChanged: () =>
      inTurn(async () => {
        const options = wanted
        if (options === null) return
        const working = new Set(usable(options).map(({ id }) => id))
        for (const device of control.devices()) {
          const runner = control.runner(device.id)
          const shouldRun = working.has(device.id)
          if (shouldRun && runner.backend === null) startDevice(device, options)
          else if (!shouldRun && runner.backend !== null) await runner.stop()
        }
        control.onChange()
      }),
  }
}
