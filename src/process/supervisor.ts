/**
 * Keeping one process alive: back-off, a circuit that opens, and heartbeats (architecture.md, "Supervision"). The same
 * policy for the engine, workers, the verifier and sensors, whatever the host.
 */
import { message, type Message } from '#shared/domain/messages'
import { afterFailure, NO_FAILURES } from './backoff'
import type { Clock } from './clock'
import type { ManagedProcess, ProcessExit } from './host'

/** A process that sent nothing for longer is killed. */
export const HEARTBEAT_TIMEOUT_MILLISECONDS = 15_000

/** What a process must have to be kept alive. */
export type SupervisedProcess = Pick<ManagedProcess, 'exited' | 'kill'>

export type SupervisedState<P extends SupervisedProcess = ManagedProcess> =
  | { state: 'starting' }
  | { state: 'running'; process: P }
  | { state: 'waiting'; untilMilliseconds: number; reason: Message }
  | { state: 'open'; reason: Message; failures: number }
  | { state: 'stopped' }

export interface Supervisor<P extends SupervisedProcess = ManagedProcess> {
  readonly current: SupervisedState<P>
  readonly restarts: number
  /** Closes an open circuit, forgets the failures and starts at once. */
  retry(): void
  /** The process sent something: its time until it counts as hanging begins again. */
  resetHeartbeat(): void
  /** It hangs: kills it, to be started again as after a crash with this reason. */
  restart(reason: Message): void
  /** Ends the process, by `askToEnd` first where there is one, by process id otherwise; settles when it is gone, for every caller. */
  stop(): Promise<void>
}

export interface SupervisorOptions<P extends SupervisedProcess> {
  start: () => Promise<P>
  clock: Clock
  /** 0 ≤ x < 1, for jitter */
  random: () => number
  /** says of an exit, or of why there was no start, what a person understands */
  describe: (exit: ProcessExit | Error) => Message
  /** called with every change of the state */
  onState: (state: SupervisedState<P>) => void
  /** false for processes that send no heartbeats */
  watchHeartbeat: boolean
  /** `stop` asks so, and kills a process that is still there after `patienceMilliseconds`; without it kills at once */
  askToEnd?: { ask: (process: P) => void; patienceMilliseconds: number }
}

/** The watch looks once a second. A longer gap than this means that the computer slept or this process was held up. */
const LARGEST_LOOK_GAP_MILLISECONDS = 5000
/** The end does not wait longer for a host that never says whether its process runs. */
const START_PATIENCE_MILLISECONDS = 1500

/** Starts a process and starts it again when it ends. */
export function supervise<P extends SupervisedProcess = ManagedProcess>(options: SupervisorOptions<P>): Supervisor<P> {
  const { clock } = options
  let current: SupervisedState<P> = { state: 'starting' }
  let history = NO_FAILURES
  let timer: { cancel(): void } | undefined
  let watch: { cancel(): void } | undefined
  let lastBeat = 0
  let restarts = 0
  let stopping = false
  /** the process that is being started; null when it cannot be */
  let launching: Promise<P | null> = Promise.resolve(null)
  let killedBecause: Message | null = null
  /** `stop` was called: settles when the process is gone */
  let ending: Promise<void> | undefined

  const change = (next: SupervisedState<P>): void => {
    current = next
    options.onState(next)
  }

  const failed = (described: Message, ranMilliseconds: number): void => {
    watch?.cancel()
    if (stopping) return
    const reason = killedBecause ?? described
    killedBecause = null
    const now = clock.monotonic()
    const after = afterFailure(history, { now, ranMilliseconds, random: options.random() })
    ;({ history } = after)
    if (after.circuit === 'open') {
      change({ state: 'open', reason, failures: history.recent.length })
      return
    }
    // Before onState is called: a listener that answers by stop() must find the timer.
    timer = clock.setTimeout(() => {
      restarts++
      launch()
    }, after.delayMilliseconds)
    change({ state: 'waiting', untilMilliseconds: now + after.delayMilliseconds, reason })
  }

  const watchHeartbeat = (process: P): void => {
    lastBeat = clock.monotonic()
    let lastLook = lastBeat
    const look = (): void => {
      const now = clock.monotonic()
      // After a sleep, or a long call in this process, beats are still on their way: the process was not silent.
      if (now - lastLook > LARGEST_LOOK_GAP_MILLISECONDS) lastBeat = now
      lastLook = now
      if (now - lastBeat > HEARTBEAT_TIMEOUT_MILLISECONDS) {
        killedBecause = message('process-no-sign-of-life')
        process.kill()
      } else watch = clock.setTimeout(look, 1000)
    }
    watch = clock.setTimeout(look, 1000)
  }

  const launch = (): void => {
    change({ state: 'starting' })
    const startedAt = clock.monotonic()
    launching = options.start().then(
      (process) => {
        if (stopping) return process
        change({ state: 'running', process })
        if (options.watchHeartbeat) watchHeartbeat(process)
        void process.exited.then((exit) => failed(options.describe(exit), clock.monotonic() - startedAt))
        return process
      },
      (error: unknown) => {
        failed(options.describe(error instanceof Error ? error : new Error(String(error))), 0)
        return null
      },
    )
  }
  launch()

  const end = async (process: P): Promise<void> => {
    const { askToEnd } = options
    if (!askToEnd) {
      process.kill()
      await process.exited
      return
    }
    askToEnd.ask(process)
    const patience = clock.setTimeout(() => process.kill(), askToEnd.patienceMilliseconds)
    await process.exited
    patience.cancel()
  }
  /** The process that is being started ends as soon as it runs, also where nobody waits for it any longer. */
  const endLaunching = async (): Promise<void> => {
    const ended = launching.then((process) => (process === null ? undefined : end(process)))
    const patience = new Promise<'over'>((resolve) => {
      timer = clock.setTimeout(() => resolve('over'), START_PATIENCE_MILLISECONDS)
    })
    if ((await Promise.race([launching, patience])) === 'over') return
    timer?.cancel()
    await ended
  }

  const endCurrent = async (): Promise<void> => {
    stopping = true
    timer?.cancel()
    watch?.cancel()
    const before = current
    change({ state: 'stopped' })
    if (before.state === 'running') await end(before.process)
    else if (before.state === 'starting') await endLaunching()
  }

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
      history = NO_FAILURES
      restarts++
      launch()
    },
    resetHeartbeat: () => {
      lastBeat = clock.monotonic()
    },
    restart: (reason) => {
      if (current.state !== 'running') return
      killedBecause = reason
      current.process.kill()
    },
    stop: () => (ending ??= endCurrent()),
  }
}
