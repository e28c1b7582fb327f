/** One supervised worker or verifier process, as the engine uses it: ask, and it answers or fails; it comes back by itself. */
import { Failure } from '#shared/domain/errors'
import type { WorkerMethod, WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/domain/worker-protocol'
import type { ProcessExit, ProcessHost } from '#process/host'
import { createPeer, type Peer } from '#process/peer'
import { supervise, type Clock, type SupervisedState, type Supervisor } from '#process/supervisor'
import type { Log } from '../log'

export interface WorkerClient {
  readonly name: string
  readonly state: SupervisedState['state']
  /** why it does not run, in words; empty while it does */
  readonly reason: string
  readonly restarts: number
  /** resident memory of its last heartbeat; null before the first */
  readonly residentBytes: number | null
  /** Rejects with Failure `unavailable` when the process is not there or stops before it has answered. */
  request<M extends WorkerMethod>(
    method: M,
    params: WorkerMethods[M]['params'],
    options?: { timeoutMilliseconds?: number },
  ): Promise<WorkerMethods[M]['result']>
  /** Settles when the process runs; rejects with Failure `device-unavailable` when the circuit opens or it is stopped. */
  ready(): Promise<void>
  retry(): void
  stop(): Promise<void>
}

export interface WorkerClientParts {
  name: string
  host: ProcessHost
  clock: Clock
  random: () => number
  log: Log
  start: WorkerStart
  onState: () => void
  onToken?: (data: WorkerNotifications['job.token']) => void
}

/** Starts the process at once. */
export function startWorker(parts: WorkerClientParts): WorkerClient {
  const { name, log } = parts
  let peer: Peer<WorkerMethods, WorkerNotifications> | null = null
  let waiting: { resolve: () => void; reject: (error: Failure) => void }[] = []
  let residentBytes: number | null = null
  let reason = ''

  const releaseWaiting = (settle: (entry: (typeof waiting)[number]) => void): void => {
    const entries = waiting
    waiting = []
    for (const entry of entries) settle(entry)
  }
  const unavailable = (): Failure =>
    new Failure('device-unavailable', `${name} keeps stopping: ${reason}`, 'Try it again on the Devices screen.')

  const onState = (state: SupervisedState): void => {
    if (state.state === 'running') {
      reason = ''
      peer = createPeer<WorkerMethods, WorkerNotifications>(state.process.port, name)
      peer.on('heartbeat', (beat) => {
        residentBytes = beat.residentBytes
        supervisor?.beat()
      })
      if (parts.onToken) peer.on('job.token', parts.onToken)
      log.info('process runs', { process: name, pid: state.process.pid })
      releaseWaiting((entry) => entry.resolve())
    } else {
      peer = null
      residentBytes = null
      if (state.state === 'waiting' || state.state === 'open') {
        reason = state.reason
        log.warn('process stopped', { process: name, reason, state: state.state })
      }
      if (state.state === 'open') releaseWaiting((entry) => entry.reject(unavailable()))
      if (state.state === 'stopped')
        releaseWaiting((entry) => entry.reject(new Failure('cancelled', `${name} was stopped`)))
    }
    parts.onState()
  }
  let supervisor: Supervisor | undefined
  supervisor = supervise({
    start: () => parts.host.start('worker', parts.start),
    clock: parts.clock,
    random: parts.random,
    describe: describeExit,
    onState,
    watchHeartbeat: true,
  })
  const watched = supervisor

  return {
    name,
    get state() {
      return watched.current.state
    },
    get reason() {
      return reason
    },
    get restarts() {
      return watched.restarts
    },
    get residentBytes() {
      return residentBytes
    },
    request: (method, params, options) => {
      if (peer === null)
        return Promise.reject(new Failure('unavailable', `${name} is not running`, 'It is started again by itself.'))
      return peer.request(method, params, options)
    },
    ready: () => {
      const { state } = watched.current
      if (state === 'running') return Promise.resolve()
      if (state === 'open') return Promise.reject(unavailable())
      if (state === 'stopped') return Promise.reject(new Failure('cancelled', `${name} was stopped`))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    retry: () => watched.retry(),
    stop: () => watched.stop(),
  }
}

function describeExit(exit: ProcessExit | Error): string {
  if (exit instanceof Error) return `it could not be started (${exit.message})`
  if (exit.signal === 'SIGKILL') return 'it was ended from outside, or the system ran out of memory'
  if (exit.signal !== null) return `it was ended by ${exit.signal}`
  return `it ended with code ${exit.code ?? 'unknown'}`
}
