/** The client of one supervised worker or verifier process: a request is answered or fails, and a process that stopped is started again. */
import { Failure } from '#shared/domain/errors'
import { inEnglish, message, type Message } from '#shared/domain/messages'
import type { LoadedModel } from '#shared/domain/model-stages'
import type { WorkerMethod, WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import { createPeer, PeerUnavailable, type Peer } from '#process/peer'
import { supervise, type SupervisedState, type Supervisor } from '#process/supervisor'
import type { RigContext } from '../base'
import { describeExit, isFromOutside } from './describe-exit'

export interface WorkerClient {
  readonly name: string
  readonly state: SupervisedState['state']
  /** why the process does not run; null while it runs */
  readonly reason: Message | null
  readonly restarts: number
  /** resident memory in bytes, from the last heartbeat; null before the first */
  readonly residentBytes: number | null
  /** models in memory, from the last heartbeat; none before the first */
  readonly loadedModels: readonly LoadedModel[]
  /**
   * Rejects with PeerUnavailable (Failure `unavailable`) when the process is not there, stops before it has answered, or hangs:
   * a process that beats and does not answer in time is ended and started again.
   */
  request<M extends WorkerMethod>(method: M, params: WorkerMethods[M]['params']): Promise<WorkerMethods[M]['result']>
  /** Settles when the process runs; rejects with Failure `device-unavailable` when the circuit opens, `cancelled` when it is stopped. */
  ready(): Promise<void>
  /** Starts a process again whose circuit is open. */
  retry(): void
  /** Ends the process; settles when it has ended. Open requests are rejected. */
  stop(): Promise<void>
}

export interface WorkerClientOptions {
  name: string
  start: WorkerStart
  onState: () => void
  onToken?: (data: WorkerNotifications['job.token']) => void
  onComputed?: (data: WorkerNotifications['jobs.computed']) => void
  /** shorter than those for any device */
  deadlines?: Partial<Record<WorkerMethod, number>>
}

const MINUTE = 60_000
/** Far longer than the slowest working device needs: only a process that hangs reaches a deadline. */
const DEADLINES_MILLISECONDS: Readonly<Record<WorkerMethod, number>> = {
  'proof.prepare': 10 * MINUTE,
  'proof.run': 10 * MINUTE,
  'proof.yield': MINUTE / 6,
  'proof.digest': 10 * MINUTE,
  'proof.digests': 30 * MINUTE,
  'proof.check': 30 * MINUTE,
  'proof.benchmark': 75 * MINUTE,
  'job.run': 60 * MINUTE,
  'job.cancel': MINUTE / 6,
  'job.appraise': 10 * MINUTE,
  'model.probe': 10 * MINUTE,
  'model.convert': 30 * MINUTE,
  'sample.generate': 2 * MINUTE,
  'driver.describe': MINUTE,
  'driver.check': 10 * MINUTE,
  'driver.sensors': MINUTE,
  'driver.powerLimit': MINUTE,
  'driver.setPowerLimit': MINUTE,
  configure: MINUTE,
}

/** Starts the process at once, and again with back-off when it ends. */
export function startWorker(
  { host, clock, randomFraction, log }: Pick<RigContext, 'host' | 'clock' | 'randomFraction' | 'log'>,
  options: WorkerClientOptions,
): WorkerClient {
  const { name } = options
  let peer: Peer<WorkerMethods, WorkerNotifications> | null = null
  let waiting: { resolve: () => void; reject: (error: Failure) => void }[] = []
  let residentBytes: number | null = null
  let loadedModels: readonly LoadedModel[] = []
  let reason: Message | null = null
  /** whether the process ended by itself or hung: it was not ended from outside, and it could start */
  let endedByItself = false

  const releaseWaiting = (settle: (entry: (typeof waiting)[number]) => void): void => {
    const entries = waiting
    waiting = []
    for (const entry of entries) settle(entry)
  }
  const unavailable = (): Failure =>
    new Failure(
      (options.start.driver ?? options.start.gpu) !== undefined && endedByItself
        ? 'driver-fault'
        : 'device-unavailable',
      message('worker-keeps-stopping', { worker: name, reason: reason ?? message('process-no-answer') }),
    )

  const onState = (state: SupervisedState): void => {
    if (state.state === 'running') {
      reason = null
      peer = createPeer<WorkerMethods, WorkerNotifications>(state.process.port, name)
      peer.on('heartbeat', (beat) => {
        residentBytes = beat.residentBytes
        const before = loadedModels
        loadedModels = beat.models
        supervisor?.resetHeartbeat()
        if (before.map(({ hash }) => hash).join() !== beat.models.map(({ hash }) => hash).join()) options.onState()
      })
      if (options.onToken) peer.on('job.token', options.onToken)
      if (options.onComputed) peer.on('jobs.computed', options.onComputed)
      log.info('process runs', { process: name, pid: state.process.pid })
      releaseWaiting((entry) => entry.resolve())
    } else {
      peer = null
      residentBytes = null
      loadedModels = []
      if (state.state === 'waiting' || state.state === 'open') {
        reason = state.reason
        endedByItself = !isFromOutside(reason)
        log.warn('process stopped', { process: name, reason: inEnglish.text(reason), state: state.state })
      }
      if (state.state === 'open') releaseWaiting((entry) => entry.reject(unavailable()))
      if (state.state === 'stopped')
        releaseWaiting((entry) => entry.reject(new Failure('cancelled', message('worker-stopped', { worker: name }))))
    }
    options.onState()
  }
  let supervisor: Supervisor | undefined
  supervisor = supervise({
    start: () => host.start('worker', options.start),
    clock,
    random: randomFraction,
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
    get loadedModels() {
      return loadedModels
    },
    request: async (method, params) => {
      const asked = peer
      if (asked === null) throw new PeerUnavailable(message('worker-not-running', { worker: name }), false)
      try {
        return await asked.request(method, params, {
          timeoutMilliseconds: options.deadlines?.[method] ?? DEADLINES_MILLISECONDS[method],
        })
      } catch (error) {
        if (error instanceof PeerUnavailable && error.timedOut && peer === asked)
          watched.restart(message('process-no-answer'))
        throw error
      }
    },
    ready: () => {
      const { state } = watched.current
      // The port closes a moment before the exit is reported: a process with a closed port is ending.
      if (state === 'running' && peer?.closed === false) return Promise.resolve()
      if (state === 'open') return Promise.reject(unavailable())
      if (state === 'stopped')
        return Promise.reject(new Failure('cancelled', message('worker-stopped', { worker: name })))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    retry: () => watched.retry(),
    stop: () => watched.stop(),
  }
}
