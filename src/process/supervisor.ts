/**
 * Keeping one process alive: back-off, a circuit that opens, and heartbeats (architecture.md, "Supervision"). The same
 * policy for workers, the verifier and sensors, whatever the host.
 */
import type { ManagedProcess, ProcessExit } from './host'

export interface Clock {
  /** UTC milliseconds, may jump */
  now(): number
  /** milliseconds that never go back; stands still while the computer sleeps or jumps after it */
  monotonic(): number
  setTimeout(callback: () => void, milliseconds: number): { cancel(): void }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds)
    return { cancel: () => clearTimeout(timer) }
  },
}

export const SUPERVISION = {
  firstDelayMilliseconds: 500,
  largestDelayMilliseconds: 60_000,
  healthyAfterMilliseconds: 5 * 60_000,
  failuresToOpen: 5,
  failureWindowMilliseconds: 10 * 60_000,
  heartbeatTimeoutMilliseconds: 15_000,
} as const

export type SupervisedState =
  | { state: 'starting' }
  | { state: 'running'; process: ManagedProcess }
  | { state: 'waiting'; untilMilliseconds: number; reason: string }
  | { state: 'open'; reason: string; failures: number }
  | { state: 'stopped' }

export interface Supervisor {
  readonly current: SupervisedState
  readonly restarts: number
  /** Closes an open circuit and starts at once. */
  retry(): void
  /** Something the process sent; keeps the heartbeat watch content. */
  beat(): void
  /** After the computer slept: the silence meanwhile was not the process's fault. */
  forgiveSilence(): void
  /** Kills by process id and settles when it is gone. */
  stop(): Promise<void>
}

/**
 * Starts a process and starts it again when it ends. `onState` is told every change; `describe` puts an exit into words
 * that a person understands.
 */
export function supervise(parts: {
  start: () => Promise<ManagedProcess>
  clock: Clock
  /** 0 ≤ x < 1, for jitter */
  random: () => number
  describe: (exit: ProcessExit | Error) => string
  onState: (state: SupervisedState) => void
  /** false for processes that send no heartbeats */
  watchHeartbeat: boolean
}): Supervisor {
  const { clock } = parts
  let current: SupervisedState = { state: 'starting' }
  let failures: number[] = []
  let delay: number = SUPERVISION.firstDelayMilliseconds
  let timer: { cancel(): void } | undefined
  let watch: { cancel(): void } | undefined
  let lastBeat = 0
  let restarts = 0
  let stopping = false

  const change = (next: SupervisedState): void => {
    current = next
    parts.onState(next)
  }

  const failed = (reason: string, ranMilliseconds: number): void => {
    watch?.cancel()
    if (stopping) return
    const now = clock.monotonic()
    if (ranMilliseconds >= SUPERVISION.healthyAfterMilliseconds) {
      delay = SUPERVISION.firstDelayMilliseconds
      failures = []
    }
    failures = [...failures.filter((at) => now - at < SUPERVISION.failureWindowMilliseconds), now]
    if (failures.length >= SUPERVISION.failuresToOpen) {
      change({ state: 'open', reason, failures: failures.length })
      return
    }
    const jittered = delay * (0.75 + parts.random() / 2)
    delay = Math.min(delay * 2, SUPERVISION.largestDelayMilliseconds)
    change({ state: 'waiting', untilMilliseconds: now + jittered, reason })
    timer = clock.setTimeout(() => {
      restarts++
      launch()
    }, jittered)
  }

  const watchHeartbeat = (process: ManagedProcess): void => {
    lastBeat = clock.monotonic()
    const look = (): void => {
      if (clock.monotonic() - lastBeat > SUPERVISION.heartbeatTimeoutMilliseconds) process.kill()
      else watch = clock.setTimeout(look, 1000)
    }
    watch = clock.setTimeout(look, 1000)
  }

  const launch = (): void => {
    change({ state: 'starting' })
    const startedAt = clock.monotonic()
    parts.start().then(
      (process) => {
        if (stopping) process.kill()
        else {
          change({ state: 'running', process })
          if (parts.watchHeartbeat) watchHeartbeat(process)
        }
        void process.exited.then((exit) => failed(parts.describe(exit), clock.monotonic() - startedAt))
      },
      (error: unknown) => failed(parts.describe(error instanceof Error ? error : new Error(String(error))), 0),
    )
  }
  launch()

  return {
    get current() {
      return current
    },
    get restarts() {
      return restarts
    },
    retry: () => {
      if (current.state !== 'open' && current.state !== 'waiting') return
      timer?.cancel()
      failures = []
      delay = SUPERVISION.firstDelayMilliseconds
      restarts++
      launch()
    },
    beat: () => {
      lastBeat = clock.monotonic()
    },
    forgiveSilence: () => {
      lastBeat = clock.monotonic()
    },
    stop: async () => {
      stopping = true
      timer?.cancel()
      watch?.cancel()
      const before = current
      change({ state: 'stopped' })
      if (before.state === 'running') {
        before.process.kill()
        await before.process.exited
      }
    },
  }
}
