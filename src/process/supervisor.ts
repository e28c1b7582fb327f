/**
 * Keeping one process alive: back-off, a circuit that opens, and heartbeats (architecture.md, "Supervision"). The same
 * policy for workers, the verifier and sensors, whatever the host.
 */
import type { Clock } from './clock'
import type { ManagedProcess, ProcessExit } from './host'

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
  /** It hangs: kills it, to be started again as after a crash with this reason. */
  restart(reason: string): void
  /** Kills by process id and settles when it is gone. */
  stop(): Promise<void>
}

/** The watch looks once a second. A longer gap than this means that the computer slept or this process was held up. */
const LARGEST_LOOK_GAP_MILLISECONDS = 5000
/** A host that never says whether its process runs does not hold up the end. */
const START_PATIENCE_MILLISECONDS = 1500

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
  let launching: Promise<void> = Promise.resolve()
  let killedBecause: string | null = null

  const change = (next: SupervisedState): void => {
    current = next
    parts.onState(next)
  }

  const failed = (described: string, ranMilliseconds: number): void => {
    watch?.cancel()
    if (stopping) return
    const reason = killedBecause ?? described
    killedBecause = null
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
    // Before anyone is told: whoever answers by stopping must find the timer.
    timer = clock.setTimeout(() => {
      restarts++
      launch()
    }, jittered)
    change({ state: 'waiting', untilMilliseconds: now + jittered, reason })
  }

  const watchHeartbeat = (process: ManagedProcess): void => {
    lastBeat = clock.monotonic()
    let lastLook = lastBeat
    const look = (): void => {
      const now = clock.monotonic()
      // After a sleep, or a long call here, beats are still on their way: the silence was not the process's.
      if (now - lastLook > LARGEST_LOOK_GAP_MILLISECONDS) lastBeat = now
      lastLook = now
      if (now - lastBeat > SUPERVISION.heartbeatTimeoutMilliseconds) {
        killedBecause = 'it gave no sign of life'
        process.kill()
      } else watch = clock.setTimeout(look, 1000)
    }
    watch = clock.setTimeout(look, 1000)
  }

  const launch = (): void => {
    change({ state: 'starting' })
    const startedAt = clock.monotonic()
    launching = parts.start().then(
      async (process) => {
        if (stopping) {
          process.kill()
          await process.exited
          return
        }
        change({ state: 'running', process })
        if (parts.watchHeartbeat) watchHeartbeat(process)
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
    restart: (reason) => {
      if (current.state !== 'running') return
      killedBecause = reason
      current.process.kill()
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
      } else if (before.state === 'starting') {
        const patience = new Promise<void>((resolve) => {
          timer = clock.setTimeout(resolve, START_PATIENCE_MILLISECONDS)
        })
        await Promise.race([launching, patience])
        timer?.cancel()
      }
    },
  }
}
