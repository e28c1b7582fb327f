/** The life of one device's worker process: begins with the first work, ends after a minute without, keeps to its threads. */
import { Failure } from '#shared/domain/errors'
import type { WorkerStart } from '#shared/ipc/worker'
import type { Clock } from '#process/clock'
import { startWorker, type WorkerClient, type WorkerClientParts } from '../workers'

/** A worker without work keeps its models this long. */
const IDLE_STOP_MILLISECONDS = 60_000

export interface DeviceWorker {
  /** The process, started where there is none. Rejects with Failure `cancelled` while stopping, `device-unavailable` when it keeps stopping. */
  ensure(): Promise<WorkerClient>
  /** null: none was started, or it was ended */
  readonly client: WorkerClient | null
  /** Tells it how many threads it may use now, where that changed. */
  paceThreads(): void
  end(): Promise<void>
  /** Ends it after a minute unless something keeps it. */
  endWhenIdle(): void
  keep(): void
  /** One that was given up is tried again. */
  retry(): void
}

export interface DeviceWorkerParts extends Omit<WorkerClientParts, 'name' | 'start' | 'onState'> {
  deviceId: string
  clock: Clock
  /** for the weights of models */
  modelMemoryBytes: number
  /** what it drives; absent: the processor */
  workerStart?: Pick<WorkerStart, 'driver' | 'gpu'>
  /** that it may use now */
  threads: () => number
  isStopping: () => boolean
  /** whether the device has work: one without is not brought back */
  isBusy: () => boolean
  onStarting: () => void
  onRestarting: (reason: string) => void
  /** it is gone, and with it what it knew */
  onEnded: () => void
  onState: () => void
}

export function createDeviceWorker(parts: DeviceWorkerParts): DeviceWorker {
  const { deviceId, clock, log } = parts
  let client: WorkerClient | null = null
  let toldThreads = 0
  let idleStop: { cancel(): void } | null = null

  const onState = (): void => {
    if (client?.state === 'waiting') {
      if (parts.isBusy()) parts.onRestarting(client.reason)
      else void end()
    }
    parts.onState()
  }

  const end = async (): Promise<void> => {
    const ending = client
    client = null
    parts.onEnded()
    await ending?.stop()
  }

  return {
    ensure: async () => {
      // A step that was under way when stopping began must not bring back what stopping ended.
      if (parts.isStopping()) throw new Failure('cancelled', 'the device is being stopped')
      if (client === null) {
        toldThreads = parts.threads()
        parts.onStarting()
        client = startWorker({
          host: parts.host,
          clock,
          random: parts.random,
          log,
          ...(parts.onToken === undefined ? {} : { onToken: parts.onToken }),
          ...(parts.onComputed === undefined ? {} : { onComputed: parts.onComputed }),
          ...(parts.deadlines === undefined ? {} : { deadlines: parts.deadlines }),
          name: `worker ${deviceId}`,
          start: {
            role: 'worker',
            deviceId,
            threads: toldThreads,
            modelMemoryBytes: parts.modelMemoryBytes,
            ...parts.workerStart,
          },
          onState,
        })
      }
      const wanted = client
      await wanted.ready()
      return wanted
    },
    get client() {
      return client
    },
    paceThreads: () => {
      const threads = parts.threads()
      if (threads === toldThreads) return
      toldThreads = threads
      client
        ?.request('configure', { threads })
        .catch((error: unknown) => log.warn('threads not set', { device: deviceId, error: String(error) }))
    },
    end,
    endWhenIdle: () => {
      idleStop = clock.setTimeout(() => {
        if (!parts.isBusy()) void end()
      }, IDLE_STOP_MILLISECONDS)
    },
    keep: () => idleStop?.cancel(),
    retry: () => {
      if (client?.state === 'open') client.retry()
    },
  }
}
