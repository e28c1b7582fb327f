/** One device's worker process: it starts with the first work, ends after a minute without work, and uses the threads that it may. */
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import type { WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import type { RigContext } from '../base'
import { startWorker, type WorkerClient, type WorkerClientOptions } from '../workers'

/** A worker without work keeps its models this long. */
const IDLE_STOP_MILLISECONDS = 60_000

export interface DeviceWorker {
  /** The process, started where there is none. Rejects with Failure `cancelled` while stopping, `device-unavailable` when it keeps stopping. */
  ensure(): Promise<WorkerClient>
  /** null: none was started, or it was ended */
  readonly client: WorkerClient | null
  /** Sends the process the number of threads that it may use now, if the number changed. */
  applyThreads(): void
  end(): Promise<void>
  /** Ends the process after a minute, unless `keep` is called before. */
  endWhenIdle(): void
  /** Cancels `endWhenIdle`. */
  keep(): void
  /** Starts a process again that kept stopping. */
  retry(): void
}

export interface DeviceWorkerOptions {
  deviceId: string
  host: ProcessHost
  /** for the weights of models */
  modelMemoryBytes: number
  /** the device that the worker drives; empty: the processor */
  workerStart: Pick<WorkerStart, 'driver' | 'gpu'>
  deadlines: WorkerClientOptions['deadlines']
  onToken: NonNullable<WorkerClientOptions['onToken']>
  onComputed: NonNullable<WorkerClientOptions['onComputed']>
  /** number of threads that the worker may use now */
  threads: () => number
  isStopping: () => boolean
  /** whether the device has work: without work its worker is not started again */
  isBusy: () => boolean
  onStarting: () => void
  onRestarting: (reason: Message) => void
  /** Called when the process ends: its weights and its unit are lost. */
  onEnded: () => void
  onState: () => void
}

export function createDeviceWorker(
  rig: Pick<RigContext, 'clock' | 'log' | 'randomFraction'>,
  options: DeviceWorkerOptions,
): DeviceWorker {
  const { clock, log } = rig
  const { deviceId, deadlines } = options
  let client: WorkerClient | null = null
  let reportedThreads = 0
  let idleStop: { cancel(): void } | null = null

  const onState = (): void => {
    if (client?.state === 'waiting') {
      if (options.isBusy() && client.reason !== null) options.onRestarting(client.reason)
      else void end()
    }
    options.onState()
  }

  const end = async (): Promise<void> => {
    const ending = client
    client = null
    options.onEnded()
    await ending?.stop()
  }

  return {
    ensure: async () => {
      // A step that was under way when stopping began must not start the worker again.
      if (options.isStopping()) throw new Failure('cancelled', message('device-is-being-stopped'))
      if (client === null) {
        reportedThreads = options.threads()
        options.onStarting()
        client = startWorker(
          { ...rig, host: options.host },
          {
            onToken: options.onToken,
            onComputed: options.onComputed,
            ...(deadlines === undefined ? {} : { deadlines }),
            name: `worker ${deviceId}`,
            start: {
              role: 'worker',
              deviceId,
              threads: reportedThreads,
              modelMemoryBytes: options.modelMemoryBytes,
              ...options.workerStart,
            },
            onState,
          },
        )
      }
      const wanted = client
      await wanted.ready()
      return wanted
    },
    get client() {
      return client
    },
    applyThreads: () => {
      const threads = options.threads()
      if (threads === reportedThreads) return
      reportedThreads = threads
      client
        ?.request('configure', { threads })
        .catch((error: unknown) => log.warn('threads not set', { device: deviceId, error: String(error) }))
    },
    end,
    endWhenIdle: () => {
      idleStop = clock.setTimeout(() => {
        if (!options.isBusy()) void end()
      }, IDLE_STOP_MILLISECONDS)
    },
    keep: () => idleStop?.cancel(),
    retry: () => {
      if (client?.state === 'open') client.retry()
    },
  }
}
