/** Makes a model's graph in a process of its own: a hostile file harms only that process. */
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import type { ModelConversion } from '#shared/domain/model-stages'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import type { ProcessHost } from '#process/host'
import { createPeer, PeerUnavailable } from '#process/peer'

/** The largest files take minutes on slow disks. */
const CONVERSION_TIMEOUT_MILLISECONDS = 30 * 60_000

export interface ModelConverter {
  /** Makes a model's graph. Rejects with a Failure; its folder may then hold unfinished files. */
  convert(conversion: ModelConversion): Promise<WorkerMethods['model.convert']['result']>
  /** Ends running conversions. */
  stop(): void
}

export function createModelConverter({ host }: { host: ProcessHost }): ModelConverter {
  const running = new Set<() => void>()
  return {
    convert: async (conversion) => {
      const start: WorkerStart = { role: 'worker', deviceId: 'converter', threads: 1 }
      const child = await host.start('worker', start)
      const kill = (): void => child.kill()
      running.add(kill)
      try {
        const worker = createPeer<WorkerMethods, WorkerNotifications>(child.port, 'converter')
        return await worker.request('model.convert', conversion, {
          timeoutMilliseconds: CONVERSION_TIMEOUT_MILLISECONDS,
        })
      } catch (error) {
        if (!(error instanceof PeerUnavailable)) throw error
        throw new Failure('model-refused', message('model-reader-stopped'))
      } finally {
        running.delete(kill)
        child.kill()
        await child.exited
      }
    },
    stop: () => {
      for (const kill of running) kill()
    },
  }
}
